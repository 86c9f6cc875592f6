// examples/ray-calibration on a Ray cluster that is started here, on the loopback address. Ray is a
// large package: the Python that has it is named by PTQ_RAY_PYTHON, or is the venv that `npm test`
// makes where CI is set (tools/lib/ray.mjs).
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { command, model, temporaryFolder } from './support/pipeline.js';

const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
const python = process.env.PTQ_RAY_PYTHON ?? path.join(cache, 'onnx-ptq/ray-venv/bin/python');
const skip = fs.existsSync(python) ? false : `needs a Python with ray (${python})`;

/**
 * Loaded into onnx-ptq before it begins (node --import): when a shard reads its second image,
 * `fatal[image]` is killed, once.
 */
const killer = (marks: string, fatal: Record<string, 'worker' | 'program'>) => `
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
const { open } = promises;
promises.open = async (file, ...more) => {
  const victim = isMainThread && ${JSON.stringify(fatal)}[path.basename(String(file))];
  if (victim) {
    const mark = path.join(${JSON.stringify(marks)}, victim);
    let first = false;
    try {
      fs.writeFileSync(mark, '', { flag: 'wx' });
      first = true;
    } catch {}
    // The worker is Ray's, which has started this process.
    if (first && victim === 'worker') process.kill(process.ppid, 'SIGKILL');
    if (first) process.kill(process.pid, 'SIGKILL');
  }
  return open(file, ...more);
};
syncBuiltinESMExports();
`;

test('eight workers, two of them killed in the middle, give the bytes of one process', {
  skip,
}, async () => {
  const folder = temporaryFolder();
  const images = path.join(folder, 'images');
  fs.mkdirSync(images);
  const pictures = ['rgb.png', 'gray.png', 'palette.png', 'rgba.png'];
  for (let index = 0; index < 24; index++) {
    const picture = path.join('tests/fixtures/image', pictures[index % 4] as string);
    fs.copyFileSync(picture, path.join(images, `${String(index).padStart(2, '0')}.png`));
  }
  const at = (name: string) => path.join(folder, name);
  const method = 'Entropy'; // of two passes
  const common = ['--input_model', model('classifier.onnx'), '--calibrate_dataset', images];
  const whole = ['--calibrate_method', method, '--runtime', 'web', '--ranges', at('whole.json')];
  const one = await command(['calibrate', ...common, ...whole]);
  assert.equal(one.code, 0, one.err);
  const marks = at('killed');
  fs.mkdirSync(marks);
  // The second samples of the shards 3/8 and 5/8.
  fs.writeFileSync(at('killer.mjs'), killer(marks, { '11.png': 'worker', '13.png': 'program' }));
  const program = [
    process.execPath,
    '--import',
    at('killer.mjs'),
    path.resolve('dist/node/cli.js'),
  ];
  const argv = [
    ...['examples/ray-calibration/calibrate.py', model('classifier.onnx'), images],
    ...['--method', method, '--shards', '8', '--workers', '8', '--output', at('sharded.json')],
    ...['--command', program.join(' ')],
    ...['--', '--runtime', 'web'],
  ];
  // Ray keeps a token and logs in the folders, and would have its workers wait for all else.
  const env = { ...process.env, HOME: folder, RAY_TMPDIR: folder, RAY_worker_niceness: '0' };
  await promisify(execFile)(python, argv, { timeout: 600_000, env });
  assert.deepEqual(fs.readdirSync(marks).sort(), ['program', 'worker'], 'both were killed');
  assert.equal(
    fs.readFileSync(at('sharded.json'), 'utf8'),
    fs.readFileSync(at('whole.json'), 'utf8'),
  );
});
