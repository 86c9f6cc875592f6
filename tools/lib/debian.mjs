// Debian packages without touching the machine: downloads of a private apt root are unpacked into
// the cache folder. The archive is the one the machine itself uses, so its signature is checked as
// always; what is pinned by its checksum needs no list of packages.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { read, which } from './paths.mjs';
import { output, run, SetupError } from './steps.mjs';

const release = Object.fromEntries(
  read('/etc/os-release')
    .split('\n')
    .map((line) => line.split('=').map((word) => word.replace(/"/g, ''))),
);
export const codename = release.ID === 'debian' ? release.VERSION_CODENAME : null;
export const isDebian = Boolean(codename && which('apt-get') && which('dpkg-deb'));
const triplets = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };
export const triplet = triplets[process.arch];
const loaders = { x64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' };

/** The archive that this machine is installed from. */
async function archive() {
  const targets =
    (await output('apt-get', [
      'indextargets',
      '--format',
      '$(CREATED_BY) $(RELEASE) $(REPO_URI)',
    ])) ?? '';
  const own = targets
    .split('\n')
    .map((line) => line.split(' '))
    .find(([by, suite]) => by === 'Packages' && suite === codename);
  if (!own)
    throw new SetupError(
      `apt has no source for Debian ${codename}: add one to /etc/apt/sources.list`,
    );
  return own[2].replace(/\/$/, '');
}

const roots = new Map();

/**
 * apt-get with a private root for `suite`, as apt(args, cwd): one for all that a process asks of
 * it, because reading what a suite has takes seconds. Needs no root.
 */
function privateApt(suite) {
  if (!roots.has(suite)) roots.set(suite, makePrivateApt(suite));
  return roots.get(suite);
}

async function makePrivateApt(suite) {
  const apt = fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-ptq-apt-'));
  process.once('exit', () => fs.rmSync(apt, { recursive: true, force: true }));
  for (const sub of ['etc', 'lists/partial', 'cache/archives/partial'])
    fs.mkdirSync(path.join(apt, sub), { recursive: true });
  const url = await archive();
  const list = path.join(apt, 'etc/sources.list');
  const key = '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]';
  fs.writeFileSync(list, `deb ${key} ${url} ${suite} main\n`);
  fs.writeFileSync(path.join(apt, 'status'), '');
  const config = path.join(apt, 'apt.conf');
  fs.writeFileSync(
    config,
    `Dir::Etc "${apt}/etc"; Dir::Etc::sourcelist "${list}"; Dir::Etc::sourceparts "/dev/null"; Dir::Etc::parts "/dev/null";
Dir::Etc::preferencesparts "/dev/null"; Dir::State "${apt}"; Dir::State::lists "${apt}/lists"; Dir::State::status "${apt}/status";
Dir::Cache "${apt}/cache"; Acquire::Languages "none"; Acquire::Retries "3"; APT::Sandbox::User "";\n`,
  );
  const call = (args, cwd = apt) =>
    run('apt-get', ['-q', ...args], { cwd, env: { APT_CONFIG: config }, hint: hint(suite) });
  await call(['update']);
  return call;
}

const hint = (
  what,
) => `Could not download from the Debian archive that apt is set up with (${what}).
Check the network and that \`apt-get update\` works, then run this again.`;

/**
 * Downloads packages of `suite` ("name" or "name=version") and unpacks them into `dir`. `exclude`:
 * tar patterns.
 */
export async function unpackDebs(dir, suite, packages, { exclude = [] } = {}) {
  const apt = await privateApt(suite);
  const downloads = path.join(dir, 'downloads');
  fs.mkdirSync(downloads, { recursive: true });
  await apt(['download', ...packages], downloads);
  for (const deb of fs.readdirSync(downloads))
    await unpackDeb(dir, path.join(downloads, deb), exclude);
  fs.rmSync(downloads, { recursive: true });
}

/** Unpacks one package into `dir`. */
export function unpackDeb(dir, deb, exclude = []) {
  const drop = ['./usr/share/doc*', './usr/share/man*', ...exclude].map(
    (pattern) => `--exclude=${pattern}`,
  );
  const unpack = 'set -o pipefail; deb=$1; shift; dpkg-deb --fsys-tarfile "$deb" | tar -x "$@"';
  return run('bash', ['-c', unpack, 'bash', deb, '-C', dir, ...drop]);
}

/** Downloads a file of the archive (pool/main/p/protobuf/…) of which the checksum is known. */
export async function downloadFromPool(file, place, sha256) {
  const url = `${await archive()}/${place}`;
  await run('/usr/lib/apt/apt-helper', ['-q', 'download-file', url, file, `SHA256:${sha256}`], {
    hint: hint(place),
  });
}

export function verify(file, sha256) {
  if (!sha256) return;
  const found = createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  if (found === sha256) return;
  fs.rmSync(file);
  throw new SetupError(`${path.basename(file)} is not the file that was expected: SHA-256 ${found} instead of ${sha256}.
It was deleted; run this again. If that does not help, the registry's file has changed.`);
}

/**
 * Writes a small program `file` that starts `program` with the shared libraries of `lib`, by their
 * own loader if asked.
 */
export function wrapper(file, program, lib, { loader = false } = {}) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const start = loader
    ? `exec "${lib}/${loaders[process.arch]}" --library-path "${lib}" "${program}" "$@"`
    : `LD_LIBRARY_PATH="${lib}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec "${program}" "$@"`;
  fs.writeFileSync(file, `#!/bin/sh\n${start}\n`, { mode: 0o755 });
}

/** Installs system packages where that needs no password. Returns null, or the command to type. */
export async function installPackages(...names) {
  const command = `sudo apt-get install --no-install-recommends ${names.join(' ')}`;
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (!isDebian) return `install ${names.join(', ')} with your system's package manager`;
  if (sudo.length && (await output('sudo', ['-n', 'true'])) === null) return command;
  const apt = (...args) => {
    const [file, ...rest] = [
      ...sudo,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      '-q',
      ...args,
    ];
    return run(file, rest);
  };
  try {
    await apt('update');
    await apt('install', '-y', '--no-install-recommends', ...names);
    return null;
  } catch {
    return command;
  }
}
