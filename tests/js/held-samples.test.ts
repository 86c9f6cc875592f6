import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldSamples, heldOutOf } from '#dist/calibration/held-samples.js';
import { KeptSamples } from '#dist/calibration/kept-samples.js';
import { usuallyHeld } from '#dist/options/defaults.js';

const indices = (total: number | undefined, of: number, inRanges = false) => {
  const held = new HeldSamples(total, usuallyHeld, inRanges);
  return Array.from({ length: of }, (_, index) => index).filter((index) => held.wants(index));
};

test('a third is held out, or all but sixteen, sixteen at most, spread over all samples', () => {
  assert.deepEqual(indices(24, 24), [1, 4, 7, 10, 13, 16, 19, 22]);
  assert.deepEqual(indices(6, 6), [1, 4]);
  assert.equal(indices(100, 100).length, 16);
  for (let total = 6; total < 60; total++) {
    const most = Math.max(Math.floor(total / 3), total - 16);
    assert.equal(indices(total, total).length, Math.min(16, most), `of ${total}`);
    assert.deepEqual(heldOutOf(total, usuallyHeld), indices(total, total));
    assert.ok(!new HeldSamples(total, usuallyHeld, false).wants(0)); // it tells the shapes
  }
});

test('half are set aside where ranges are made from them all the same', () => {
  assert.deepEqual(indices(4, 4, true), [1, 3]);
  assert.deepEqual(indices(24, 24, true).length, 12);
  assert.deepEqual(indices(3, 10, true), []);
  assert.deepEqual(indices(undefined, 6, true), [1, 3, 5]);
  for (let total = 4; total < 60; total++) assert.ok(!indices(total, total, true).includes(0));
});

test('of fewer than six none is held out', () => {
  for (const total of [0, 1, 5]) assert.deepEqual(indices(total, 10), []);
});

test('of samples without a known end every third is held out, sixteen at most', () => {
  const thirds = Array.from({ length: 16 }, (_, i) => 3 * i + 2);
  assert.deepEqual(indices(undefined, 100), thirds);
});

test('what is kept for verification is kept once, however many passes offer it', () => {
  for (const total of [5, 40, undefined]) {
    const kept = new KeptSamples(total);
    for (const end of [3, total ?? 40, total ?? 40]) {
      for (let index = 0; index < end; index++) {
        kept.offer({ x: { type: 'float32', dims: [1], data: Float32Array.of(index) } }, index);
      }
    }
    const numbers = kept.samples.map(({ x }) => x!.data[0]);
    const spread = [0, 5, 10, 15, 20, 25, 30, 35];
    assert.deepEqual(numbers, total === 40 ? spread : [0, 1, 2, 3, 4, 5, 6, 7].slice(0, total));
  }
});

test('what is kept is a copy, kept once, in the order of the samples', () => {
  const held = new HeldSamples(24, usuallyHeld, false);
  const data = Float32Array.of(1);
  held.keep({ x: { type: 'float32', dims: [1], data: Float32Array.of(4) } }, 4);
  held.keep({ x: { type: 'float32', dims: [1], data } }, 1);
  held.keep({ x: { type: 'float32', dims: [1], data } }, 1);
  data[0] = 9;
  assert.deepEqual(
    held.samples.map(({ x }) => x!.data[0]),
    [1, 4],
  );
});
