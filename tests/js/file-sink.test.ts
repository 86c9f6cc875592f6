// Files that are written: whole or not at all, whatever fails and whenever the process ends.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { QuantizeError } from '#dist/base/errors.js';
import { commitFiles, FileSink, writeTextFile } from '#dist/platform/file-sink.js';
import { nodePlatform } from '#dist/platform/node.js';
import { resolveTarget } from '#dist/platform/targets.js';
import { temporaryFor } from '#dist/platform/temporaries.js';
import { command, model, temporaryFolder } from './support/pipeline.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (file: string) => fs.readFileSync(file, 'utf8');
const list = (folder: string) => fs.readdirSync(folder).sort();
const isRoot = process.getuid?.() === 0;

/** Everything in a folder, by name. */
const contents = (folder: string) =>
  Object.fromEntries(list(folder).map((name) => [name, read(path.join(folder, name))]));

const sink = (file: string) => new FileSink(file, resolveTarget(file, 'a file'));

type Call =
  | 'openSync'
  | 'writeSync'
  | 'ftruncateSync'
  | 'fsyncSync'
  | 'closeSync'
  | 'linkSync'
  | 'renameSync';
const calls: Call[] = [
  'openSync',
  'writeSync',
  'ftruncateSync',
  'fsyncSync',
  'closeSync',
  'linkSync',
  'renameSync',
];

/** Makes calls fail while `work` runs: those that `fails` says, by their name and number from 0. */
async function failing<T>(
  fails: (call: Call, index: number) => boolean,
  work: () => Promise<T>,
): Promise<{ result: T; reached: number }> {
  let reached = 0;
  const own = fs as unknown as Record<Call, (...args: unknown[]) => unknown>;
  const originals = calls.map((name) => own[name]);
  for (const [i, name] of calls.entries()) {
    own[name] = (...args) => {
      if (!fails(name, reached++)) return originals[i]!(...args);
      // A file that cannot be closed is closed all the same.
      if (name === 'closeSync') originals[i]!(...args);
      const [first, dest] = args;
      const paths = name === 'renameSync' ? { path: first, dest } : {};
      throw Object.assign(new Error(`EIO: ${name} was made to fail`), { code: 'EIO', ...paths });
    };
  }
  try {
    return { result: await work(), reached };
  } finally {
    for (const [i, name] of calls.entries()) own[name] = originals[i]!;
  }
}

/** A folder with an old pair and an old configuration, and the command that writes all three. */
function pairWithConfig() {
  const folder = temporaryFolder();
  const at = (name: string) => path.join(folder, name);
  const old = { 'm.onnx': 'old model', 'm.onnx.data': 'old data', 'c.json': 'old config' };
  for (const [name, text] of Object.entries(old)) fs.writeFileSync(at(name), text);
  const argv = ['preprocess', '-i', model('classifier.onnx'), '-o', at('m.onnx'), '--quiet'];
  argv.push('--save_as_external_data', '--external_data_location', 'm.onnx.data');
  argv.push('--save_config', at('c.json'));
  return { folder, old, argv };
}

test('each write, sync, close, link and rename that fails leaves all as it was, or all new', async () => {
  const whole = pairWithConfig();
  assert.equal((await command(whole.argv)).code, 0);
  const config = (text: string) => ({ ...JSON.parse(text), model_output: '' });
  const written = contents(whole.folder);
  let failed = 0;
  for (let n = 0; ; n++) {
    const { folder, old, argv } = pairWithConfig();
    const { result, reached } = await failing(
      (_, index) => index === n,
      () => command(argv),
    );
    const now = contents(folder);
    if (result.code === 0) {
      assert.deepEqual(
        { ...now, 'c.json': config(now['c.json']!) },
        { ...written, 'c.json': config(written['c.json']!) },
      );
    } else {
      failed++;
      assert.deepEqual(now, old, `call ${n}: ${result.err}`);
      assert.match(result.err, /^error: .*EIO/);
      assert.doesNotMatch(result.err, /a bug/);
    }
    if (reached <= n) break;
  }
  assert.ok(failed > 15, `only ${failed} calls mattered`);
});

test('a disk that is full from some write on leaves all as it was', async () => {
  for (let n = 0; ; n++) {
    const { folder, old, argv } = pairWithConfig();
    let writes = 0;
    const { result } = await failing(
      (call) => call === 'writeSync' && writes++ >= n,
      () => command(argv),
    );
    if (result.code === 0) break;
    assert.deepEqual(contents(folder), old, result.err);
  }
});

test('where nothing can be renamed any more, nothing is lost: the error says where it is', async () => {
  for (let n = 1; ; n++) {
    const { folder, old, argv } = pairWithConfig();
    let renames = 0;
    const { result } = await failing(
      (call) => call === 'renameSync' && renames++ >= n,
      () => command(argv),
    );
    if (result.code === 0) break;
    const now = Object.values(contents(folder));
    for (const text of Object.values(old)) assert.ok(now.includes(text), `${n}: ${result.err}`);
    for (const name of list(folder)) {
      if (!Object.hasOwn(old, name)) assert.ok(result.err.includes(name), result.err);
    }
  }
});

/** A program that writes a pair, whose model says which data it belongs to, `rounds` times. */
function pairWriter(folder: string, rounds: number, killAt = -1): string {
  const url = (name: string) => JSON.stringify(new URL(`../../../dist/${name}`, import.meta.url));
  return `
    import fs from 'node:fs';
    import { commitFiles, FileSink } from ${url('platform/file-sink.js')};
    import { resolveTarget } from ${url('platform/targets.js')};
    let count = 0;
    for (const name of ${JSON.stringify(calls)}) {
      const original = fs[name];
      fs[name] = (...args) => {
        if (count++ === ${killAt}) process.kill(process.pid, 'SIGKILL');
        return original(...args);
      };
    }
    const sink = (name) => new FileSink(name, resolveTarget(${JSON.stringify(`${folder}/`)} + name, ''));
    for (let i = 0; i < ${rounds}; i++) {
      const text = \`\${process.pid}.\${i} \`.repeat(20000);
      const model = sink('m.onnx');
      const data = sink('m.onnx.data');
      data.append(new TextEncoder().encode(text));
      model.append(new TextEncoder().encode(text));
      commitFiles([data, model], { model, data: [data] });
    }
    console.log(count);`;
}

const runProgram = (program: string) =>
  spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });

/** The pair of a folder is whole, or its model is not there. */
function checkPair(folder: string): void {
  const file = path.join(folder, 'm.onnx');
  if (fs.existsSync(file)) assert.equal(read(file), read(`${file}.data`));
}

test('a process that meets another at the same pair gives way: no model of one with data of the other', async () => {
  const write = (text: string) => {
    const [data, one] = ['m.onnx.data', 'm.onnx'].map((name) => sink(path.join(folder, name)));
    for (const each of [data!, one!]) each.append(bytes(text));
    commitFiles([data!, one!], { model: one!, data: [data!] });
  };
  let folder = '';
  // At each rename of one of them the other writes its pair from beginning to end.
  for (let at = 0; at < 4; at++) {
    folder = temporaryFolder();
    write('old');
    const rename = fs.renameSync;
    let renames = 0;
    let met = false;
    fs.renameSync = (...args) => {
      if (!met && renames++ === at) {
        met = true;
        write('other');
      }
      return rename(...args);
    };
    try {
      write('own');
    } catch (error) {
      assert.equal((error as QuantizeError).code, 'FILE_ERROR');
    } finally {
      fs.renameSync = rename;
    }
    checkPair(folder);
  }
  const programs = [1, 2, 3].map(() => pairWriter(folder, 60));
  await Promise.all(
    programs.map((program) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
      return new Promise((resolve) => child.on('close', resolve));
    }),
  );
  checkPair(folder);
});

test('60 kills, between any two calls and at any time: old pair, new pair or no model, and the next run sweeps', async () => {
  const folder = temporaryFolder();
  let kills = 0;
  for (let n = 0; ; n++) {
    const { signal, stdout } = runProgram(pairWriter(folder, 2, n));
    checkPair(folder);
    if (signal === null) {
      assert.ok(Number(stdout) <= n);
      break;
    }
    kills++;
  }
  assert.ok(kills > 20, `${kills} calls`);
  const program = pairWriter(folder, 1e6);
  for (; kills < 60; kills++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
    const ended = new Promise((resolve) => child.on('close', resolve));
    await new Promise((resolve) => setTimeout(resolve, 60 + ((kills * 37) % 60)));
    child.kill('SIGKILL');
    await ended;
    checkPair(folder);
  }
  assert.equal(runProgram(pairWriter(folder, 1)).status, 0);
  checkPair(folder);
  assert.deepEqual(list(folder), ['m.onnx', 'm.onnx.data']);
});

test('only leftovers of processes that are gone are swept', () => {
  const folder = temporaryFolder();
  const at = (name: string) => path.join(folder, name);
  const running = path.basename(temporaryFor(at('a')));
  const [, place, start] = /\.([0-9a-f]{8})-\d+-(\d+)-/.exec(running) as unknown as string[];
  const gone = spawnSync(process.execPath, ['-e', 'console.log(process.pid)'], {
    encoding: 'utf8',
  });
  const pid = Number(gone.stdout);
  const name = (where: string, whose: number | string, when: string | number) =>
    `.a.${where}-${whose}-${when}-0123456789abcdef.partial`;
  const kept = [
    running,
    name('00000000', pid, start!), // another machine's
    '.a.partial',
    `.a.${pid}.partial`,
    'notes.partial',
  ];
  const swept = [name(place!, pid, start!)];
  // This process's number, of a process before it: in a container it is always 1.
  if (start !== '0') swept.push(name(place!, process.pid, Number(start) - 1));
  for (const file of [...kept, ...swept]) fs.writeFileSync(at(file), 'x');
  const old = name('00000000', 1, 1);
  fs.writeFileSync(at(old), 'x');
  fs.utimesSync(at(old), new Date(0), new Date(0));
  writeTextFile(at('b'), 'text');
  assert.deepEqual(list(folder), [...kept, 'b'].sort());
});

test('names cannot be foretold, and a link that lies there is not followed', () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'a.json');
  const first = sink(file);
  const second = sink(file);
  assert.notEqual(first.temporaryPath, second.temporaryPath);
  fs.writeFileSync(path.join(folder, 'victim'), 'mine');
  fs.symlinkSync(path.join(folder, 'victim'), first.temporaryPath);
  assert.throws(() => first.append(bytes('text')), { code: 'FILE_ERROR' });
  first.discard();
  assert.deepEqual(contents(folder), { victim: 'mine' });
});

test('a name of 255 bytes can be written, of any script', () => {
  const folder = temporaryFolder();
  for (const name of ['n'.repeat(255), '模'.repeat(85)]) {
    writeTextFile(path.join(folder, name), 'text');
    assert.equal(read(path.join(folder, name)), 'text');
  }
  assert.throws(() => writeTextFile(path.join(folder, 'n'.repeat(256)), 'text'), {
    code: 'FILE_ERROR',
    message: /ENAMETOOLONG/,
  });
  assert.equal(list(folder).length, 2);
});

test('the mode is what the umask gives', () => {
  const file = path.join(temporaryFolder(), 'a.json');
  const before = process.umask(0o027);
  try {
    writeTextFile(file, 'text');
  } finally {
    process.umask(before);
  }
  assert.equal(fs.statSync(file).mode & 0o777, 0o640);
});

test('links are followed to their file, whether or not it exists', () => {
  const folder = temporaryFolder();
  const at = (name: string) => path.join(folder, name);
  fs.mkdirSync(at('real'));
  fs.writeFileSync(at('real/a'), 'old');
  fs.symlinkSync('real/a', at('a'));
  fs.symlinkSync('real/b', at('b'));
  for (const name of ['a', 'b']) {
    writeTextFile(at(name), name);
    assert.ok(fs.lstatSync(at(name)).isSymbolicLink());
    assert.equal(read(at(`real/${name}`)), name);
  }
  fs.symlinkSync('c', at('c'));
  assert.throws(() => writeTextFile(at('c'), 'text'), { message: /ELOOP/ });
});

/** A null device that tests may harm: who is root could replace the machine's own. */
function nullDevice(): string {
  if (!isRoot) return '/dev/null';
  const device = path.join(temporaryFolder(), 'null');
  assert.equal(spawnSync('mknod', [device, 'c', '1', '3']).status, 0);
  return device;
}

test('pipes, devices and folders are refused; the null device discards', () => {
  const folder = temporaryFolder();
  const pipe = path.join(folder, 'pipe');
  spawnSync('mkfifo', [pipe]);
  for (const target of [pipe, folder]) {
    assert.throws(() => writeTextFile(target, 'text'), { code: 'OUTPUT_NOT_WRITABLE' }, target);
    assert.throws(() => nodePlatform.openOutput(target), { code: 'OUTPUT_NOT_WRITABLE' }, target);
  }
  assert.ok(fs.lstatSync(pipe).isFIFO());
  const device = nullDevice();
  writeTextFile(device, 'text');
  const output = nodePlatform.openOutput(device);
  output.model.append(bytes('model'));
  output.data.append(bytes('data'));
  output.commit();
  output.discard();
  assert.ok(fs.lstatSync(device).isCharacterDevice());
  assert.deepEqual(
    list(path.dirname(device)).filter((name) => name.endsWith('.partial')),
    [],
  );
});

test('the null device as output of a run: it is verified and nothing is left', async () => {
  const device = nullDevice();
  const argv = ['preprocess', '-i', model('classifier.onnx'), '-o', device];
  for (const more of [[], ['--save_as_external_data'], ['--save_config', device]]) {
    const { code, out, err } = await command([...argv, ...more]);
    assert.equal(code, 0, err);
    assert.match(out, /written/);
    assert.ok(fs.lstatSync(device).isCharacterDevice());
  }
});

test('two runs of one process do not write the same file', () => {
  const target = path.join(temporaryFolder(), 'm.onnx');
  const first = nodePlatform.openOutput(target);
  const again = path.join(path.dirname(target), '.', 'x', '..', 'm.onnx');
  assert.throws(() => nodePlatform.openOutput(again), {
    code: 'INVALID_OPTION',
    message: /another run of this process/,
  });
  first.discard();
  nodePlatform.openOutput(target).discard();
});

test('several files are put in place together, also without hard links', async () => {
  const folder = temporaryFolder();
  const at = (name: string) => path.join(folder, name);
  for (const name of ['a', 'b']) fs.writeFileSync(at(name), 'old');
  const write = async () => {
    const sinks = ['a', 'b'].map((name) => sink(at(name)));
    try {
      for (const one of sinks) one.append(bytes('new'));
      commitFiles(sinks);
    } finally {
      for (const one of sinks) one.discard();
    }
  };
  // Renames: a aside, a, b aside, b.
  for (const last of [1, 3, 4]) {
    let renames = 0;
    await assert.rejects(
      failing(
        (call) => call === 'linkSync' || (call === 'renameSync' && ++renames === last),
        write,
      ),
      { code: 'FILE_ERROR' },
    );
    assert.deepEqual(contents(folder), { a: 'old', b: 'old' });
  }
  await failing((call) => call === 'linkSync', write);
  assert.deepEqual(contents(folder), { a: 'new', b: 'new' });
});

test('a folder that cannot be written to is named, not the state beside it', {
  skip: isRoot,
}, async () => {
  const folder = temporaryFolder();
  fs.chmodSync(folder, 0o500);
  const target = path.join(folder, 'm.onnx');
  const { code, err } = await command(['-i', model('classifier.onnx'), '-o', target]);
  assert.equal(code, 1);
  assert.match(err, /model_output: the folder .* cannot be written to/);
});
