// Ranges in the formats of other tools, beside what the reference writes
// (tests/fixtures/make_calibration_table_fixtures.py).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { TensorRanges } from '#dist/base/types.js';
import { calibrationTables } from '#dist/calibration/files/calibration-tables.js';
import { readRanges } from '#dist/calibration/files/read-ranges.js';
import { tensorRtCache } from '#dist/calibration/files/tensorrt-cache.js';

const folder = 'tests/fixtures/calibration/tables';
const text = (name: string) => readFileSync(`${folder}/${name}`, 'utf8');
const ranges: TensorRanges = JSON.parse(text('ranges.json'));

test('calibration.json is the reference’s', () => {
  assert.equal(calibrationTables(ranges)['calibration.json'], text('calibration.json'));
});

test('calibration.cache and .flatbuffers are the reference’s, given magnitudes', () => {
  const tables = calibrationTables(ranges);
  assert.equal(tables['calibration.cache'], text('magnitudes/calibration.cache'));
  const expected = readFileSync(`${folder}/magnitudes/calibration.flatbuffers`);
  assert.deepEqual(Buffer.from(tables['calibration.flatbuffers']), expected);
});

test('D15: only where a range lies lower than it is high does the table differ from the reference’s', () => {
  const own = calibrationTables(ranges)['calibration.cache'].split('\n');
  const reference = text('calibration.cache').split('\n');
  const differ = own.filter((line, i) => line !== reference[i]).map((line) => line.split(' ')[0]);
  assert.deepEqual(differ, ['integers', 'negative']);
});

test('calibration.json is read back', () => {
  const cache = readRanges(text('calibration.json'), 'calibration.json');
  assert.equal(cache.method, null);
  assert.deepEqual(cache.ranges, ranges);
});

test('TensorRT’s cache holds the bits of absmax / 127, and is read as a symmetric range', () => {
  const cache = tensorRtCache({ 'conv:0': [-127, 63.5], relu: [0, 6] }, 'Entropy');
  const scale = Buffer.alloc(4);
  scale.writeFloatBE(6 / 127);
  assert.equal(
    cache,
    `TRT-8601-EntropyCalibration2\nconv:0: 3f800000\nrelu: ${scale.toString('hex')}\n`,
  );
  const end = Math.fround(scale.readFloatBE() * 127);
  assert.deepEqual(readRanges(cache, 'trt').ranges, { 'conv:0': [-127, 127], relu: [-end, end] });
});

test('a damaged line of TensorRT’s cache is named', () => {
  assert.throws(() => readRanges('TRT-8601-MinMaxCalibration\na: 3f800000\nb: xyz\n', 'trt'), {
    code: 'INVALID_CACHE',
    message: /trt, line 3/,
  });
});

test('caches of all four methods of the reference are read, and of ranges by channel the widest', () => {
  for (const method of ['MinMax', 'Entropy', 'Percentile', 'Distribution']) {
    const cache = readRanges(text(`cache_${method}.json`), method);
    assert.equal(cache.method, method);
    const moments = method === 'Distribution' ? [0.5, 0.25] : [];
    assert.deepEqual(cache.ranges, { t: [-1, 1, ...moments] });
  }
  assert.deepEqual(readRanges(text('cache_channels.json'), 'channels').ranges, { t: [-3, 4] });
});
