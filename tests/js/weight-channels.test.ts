// The ends of the channels of a quantized weight, found for a node of the quantized model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GraphNode } from '#dist/base/types.js';
import type { QuantizedTensor } from '#dist/core/probes.js';
import { weightChannels } from '#dist/diagnosis/weight-channels.js';

/** A model with one node that reads a quantized weight of these integers. */
function model(
  opType: string,
  dims: number[],
  integers: number[],
  more: Partial<QuantizedTensor> = {},
  initializers: Record<string, number[]> = {},
) {
  const node: GraphNode = {
    name: 'node',
    opType,
    domain: '',
    inputs: ['x', 'w_dequantized', ...Object.keys(initializers)],
    outputs: ['y'],
  };
  const weight: QuantizedTensor = {
    name: 'w',
    before: '',
    quantized: 'w_quantized',
    after: 'w_dequantized',
    constant: true,
    type: 'int8',
    scales: [0.5],
    scaleDims: [],
    zeroPoints: [0],
    axis: 1,
    ...more,
  };
  return {
    structure: {
      nodes: [node],
      tensors: {},
      initializers: { w_quantized: dims, ...initializers },
      opset: 13,
      hasExternalData: false,
    },
    quantized: [weight],
    constant: (name: string) => (name === 'w_quantized' ? Float32Array.from(integers) : null),
  };
}

test('channels of a Conv are rows, with one scale or with one each', () => {
  const dims = [2, 1, 1, 3];
  const integers = [-4, 0, 2, 1, 2, 3];
  assert.deepEqual(weightChannels(model('Conv', dims, integers), 'node'), {
    tensor: 'w',
    lowest: [-2, 0.5],
    highest: [1, 1.5],
    perChannel: false,
  });
  const own = { scales: [0.5, 2], zeroPoints: [0, 1], axis: 0 };
  assert.deepEqual(weightChannels(model('Conv', dims, integers, own), 'node'), {
    tensor: 'w',
    lowest: [-2, 0],
    highest: [1, 4],
    perChannel: true,
  });
});

test('channels of a MatMul are columns; of a Gemm as its bias has them', () => {
  const integers = [1, 2, 3, 4, 5, 6];
  const columns = { lowest: [0.5, 1, 1.5], highest: [2, 2.5, 3] };
  const rows = { lowest: [0.5, 2], highest: [1.5, 3] };
  const ends = (opType: string, bias?: number) => {
    const given = bias === undefined ? {} : { bias: [bias] };
    const { lowest, highest } = weightChannels(model(opType, [2, 3], integers, {}, given), 'node')!;
    return { lowest, highest };
  };
  assert.deepEqual(ends('MatMul'), columns);
  assert.deepEqual(ends('QLinearMatMul'), columns);
  assert.deepEqual(ends('Gemm', 3), columns);
  assert.deepEqual(ends('Gemm', 2), rows);
  assert.deepEqual(ends('Gemm'), rows);
});

test('an axis that counts from the end is the same', () => {
  const own = { scales: [1, 2], zeroPoints: [0, 0], axis: -1 };
  const channels = weightChannels(model('MatMul', [2, 2], [1, 2, 3, 4], own), 'node');
  assert.deepEqual(channels?.highest, [3, 8]);
});

test('what has no quantized weight, or one in blocks, has no channels to show', () => {
  assert.equal(weightChannels(model('Conv', [2, 1, 1, 1], [1, 2]), 'other'), null);
  assert.equal(weightChannels(model('Conv', [2], [1, 2]), 'node'), null);
  assert.equal(weightChannels(model('Conv', [2, 1], [1, 2], { constant: false }), 'node'), null);
  const blocks = { scales: [1, 2, 3], zeroPoints: [0, 0, 0], axis: 0 };
  assert.equal(weightChannels(model('MatMul', [2, 2], [1, 2, 3, 4], blocks), 'node'), null);
});
