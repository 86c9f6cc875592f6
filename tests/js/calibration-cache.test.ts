// Fixtures were written by the reference (tests/fixtures/make_cache_fixture.py).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { QuantizeError } from '#dist/base/errors.js';
import {
  formatCalibrationCache,
  parseCalibrationCache,
  pythonFloat,
} from '#dist/calibration/files/calibration-cache.js';

const read = (name: string) => fs.readFileSync(`tests/fixtures/${name}`, 'utf8');

test('reads the ranges that the reference wrote', () => {
  const cache = parseCalibrationCache(read('calibration_cache.json'), 'cache');
  assert.equal(cache.method, 'MinMax');
  assert.equal(cache.smoothQuant, false);
  assert.deepEqual(cache.ranges['conv/output:0'], [Math.fround(-0.1), 6]);
  assert.deepEqual(cache.ranges.huge, [Math.fround(-3e20), Math.fround(1e16)]);
  assert.equal(Object.keys(cache.ranges).length, 7);
});

test('writes the same bytes as the reference', () => {
  const text = read('calibration_cache.json');
  assert.equal(formatCalibrationCache(parseCalibrationCache(text, 'cache')), text);
});

test('reads ranges that were plain numbers', () => {
  assert.deepEqual(
    parseCalibrationCache(read('calibration_cache_scalars.json'), 'cache').ranges,
    parseCalibrationCache(read('calibration_cache.json'), 'cache').ranges,
  );
});

test('floats look as Python writes them', () => {
  const expected: [number, string][] = [
    [1, '1.0'],
    [-0, '-0.0'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [1e15, '1000000000000000.0'],
    [1e16, '1e+16'],
    [-2.5e300, '-2.5e+300'],
  ];
  for (const [value, text] of expected) assert.equal(pythonFloat(value), text);
});

test('a missing smooth_quant counts as false, other methods are read', () => {
  const text = read('calibration_cache.json')
    .replace(', "smooth_quant": false', '')
    .replace('CalibrationMethod.MinMax', 'CalibrationMethod.Entropy');
  const cache = parseCalibrationCache(text, 'cache');
  assert.equal(cache.smoothQuant, false);
  assert.equal(cache.method, 'Entropy');
});

test('what is no cache is refused with the reason', () => {
  const cases: [string, RegExp][] = [
    ['', /not a JSON file/],
    ['[]', /not a calibration cache/],
    ['{"CLS": "TensorsData", "data": {"x": {"lowest": [1, 2], "highest": 3}}}', /tensor "x"/],
    ['{"CLS": "TensorsData", "data": {"x": {"lowest": NaN, "highest": 3}}}', /not finite/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseCalibrationCache(text, 'c.json'),
      (error) =>
        error instanceof QuantizeError &&
        error.code === 'INVALID_CACHE' &&
        error.message.startsWith('c.json: ') &&
        message.test(error.message),
    );
  }
});
