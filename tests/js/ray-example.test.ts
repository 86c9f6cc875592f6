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
import { command, imageFolder, model, temporaryFolder } from './support/pipeline.js';

const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
const python = process.env.PTQ_RAY_PYTHON ?? path.join(cache, 'onnx-ptq/ray-venv/bin/python');
const skip = fs.existsSync(python) ? false : `needs a Python with ray (${python})`;

test('three shards on a local Ray cluster give the bytes of one run', { skip }, async () => {
  const folder = temporaryFolder();
  const images = imageFolder('rgb.png', 'gray.png', 'palette.png', 'rgba.png');
  const at = (name: string) => path.join(folder, name);
  for (const method of ['MSE', 'Percentile']) {
    const common = ['--input_model', model('classifier.onnx'), '--calibrate_dataset', images];
    const whole = ['--calibrate_method', method, '--runtime', 'web', '--ranges', at('whole.json')];
    const one = await command(['calibrate', ...common, ...whole]);
    assert.equal(one.code, 0, one.err);
    const argv = [
      ...['examples/ray-calibration/calibrate.py', model('classifier.onnx'), images],
      ...['--method', method, '--shards', '3', '--output', at('sharded.json')],
      ...['--command', `${process.execPath} ${path.resolve('dist/cli/main.js')}`],
      ...['--', '--runtime', 'web'],
    ];
    // Ray keeps a token and logs in these.
    const env = { ...process.env, HOME: folder, RAY_TMPDIR: folder };
    await promisify(execFile)(python, argv, { timeout: 240_000, env });
    assert.equal(
      fs.readFileSync(at('sharded.json'), 'utf8'),
      fs.readFileSync(at('whole.json'), 'utf8'),
    );
  }
});
