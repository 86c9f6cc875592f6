// Names that come from outside: what steers a terminal, what is long, and what every object of
// JavaScript has already.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import { QuantizeError } from '#dist/base/errors.js';
import {
  formatCalibrationCache,
  parseCalibrationCache,
} from '#dist/calibration/files/calibration-cache.js';
import { describe, errorText, oneLine, printable } from '#dist/cli/error-text.js';
import { formatRanges, parseRanges } from '#dist/core/ranges.js';
import { datasetReader, npzReader } from '#dist/index.js';
import { copySample } from '#dist/samples/samples.js';
import { counting } from './support/npy.js';
import { command, imageFolder, model, temporaryFolder } from './support/pipeline.js';
import { all, fileOf, input, modelOf, refused } from './support/readers.js';

const evil = '\x1b]0;owned\x07\x1b[2J\u202egpj.exe\u2028\x9b31m\r\nerror: all is well';

test('what steers a terminal is printed as its code, on at most three lines', () => {
  const error = new QuantizeError('X', `bad "${evil}"`, {
    node: evil,
    tensor: `${evil}2`,
    hint: evil,
  });
  const text = errorText(error);
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Bidi_Control}\u2028]/u);
  assert.ok(text.trimEnd().split('\n').length <= 3, text);
  assert.match(text, /\\u001b\]0;owned/);
  assert.ok(!describe({ message: 'a', tensor: evil }).includes('\n'));
  assert.equal(printable('a\nb\tc'), 'a\nb\\u0009c');
  assert.match(errorText(new Error(evil)), /\\u001b/);
});

test('a long name is shortened in the middle, where no facts are', () => {
  const text = oneLine(`begin ${'x'.repeat(400_000)} end`);
  assert.ok(text.length <= 1200);
  assert.match(text, /^begin x+\.\.\.x+ end$/);
});

test('a file name of a sample, and a flag, cannot steer the terminal', async () => {
  const folder = imageFolder('rgb.png', 'gray.png');
  fs.writeFileSync(path.join(folder, '\x1b[2J.png'), 'text');
  const target = path.join(temporaryFolder(), 'o.onnx');
  const argv = ['-i', model('classifier.onnx'), '-o', target, '--calibrate_dataset', folder];
  for (const args of [
    argv,
    [...argv, '--\x1b[2J'],
    [...argv, '--strict'],
    [`x${'y'.repeat(1e5)}`],
  ]) {
    const { out, err } = await command(args);
    assert.ok(!out.includes('\x1b') && !err.includes('\x1b'), out + err);
    assert.ok(err.length < 4000);
  }
});

test('__proto__ and constructor are keys as any other: unknown', async () => {
  for (const words of [['__proto__=5'], ['{"__proto__": 5}'], ['constructor=1'], ['toString=1']]) {
    const { code, err } = await command(['-i', 'a', '-o', 'b', '--extra_options', ...words]);
    assert.equal(code, 2, err);
    assert.match(err, /unknown extra option "(__proto__|constructor|toString)"/);
  }
});

const names = ['__proto__', 'constructor', 'toString'];

test('tensors of any name keep their ranges', () => {
  const entries = names.map((name, i): [string, [number, number]] => [name, [-i - 1, i + 1]]);
  const ranges = Object.fromEntries(entries);
  const text = formatCalibrationCache({ method: 'MinMax', smoothQuant: false, ranges });
  assert.deepEqual(Object.entries(parseCalibrationCache(text, 'c').ranges), entries);
  assert.deepEqual(Object.keys(parseRanges(formatRanges(ranges))), names);
});

test('inputs of any name are read, and one that is missing is missing', async () => {
  const inputs = modelOf(...names.map((name) => input(name, 'float32', ['N', 3])));
  const arrays = Object.fromEntries(names.map((name) => [`${name}.npy`, counting([1, 1, 3])]));
  const bytes = Object.fromEntries(Object.entries(arrays)) as Record<string, Uint8Array>;
  const file = fileOf('a.npz', zipSync(bytes));
  const [sample] = await all(npzReader(file), inputs);
  assert.deepEqual(Object.keys(sample!), names);
  assert.deepEqual(Object.keys(copySample(sample!)), names);
});

test('a .npy whose type is the name of a property is refused', async () => {
  const array = Buffer.from(counting([1, 3]));
  const text = array.toString('latin1').replace(/'<f4'(.*?) {8}/, "'constructor'$1");
  const damaged = Buffer.from(text, 'latin1');
  const x = modelOf(input('x', 'float32', ['N', 3]));
  await refused(
    () => datasetReader(fileOf('a.npy', damaged)),
    x,
    'INVALID_DATA',
    /its type constructor/,
  );
});

test('a cache that is nested as deep as it likes is refused, not a bug', async () => {
  const folder = temporaryFolder();
  const cache = path.join(folder, 'c.json');
  const deep = `${'['.repeat(100_000)}1${']'.repeat(100_000)}`;
  const array = `{"lowest": {"data": ${deep}}, "highest": ${deep}, "CLS": "TensorData"}`;
  for (const text of [deep, `{"CLS": "TensorsData", "data": {"x": ${array}}}`]) {
    fs.writeFileSync(cache, text);
    const { code, err } = await command([
      ...['-i', model('classifier.onnx'), '-o', path.join(folder, 'o.onnx')],
      ...['--calibration_cache_path', cache],
    ]);
    assert.ok(code > 0);
    assert.doesNotMatch(err, /a bug/);
  }
});

test('a cache that lacks one of the ranges is a warning that names the node', async () => {
  const folder = temporaryFolder();
  const cache = path.join(folder, 'c.json');
  const whole = JSON.parse(fs.readFileSync(model('classifier_ranges.json'), 'utf8'));
  delete whole.data.c2;
  fs.writeFileSync(cache, JSON.stringify(whole));
  const { code, err } = await command([
    ...['-i', model('classifier.onnx'), '-o', path.join(folder, 'o.onnx')],
    ...['--calibration_cache_path', cache],
  ]);
  assert.equal(code, 0, err);
  assert.match(err, /^warning: the calibration cache lacks ranges, and .*stayed float: .*c2/m);
});
