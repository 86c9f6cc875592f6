// Nothing leaves the machine, in Node either: a whole job opens no socket and writes nothing but
// its output, whichever runtime runs the model. onnxruntime-node would report its use otherwise.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { imageFolder, model, temporaryFolder } from './support/pipeline.js';

const strace =
  process.env.PTQ_STRACE ||
  ['/usr/bin/strace', '/usr/local/bin/strace'].find((file) => fs.existsSync(file));

/** A folder as the only place that a program knows: home, temporary files, output. */
function place() {
  const folder = fs.realpathSync(temporaryFolder());
  const at = (name: string) => path.join(folder, name);
  for (const name of ['home', 'tmp', 'out']) fs.mkdirSync(at(name));
  const env = {
    PATH: process.env.PATH,
    HOME: at('home'),
    TMPDIR: at('tmp'),
    XDG_CACHE_HOME: at('home/cache'),
    XDG_CONFIG_HOME: at('home/config'),
  };
  return { folder, at, env };
}

const listed = (folder: string) =>
  fs.readdirSync(folder, { recursive: true, withFileTypes: true }).map(({ name }) => name);

/** All ways in: the command, with workers, and the library in a program. */
function commands(at: (name: string) => string, runtime: string): string[][] {
  const samples = imageFolder('rgb.png', 'rgb_444.jpg');
  const command = ['dist/node/cli.js', '-i', model('classifier.onnx'), '--runtime', runtime];
  const program = `
    import { datasetReader, quantizeStatic } from '${import.meta.resolve('onnx-ptq')}';
    await quantizeStatic({
      modelInput: ${JSON.stringify(model('classifier.onnx'))},
      modelOutput: ${JSON.stringify(at('out/api.onnx'))},
      calibrationDataReader: datasetReader(${JSON.stringify(samples)}),
      runtime: '${runtime}',
    });
    process.exit(0);`;
  const script = at('program.mjs');
  fs.writeFileSync(script, program);
  return [[...command, '-o', at('out/a.onnx'), '--calibrate_dataset', samples], [script]];
}

for (const runtime of ['node', 'web']) {
  test(`runtime ${runtime}: home and temporary folder are as they were`, () => {
    const { at, env } = place();
    for (const args of commands(at, runtime)) {
      const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    }
    assert.deepEqual(listed(at('home')), []);
    assert.deepEqual(listed(at('tmp')), []);
    assert.deepEqual(listed(at('out')).sort(), ['a.onnx', 'api.onnx']);
  });
}

/** Whether this process may trace another. */
function canTrace(): boolean {
  return strace !== undefined && spawnSync(strace, ['-f', '-o', '/dev/null', 'true']).status === 0;
}

test('no socket to a network is opened, no file outside the output folder is written', {
  skip: !canTrace() && 'strace is missing, or tracing is not allowed here',
}, () => {
  const { folder, at, env } = place();
  const log = at('trace');
  for (const args of commands(at, 'node')) {
    const calls =
      'trace=socket,connect,sendto,open,openat,creat,rename,renameat,renameat2,mkdir,mkdirat';
    const traced = ['-f', '-qq', '-o', log, '-e', calls, process.execPath, ...args];
    const { status, stderr } = spawnSync(strace!, traced, { env, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const lines = fs.readFileSync(log, 'utf8').split('\n');
    assert.ok(lines.length > 100, 'it was traced');
    assert.deepEqual(
      lines.filter((line) => /AF_INET|AF_NETLINK|AF_PACKET/.test(line)),
      [],
    );
    const written = lines.filter(
      (line) => /O_CREAT|O_WRONLY|O_RDWR|creat\(|mkdir|rename/.test(line) && !/ = -1 /.test(line),
    );
    const outside = written.filter(
      (line) => !line.includes(`${folder}/out/`) && !/"\/(dev|proc|sys)\//.test(line),
    );
    assert.deepEqual(outside, []);
  }
});

test('a worker of a program that never imported the library does not load a runtime that reports', async () => {
  const script = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(new URL('../../../dist/platform/node.js', import.meta.url).href)})
      .then(({ nodePlatform }) => nodePlatform.loadRuntime({ kind: 'node' }))
      .then(() => parentPort.postMessage('loaded'), ({ code, message }) => parentPort.postMessage(code + ': ' + message));`;
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
  const worker = new Worker(script, { eval: true, env });
  const answer = await new Promise((resolve, reject) => {
    worker.on('message', resolve);
    worker.on('error', reject);
  });
  await worker.terminate();
  assert.match(String(answer), /^RUNTIME_NOT_AVAILABLE: .*would report/);
});
