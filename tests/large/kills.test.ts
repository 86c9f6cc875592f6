// The whole command, killed 200 times: `npm run test:large -- kills`, some minutes. The writing
// alone, at every call of the file system, is in tests/js/file-sink.test.ts.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const kills = 200;
const root = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'onnx-ptq-kills-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

const digits = join(root, 'examples/digits');
copyFileSync(join(digits, 'model/digits-mobilenetv2.onnx'), at('float.onnx'));

/** Two commands whose pairs of model and data differ; they take turns at one place. */
const command = (weightType: string) => [
  ...[join(root, 'dist/node/cli.js'), '-q', '-i', at('float.onnx'), '-o', at('m.onnx')],
  ...['--calibrate_dataset', join(digits, 'images/calib'), '--use_external_data_format'],
  ...['--weight_type', weightType, '--effort', 'none'],
];
const commands = ['QInt8', 'QUInt8'].map(command) as [string[], string[]];

const digest = (name: string) =>
  createHash('sha256')
    .update(readFileSync(at(name)))
    .digest('hex');
const pair = () => `${digest('m.onnx')} ${digest('m.onnx.data')}`;
const given = digest('float.onnx');

test(`${kills} kills of the command: a whole pair or no model, the input as it was, nothing left`, async (t) => {
  let longest = 0;
  const whole = commands.map((argv) => {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
    longest = Math.max(longest, performance.now() - start);
    assert.equal(status, 0, stderr);
    return pair();
  });
  assert.notEqual(whole[0], whole[1]);

  const ends = { killed: 0, done: 0, noModel: 0 };
  for (let i = 0; i < kills; ) {
    const child = spawn(process.execPath, commands[i % 2]!, { stdio: 'ignore' });
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      child.on('close', (_, signal) => resolve(signal)),
    );
    // From the start to past the end, most of them where files are written: in the last fifth.
    const share = i % 4 === 0 ? (i / kills) * 0.8 : 0.8 + 0.25 * ((i * 0.618) % 1);
    const timer = setTimeout(() => child.kill('SIGKILL'), share * longest);
    const signal = await ended;
    clearTimeout(timer);
    if (signal === null) {
      ends.done++;
      longest *= 0.995; // the machine is quicker now: kill earlier
    } else {
      ends.killed++;
      i++;
    }
    assert.equal(digest('float.onnx'), given);
    if (existsSync(at('m.onnx'))) assert.ok(whole.includes(pair()), `kill ${i}`);
    else ends.noModel++;
  }
  assert.equal(spawnSync(process.execPath, commands[0]).status, 0);
  assert.equal(pair(), whole[0]);
  assert.deepEqual(readdirSync(folder).sort(), ['float.onnx', 'm.onnx', 'm.onnx.data']);
  t.diagnostic(JSON.stringify(ends));
});
