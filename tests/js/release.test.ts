// What a release is made with: archives that are the same bytes wherever they are made, and what is
// refused.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isCoverage } from './support/coverage.js';
import { temporaryFolder } from './support/pipeline.js';

interface Entry {
  name: string;
  bytes: Uint8Array;
  executable?: boolean;
}

const load = (file: string) => import(pathToFileURL(path.resolve(file)).href);
const { tarGz } = (await load('tools/lib/archive.mjs')) as {
  tarGz(entries: Entry[], seconds: number): Buffer;
};
const { checkChanges, checkPaths } = (await load('tools/lib/release.mjs')) as {
  checkChanges(text: string, version: string): void;
  checkPaths(entries: Entry[], folders: string[]): void;
};

const { bundle } = (await load('tools/lib/bundle.mjs')) as {
  bundle(): Promise<Map<string, Buffer>>;
};

const text = (length: number) => Buffer.from('abcdefg'.repeat(length).slice(0, length));
const longName = `page/${'folder/'.repeat(20)}${'n'.repeat(90)}.js`;
const entries: Entry[] = [
  { name: 'page/z.bin', bytes: Buffer.from([0, 255, 10]) },
  { name: 'page/empty', bytes: text(0) },
  { name: 'page/block', bytes: text(512) },
  { name: 'page/bin/run', bytes: text(513), executable: true },
  { name: longName, bytes: text(100_000) },
  { name: 'page/ä.txt', bytes: text(1) },
];

test('an archive unpacks to its files, with their modes and the time that was given', () => {
  const folder = temporaryFolder();
  const archive = path.join(folder, 'a.tar.gz');
  fs.writeFileSync(archive, tarGz(entries, 1_700_000_000));
  execFileSync('tar', ['xzf', archive, '-C', folder]);
  for (const { name, bytes, executable = false } of entries) {
    const file = path.join(folder, name);
    assert.deepEqual(fs.readFileSync(file), Buffer.from(bytes), name);
    const { mode, mtimeMs } = fs.statSync(file);
    assert.equal((mode & 0o100) !== 0, executable, name);
    assert.equal(mtimeMs, 1_700_000_000_000, name);
  }
  const listed = execFileSync('tar', ['tvzf', archive, '--numeric-owner'], { encoding: 'utf8' });
  const lines = listed.trim().split('\n');
  assert.equal(lines.length, entries.length);
  for (const line of lines) assert.match(line, / 0\/0 /);
});

test('an archive is the same bytes in any order of its files, and holds no time of its making', () => {
  const archive = tarGz(entries, 1_700_000_000);
  assert.deepEqual(tarGz([...entries].reverse(), 1_700_000_000), archive);
  assert.deepEqual([...archive.subarray(4, 8)], [0, 0, 0, 0], "gzip's own time");
  assert.notDeepEqual(tarGz(entries, 1_700_000_001), archive);
});

test('a name that tar has no place for is an error', () => {
  const name = `page/${'n'.repeat(101)}`;
  assert.throws(() => tarGz([{ name, bytes: text(1) }], 0), /too long/);
});

test('a version that CHANGELOG.md does not have is refused', () => {
  const changes = '# Changes\n\n## 1.2.0, 2026-11-27\n\n- more\n\n## 1.1.0\n\n- less than 1.3.0\n';
  checkChanges(changes, '1.2.0');
  checkChanges(changes, '1.1.0');
  assert.throws(() => checkChanges(changes, '1.3.0'), /nothing about 1\.3\.0.*1\.2\.0, 1\.1\.0/);
});

test('a file with a path of the machine in it is refused, by name', () => {
  const bytes = Buffer.from('\0\0/home/me/.cache/onnx-ptq/sources/onnx/defs.cc\0');
  const made = [
    { name: 'a.js', bytes: text(10) },
    { name: 'core.wasm', bytes },
  ];
  checkPaths(made, ['/home/you']);
  assert.throws(() => checkPaths(made, ['/work', '/home/me']), /^Error: core\.wasm .*\/home\/me/);
});

test('the bundles in dist are what the sources make, to the byte and without a path of the machine', {
  skip: isCoverage,
}, async () => {
  const bundles = await bundle();
  const made = [...bundles].map(([name, bytes]) => ({ name, bytes }));
  for (const { name, bytes } of made) assert.ok(fs.readFileSync(name).equals(bytes), name);
  checkPaths(made, [process.cwd()]);
  const names = fs.readdirSync('dist/node').map((name) => path.join('dist/node', name));
  assert.deepEqual(names.sort(), [...bundles.keys()].sort());
});
