// Format and lint: clang-format, clang-tidy, Biome. clang-tidy takes many seconds for a few files,
// so what it found clean is remembered in the cache by the contents of the files and of all of our
// headers that they include.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { checkComments } from '../lint/comments.mjs';
import { drawImports } from '../lint/import-graph.mjs';
import { checkImports } from '../lint/imports.mjs';
import { filesUnder, packages, prerequisites, tools } from './build.mjs';
import { cache, read, root } from './paths.mjs';
import { output, progress, run, SetupError, say, step } from './steps.mjs';
import { clangTools, nativeCompiler } from './system.mjs';

const cppFolders = ['src', 'bindings', 'tests'];
const cppFiles = (...endings) => cppFolders.flatMap((dir) => filesUnder(dir, ...endings));

export async function format() {
  await packages();
  const { format } = await clangTools();
  const files = cppFiles('.cc', '.h');
  if (files.length) await run(format, ['-i', ...files]);
  await run(tools.biome, ['check', '--write', '.'], { show: true });
}

/** Runs every check and returns the names of those that failed. */
export async function lint() {
  await prerequisites();
  const { format, tidy } = await clangTools();
  const failed = [];
  const check = async (title, work) => {
    try {
      await step(title, work);
    } catch (error) {
      if (error.message) say(error.message);
      failed.push(title);
    }
  };
  const files = cppFiles('.cc', '.h');
  await check(
    'clang-format',
    () => files.length && run(format, ['--dry-run', '-Werror', ...files]),
  );
  await check('Biome', () => run(tools.biome, ['ci', '--colors=off', '.']));
  await check('Import directions', () => none(checkImports().problems));
  await check('Graph of imports', () => none(drawImports({ write: false })));
  await check('Comments', () => none(checkComments()));
  await check('clang-tidy', () => clangTidy(tidy));
  return failed;
}

/** Shows what is wrong, and fails where something is. */
function none(problems) {
  if (problems.length) throw new SetupError(problems.map((problem) => `    ${problem}`).join('\n'));
}

async function clangTidy(tidy) {
  await run('cmake', ['--preset', 'native-tidy'], { env: await nativeCompiler() });
  const build = path.join(root, 'build/native-tidy');
  const commands = tidyUnits(
    JSON.parse(read(path.join(build, 'compile_commands.json'))).filter(({ file }) =>
      file.startsWith(path.join(root, 'src')),
    ),
    path.join(build, 'units'),
  );
  const total = commands.length;
  let done = 0;
  const clean = path.join(cache, 'clang-tidy');
  fs.mkdirSync(clean, { recursive: true });
  const broken = [];
  const work = async ({ file, command, directory }) => {
    const stamp = path.join(clean, await fingerprint(command, directory));
    if (fs.existsSync(stamp)) return fs.utimesSync(stamp, new Date(), new Date());
    const [, ...options] = command.split(' ').map(unquote);
    const args = ['--quiet', '--extra-arg=-Wno-unknown-warning-option', file, '--', ...options];
    const { code, text } = await collect('nice', ['-n', '5', tidy, ...args], directory);
    if (code === 0) return fs.writeFileSync(stamp, '');
    broken.push(path.relative(root, file));
    say(text.replace(/^\d+ warnings? generated\.\n/gm, '').trimEnd());
  };
  await Promise.all(
    Array.from({ length: Math.max(2, os.availableParallelism()) }, async () => {
      while (commands.length) {
        progress(`${done}/${total}`);
        await work(commands.shift());
        progress(`${++done}/${total}`);
      }
    }),
  );
  forget(clean);
  if (broken.length) throw new Error(`clang-tidy: ${broken.join(', ')}`);
}

/**
 * Commands of files in `folder` that each include up to 24 neighbours, or files of small folders,
 * as CI compiles them, the longest first: clang-tidy reads the headers of the libraries once for
 * them, which is most of what a file costs.
 */
function tidyUnits(commands, folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const byFolder = new Map();
  for (const one of commands) {
    const dir = path.dirname(one.file);
    byFolder.set(dir, [...(byFolder.get(dir) ?? []), one]);
  }
  const isSmall = ([, files]) => files.length < 8;
  const groups = [
    ...[...byFolder].filter((one) => !isSmall(one)),
    ['small', [...byFolder].filter(isSmall).flatMap(([, files]) => files)],
  ];
  const units = groups.flatMap(([dir, files]) => {
    const size = Math.ceil(files.length / Math.ceil(files.length / 24));
    return Array.from({ length: Math.ceil(files.length / size) }, (_, part) => ({
      name: `${path.relative(root, path.resolve(root, dir)).replaceAll(path.sep, '-')}-${part}.cc`,
      own: files.slice(size * part, size * (part + 1)),
    }));
  });
  units.sort((a, b) => b.own.length - a.own.length);
  return units.map(({ name, own }) => {
    const file = path.join(folder, name);
    const includes = own.map(
      (one) =>
        `#include "${path.relative(root, one.file)}" // NOLINT(bugprone-suspicious-include)\n`,
    );
    fs.writeFileSync(file, includes.join(''));
    const command = `${own[0].command.replace(own[0].file, file)} -I${root}`;
    return { ...own[0], file, command };
  });
}

/** A hash of all that clang-tidy's verdict on a file depends on. */
async function fingerprint(command, directory) {
  const [compiler, ...args] = command.split(' ').filter((word) => word !== '-c');
  const cut = args.indexOf('-o');
  if (cut >= 0) args.splice(cut, 2);
  const listing =
    (await output(compiler, [...args.map(unquote), '-MM'], { cwd: directory })) ??
    String(Math.random());
  const hash = createHash('sha256')
    .update(command.replaceAll(root, ''))
    .update(read(path.join(root, '.clang-tidy')));
  for (const file of listing.split(/[\s\\]+/).filter((name) => name.startsWith(root)))
    hash.update(read(file));
  return hash.digest('hex');
}

const unquote = (word) => word.replace(/\\"/g, '"');

function collect(command, args, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
    child.on('close', (code) => resolve({ code, text }));
  });
}

/** Drops verdicts that nobody has asked for in a month. */
function forget(dir) {
  for (const name of fs.readdirSync(dir)) {
    const file = path.join(dir, name);
    if (Date.now() - fs.statSync(file).mtimeMs > 30 * 864e5) fs.rmSync(file, { force: true });
  }
}
