// Causes that need a processor or a model that tests do not have: told from what was measured.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCause, type LayerFacts } from '#dist/diagnosis/causes.js';
import { Moments } from '#dist/diagnosis/moments.js';
import { TensorFacts } from '#dist/diagnosis/tensor-facts.js';

const tensor = {
  name: 't',
  before: 't',
  quantized: 't_q',
  after: 't_dq',
  constant: false,
  type: 'uint8',
  scales: [0.1],
  scaleDims: [],
  zeroPoints: [0],
  axis: 1,
};
const matched = { name: 't', probed: 't', quantized: tensor };
const facts: LayerFacts = {
  layer: {
    node: { name: 'n', opType: 'Conv', domain: '', inputs: [], outputs: [] },
    output: matched,
    reads: [],
    weights: [],
    isQuantized: true,
  },
  tensors: [],
  reads: [],
  weights: [],
  meanShift: null,
  saturated: 0,
  readers: () => [],
};

test('saturation is the cause where it makes most of the noise', () => {
  assert.equal(findCause({ ...facts, saturated: 0.6 })?.code, 'SATURATION');
  assert.equal(findCause({ ...facts, saturated: 0.4 }), null);
});

test('a shift of means is the cause where it makes a third of the noise', () => {
  assert.equal(findCause({ ...facts, meanShift: 0.4 })?.code, 'SHIFTED_MEAN');
  assert.equal(findCause({ ...facts, meanShift: 0.2 }), null);
});

test('what a divisor makes of small values counts, what is divided does not', () => {
  const small = new TensorFacts(tensor);
  small.add([4], [0.01, 0.02, 5, 9]);
  assert.equal(small.vanished, 2);
  const div = (inputs: string[]) => ({
    ...facts,
    tensors: [small],
    readers: () => [{ name: 'div', opType: 'Div', domain: '', inputs, outputs: ['y'] }],
  });
  assert.equal(findCause(div(['a', 't']))?.code, 'FRONT_END');
  assert.equal(findCause(div(['t', 'a'])), null);
});

test('moments: signal, noise and the mean of channels', () => {
  const sums = new Moments();
  sums.add([1, 2, 1, 2], [1, 2, 3, 4], [1.5, 2.5, 2, 4.5]);
  assert.equal(sums.signal, 30);
  assert.equal(sums.noise, 0.25 + 0.25 + 1 + 0.25);
  // Channel 0 is shifted by 0.5 twice; channel 1 by -0.25 on the mean.
  assert.ok(Math.abs(sums.meanShift! - (0.5 + 0.125) / 1.75) < 1e-12);
  sums.add([1, 2, 1, 2], [1, Number.NaN, 3, 4], [1, 2, 3, 4]);
  assert.ok(Number.isFinite(sums.sqnr)); // what is NaN in float is left out
  sums.add([1, 2, 1, 2], [1, 2, 3, 4], [1, 2, Number.NaN, 4]);
  assert.equal(sums.sqnr, Number.NEGATIVE_INFINITY);
});

test('quantiles are within half an octave, and gaps are seen', () => {
  const values = new TensorFacts(tensor);
  values.add(
    [1000],
    Float32Array.from({ length: 1000 }, (_, i) => (i === 7 ? 1e6 : (i % 10) / 10)),
  );
  assert.ok(values.quantile(0.9) >= 0.8 && values.quantile(0.9) <= 1.5);
  assert.equal(values.quantile(1), 1e6);
  assert.ok(values.hasGap(1e4, 1e6));
  assert.ok(!values.hasGap(0.1, 1e6));
});
