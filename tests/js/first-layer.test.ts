// What the first layer tells: divergence from the statistics of training, biases beside sums.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { biasRatio, channelSums, divergence } from '#dist/evidence/first-layer.js';
import { noise } from './support/pipeline.js';

/** A tensor [1,2,50]: channel c has about this mean and deviation. */
function tensor(seed: number, mean: number[], deviation: number[]) {
  const values = noise(100, seed).map((value, i) => {
    const channel = i < 50 ? 0 : 1;
    return mean[channel]! + deviation[channel]! * value;
  });
  return { dims: [1, 2, 50], values };
}

test('sums are by channel, over the batch', () => {
  const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const { count, sum, squares } = channelSums({ dims: [2, 2, 2], values });
  assert.equal(count, 4);
  assert.deepEqual([...sum], [1 + 2 + 5 + 6, 3 + 4 + 7 + 8]);
  assert.deepEqual([...squares], [1 + 4 + 25 + 36, 9 + 16 + 49 + 64]);
});

test('samples with the statistics of training are no distance away', () => {
  const pictures = [1, 2, 3].map((seed) => channelSums(tensor(seed, [5, -1], [2, 0.5])));
  const total = (of: 'sum' | 'squares', c: number) =>
    pictures.reduce((sum, picture) => sum + picture[of][c]!, 0) / 150;
  const mean = [0, 1].map((c) => total('sum', c));
  const variance = [0, 1].map((c) => total('squares', c) - mean[c]! ** 2);
  assert.ok(divergence(pictures, { mean, variance }, null) < 1e-9);
  const larger = variance.map((value) => 100 * value);
  assert.ok(divergence(pictures, { mean, variance: larger }, null) > 1);
  assert.ok(divergence(pictures, { mean: [50, 50], variance }, null) > 1);
});

test('a picture that is left out does not count', () => {
  const pictures = [
    [0, 0],
    [0, 0],
    [90, 90],
  ].map((mean, i) => channelSums(tensor(i + 1, mean, [1, 1])));
  const trained = { mean: [0, 0], variance: [0.33, 0.33] };
  assert.ok(divergence(pictures, trained, 2) < 0.2);
  assert.ok(divergence(pictures, trained, 0) > 1);
});

test('channels that never varied in training say nothing', () => {
  const pictures = [channelSums(tensor(1, [0, 3], [1, 1]))];
  const { sum, squares, count } = pictures[0]!;
  const mean = [sum[0]! / count, 0];
  const variance = [squares[0]! / count - mean[0]! ** 2, 1e-9];
  assert.ok(divergence(pictures, { mean, variance }, null) < 1e-9);
});

test('biases are compared with how much their sums vary', () => {
  const pictures = [channelSums(tensor(1, [0, 0], [1, 1]))];
  const ratio = biasRatio(pictures, [1, -1]);
  assert.ok(Math.abs(biasRatio(pictures, [10, -10]) / ratio - 10) < 1e-9);
  const wide = [channelSums(tensor(1, [0, 0], [100, 100]))];
  assert.ok(Math.abs((biasRatio(wide, [1, -1]) * 100) / ratio - 1) < 1e-4);
});
