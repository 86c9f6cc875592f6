import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decibels,
  fallsBelow,
  logNoise,
  meanSignals,
  mends,
  pooledDecibels,
} from '#dist/effort/noise.js';

const float = (...values: number[]) => ({
  y: { type: 'float32', dims: [values.length], data: Float32Array.from(values) },
});

test('a tenth of noise in every value is 20 dB', () => {
  const noise = logNoise(float(1, -1), float(1.1, -1.1), { y: 2 });
  assert.ok(Math.abs(decibels([noise, noise]) - 20) < 0.01);
});

test('NaN is as much noise as there can be, and equal outputs as little', () => {
  assert.ok(logNoise(float(1, 2), float(1, Number.NaN), { y: 5 }) > 10);
  assert.ok(decibels([logNoise(float(1, 2), float(1, 2), { y: 5 })]) > 100);
});

test('all noise together is that of the worst samples', () => {
  const noises = [1, 1e-6, 1e-6, 1e-6].map(Math.log);
  assert.ok(Math.abs(pooledDecibels(noises) - 10 * Math.log10(4)) < 0.01);
  assert.ok(Math.abs(decibels(noises) - 45) < 0.01);
});

test('all samples together give the SQNR of all their values, however little one of them is', () => {
  const floats = [float(10, -10), float(10, 10), float(0.1, 0.1)];
  const quantized = [float(10.1, -10), float(10, 10.1), float(0.2, 0.1)];
  const signals = meanSignals(floats);
  const noises = floats.map((one, i) => logNoise(one, quantized[i]!, signals));
  assert.ok(Math.abs(pooledDecibels(noises) - 10 * Math.log10(400.02 / 0.03)) < 0.01);
});

test('an output of another size counts as lost', () => {
  assert.equal(decibels([logNoise(float(1, 2), float(1), { y: 5 })]), 0);
});

test('a gain counts if it is larger than its standard error', () => {
  const before = [-2, -3, -4, -5];
  assert.ok(
    fallsBelow(
      before.map((noise) => noise - 0.1),
      before,
    ),
  );
  // The same mean gain, by one sample alone.
  assert.ok(!fallsBelow([-2.4, -3, -4, -5], before));
  assert.ok(!fallsBelow(before, before));
  assert.ok(
    !fallsBelow(
      before.map((noise) => noise - 0.004),
      before,
    ),
    'less than half a percent',
  );
  // Samples without noise are left out; one alone must gain a decibel.
  const none = Math.log(1e-12);
  assert.ok(fallsBelow([-2.4, none, none], [-2, none, none]));
  assert.ok(!fallsBelow([-2.2, none, none], [-2, none, none]));
  assert.ok(!fallsBelow([-2.4, none, -2], [-2, none, none]), 'worse in another');
  // By one standard error and a half.
  const falls = [0.1, -0.02, 0.1, -0.02];
  const after = before.map((noise, i) => noise - falls[i]!);
  assert.ok(fallsBelow(after, before));
  assert.ok(!fallsBelow(after, before, 2));
});

test('what is clipped in one sample may be mended in that one alone, without harm to others', () => {
  const before = [-1, -6, -6, -7];
  assert.ok(!fallsBelow([-5, -6, -6, -7], before), 'never more than one standard error');
  assert.ok(mends([-5, -6, -6, -7], before));
  assert.ok(mends([-5, -6, -6, -6.5], before), 'worse, and less than the mean of what is left');
  assert.ok(!mends([-5, -4, -6, -7], before), 'worse, and more than that');
  assert.ok(!mends([-1.2, -6, -6, -7], before), 'less than a decibel');
});
