// dump_passes and disabled_passes, through the command.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { command, imageFolder, model, temporaryFolder } from './support/pipeline.js';

const input = model('classifier.onnx');

test('preprocess shows what each pass did, and again into the same folder', async () => {
  const folder = temporaryFolder();
  const dump = path.join(folder, 'passes');
  const argv = ['preprocess', '-i', model('ir3.onnx'), '-o', path.join(folder, 'out.onnx')];
  const first = await command([...argv, '--dump_passes', dump]);
  assert.equal(first.code, 0, first.err);
  const names = fs.readdirSync(dump).sort();
  assert.equal(names[0], '00_original.txt');
  assert.equal(names.at(-1), 'summary.txt');
  const summary = fs.readFileSync(path.join(dump, 'summary.txt'), 'utf8');
  for (const name of names.slice(1, -1)) {
    const [, pass] = /^\d\d_([a-z_]+)\.txt$/.exec(name) ?? assert.fail(name);
    assert.ok(summary.includes(`${pass}, round `), `${pass} in the summary`);
    assert.match(fs.readFileSync(path.join(dump, name), 'utf8'), /ir_version/);
  }
  const second = await command([...argv, '--dump_passes', dump, '--skip_optimization']);
  assert.equal(second.code, 0, second.err);
  const left = fs.readdirSync(dump).filter((name) => /inline|eliminate|extract|drop/.test(name));
  assert.deepEqual(left, [], 'the files of the older dump are gone');
});

test('a folder with other files is refused before any work', async () => {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'mine.txt'), 'keep me');
  const target = path.join(folder, 'out', 'out.onnx');
  fs.mkdirSync(path.dirname(target));
  const { code, err } = await command([
    'preprocess',
    '-i',
    input,
    '-o',
    target,
    '--dump_passes',
    folder,
  ]);
  assert.equal(code, 2);
  assert.match(err, /dump_passes.*other files/);
  assert.deepEqual(fs.readdirSync(path.dirname(target)), []);
});

test('quantize_static dumps too, and leaves out the passes that are named', async () => {
  const folder = temporaryFolder();
  const dump = path.join(folder, 'passes');
  const target = path.join(folder, 'out.onnx');
  const images = imageFolder('rgb.png');
  const argv = ['-i', input, '-o', target, '--calibrate_dataset', images, '--json'];
  const without = ['--disable_passes', 'fold_batch_norm,eliminate_identity'];
  const { code, out, err } = await command([...argv, ...without, '--dump_passes', dump]);
  assert.equal(code, 0, err);
  const { passes } = JSON.parse(out) as { passes: { name: string }[] };
  assert.ok(passes.every(({ name }) => !without[1]?.includes(name)));
  assert.ok(fs.existsSync(path.join(dump, 'summary.txt')) || passes.length === 0);
});

test('a pass that does not exist is refused with what is near', async () => {
  const target = path.join(temporaryFolder(), 'out.onnx');
  for (const argv of [['preprocess'], ['--calibrate_dataset', imageFolder('rgb.png')]]) {
    const { code, err } = await command([
      ...argv,
      ...['-i', input, '-o', target, '--disable_passes', 'fold_batchnorm'],
    ]);
    assert.equal(code, 2);
    assert.match(err, /no pass "fold_batchnorm"/);
    assert.match(err, /did you mean "fold_batch_norm"/);
  }
  assert.deepEqual(fs.readdirSync(path.dirname(target)), []);
});

test('disabled_passes without passes is refused', async () => {
  const target = path.join(temporaryFolder(), 'out.onnx');
  const argv = ['-i', input, '-o', target, '--disable_passes', 'fold_constants'];
  const { code, err } = await command(['preprocess', ...argv, '--skip_optimization']);
  assert.equal(code, 2);
  assert.match(err, /no effect with skip_optimization/);
});
