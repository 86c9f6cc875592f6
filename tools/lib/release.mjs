// npm run release: what a version is published as, in build/release: the npm package, the page as
// an archive, and their checksums. From one commit two machines with the same compiler and Node
// make the same bytes: times are the commit's, names are sorted, and no path of a machine is in a
// file.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildLibrary, buildWeb, filesUnder, packages } from './build.mjs';
import { cache, read, root } from './paths.mjs';
import { output, SetupError, say, step } from './steps.mjs';

const at = (...parts) => path.join(root, ...parts);

export async function release() {
  const { name, version } = JSON.parse(read(at('package.json')));
  await checkTree();
  checkChanges(read(at('CHANGELOG.md')), version);
  await packages();
  // From nothing, so that nothing is in it that no source stands for.
  for (const folder of ['dist', 'web/dist'])
    fs.rmSync(at(folder), { recursive: true, force: true });
  await buildLibrary();
  await buildWeb();
  await step('Archives', () => writeArchives(name, version));
  say(
    `\n${read(at('build/release/SHA256SUMS'))}\nin build/release. What comes next: docs/releasing.md`,
  );
}

/** Of what is in dist and web/dist. */
export async function writeArchives(name, version) {
  const { tarGz } = await import('./archive.mjs'); // npm's packages, which are set up by now
  const seconds = Number(await output('git', ['log', '-1', '--format=%ct']));
  const archives = {
    [`${name}-${version}.tgz`]: await packageEntries(),
    [`${name}-page-${version}.tar.gz`]: pageEntries(`${name}-page-${version}`),
  };
  for (const entries of Object.values(archives)) checkPaths(entries, [root, cache, os.homedir()]);
  const folder = at('build/release');
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const sums = Object.entries(archives).map(([file, entries]) => {
    const bytes = tarGz(entries, seconds);
    fs.writeFileSync(path.join(folder, file), bytes);
    return `${createHash('sha256').update(bytes).digest('hex')}  ${file}\n`;
  });
  fs.writeFileSync(path.join(folder, 'SHA256SUMS'), sums.join(''));
}

/** A release can be made again from its commit: all that is in it is in the commit. */
async function checkTree() {
  const changed = await output('git', ['status', '--porcelain']);
  if (changed === null)
    throw new SetupError('A release is made from a git checkout: its commit is in it.');
  if (changed)
    throw new SetupError(
      `A release is made from a commit, but these files differ from it:\n${changed}\nCommit them, or put them away with \`git stash -u\`.`,
    );
}

/** `text`: of CHANGELOG.md. */
export function checkChanges(text, version) {
  const versions = [...text.matchAll(/^## ([^\s,]+)/gm)].map(([, each]) => each);
  if (versions.includes(version)) return;
  throw new SetupError(
    `CHANGELOG.md says nothing about ${version}, the version in package.json (it has ${versions.join(', ') || 'none'}).\nWrite a section "## ${version}, <date>", or mend the version.`,
  );
}

/** What npm would pack, as it would pack it. */
async function packageEntries() {
  const list = await output('npm', ['pack', '--dry-run', '--json', '--ignore-scripts']);
  if (!list)
    throw new SetupError('npm could not say what it would pack: try `npm pack --dry-run`.');
  const [{ files }] = JSON.parse(list);
  return files.map(({ path: file, mode }) => ({
    name: `package/${file}`,
    bytes: fs.readFileSync(at(file)),
    executable: (mode & 0o111) !== 0,
  }));
}

function pageEntries(folder) {
  return filesUnder('web/dist', '')
    .filter((file) => fs.statSync(at(file)).isFile())
    .map((file) => ({
      name: path.posix.join(folder, ...path.relative('web/dist', file).split(path.sep)),
      bytes: fs.readFileSync(at(file)),
    }));
}

/** Fails where a file has one of the `folders` of this machine in it: elsewhere it would differ. */
export function checkPaths(entries, folders) {
  for (const { name, bytes } of entries) {
    const folder = folders.find((each) => bytes.includes(`${each}/`));
    if (folder) throw new SetupError(`${name} has a path of this machine in it: ${folder}/…`);
  }
}
