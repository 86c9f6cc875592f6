import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromFloat16 } from '#dist/base/float16.js';
import {
  addNoise,
  areScores,
  classCount,
  floatValues,
  noSums,
  signalToNoise,
  topClasses,
} from '#dist/verify/metrics.js';

function ratio(x: number[], y: number[]): number {
  const sums = noSums();
  addNoise(sums, x, y);
  return signalToNoise(sums);
}

test('SQNR is 20 log10(norm(x) / norm(x - y))', () => {
  assert.ok(Math.abs(ratio([3, 4], [3, 4.5]) - 20) < 1e-12); // 5 / 0.5
  assert.ok(Math.abs(ratio([1, 0], [0, 1]) - 20 * Math.log10(Math.SQRT1_2)) < 1e-12);
});

test('equal outputs give a finite ratio, broken ones minus infinity', () => {
  assert.ok(ratio([1, 2], [1, 2]) > 300);
  assert.equal(ratio([1, 2], [1, Number.NaN]), Number.NEGATIVE_INFINITY);
  assert.ok(ratio([1, Number.NaN], [1, 5]) > 300); // already broken in float: not the quantizer's
});

test('samples add up as if they were one', () => {
  const sums = noSums();
  addNoise(sums, [3], [3]);
  addNoise(sums, [4], [4.5]);
  assert.equal(signalToNoise(sums), ratio([3, 4], [3, 4.5]));
  assert.throws(() => addNoise(sums, [1], [1, 2]), RangeError);
});

test('class scores are rows of at least two values', () => {
  assert.equal(classCount([1, 1000]), 1000);
  assert.equal(classCount([4, 10, 1, 1]), 10);
  for (const dims of [[1000], [1, 1], [1, 1, 5], [1, 768, 1], [1, 3, 224, 224], [0, 10], []]) {
    assert.equal(classCount(dims), null, `${dims}`);
  }
});

test('scores are probabilities, or logits with one winner; not what a regression gives', () => {
  const noise = (seed: number, length: number) =>
    Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 2);
  const rows = [1, 2, 3, 4, 5];
  assert.ok(
    areScores([
      [0.1, 0.7, 0.2],
      [0.5, 0.5, 0],
    ]),
  );
  assert.ok(areScores(rows.map((seed) => [...noise(seed, 99), 9])));
  assert.ok(areScores(rows.map((seed) => [seed, -seed])));
  assert.ok(!areScores(rows.map((seed) => noise(seed, 128))), 'an embedding');
  assert.ok(!areScores(rows.map(() => [0.2, 0.4, 0.41, 0.8, 0.81, 0.79])), 'landmarks');
  assert.ok(!areScores([[3, 3, 3]]));
});

test('top classes by row, the first of equal ones', () => {
  assert.deepEqual(topClasses([1, 3, 2, 5, 5, 0], 3), [1, 0]);
});

test('float16 outputs are read from their bits', () => {
  const cases: [number, number][] = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x3555, 0.333251953125],
    [0xfc00, Number.NEGATIVE_INFINITY],
  ];
  for (const [bits, value] of cases) assert.equal(fromFloat16(bits), value);
  assert.ok(Number.isNaN(fromFloat16(0x7e00)));
  const data = Uint16Array.of(0x3c00, 0xc000);
  const values = floatValues({ type: 'float16', dims: [2], data });
  assert.deepEqual(Array.from(values ?? []), [1, -2]);
  assert.equal(floatValues({ type: 'int32', dims: [1], data: Int32Array.of(1) }), null);
});
