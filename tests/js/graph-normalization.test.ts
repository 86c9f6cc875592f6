// Nodes that normalize at the beginning of a graph leave the candidates that they were made for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fittingCandidates } from '#dist/evidence/graph-normalization.js';
import { candidatesFor } from '#dist/samples/images/candidates.js';

const colour = candidatesFor({}, 3, 'float32');
const left = (scale: number[], offset: number[], candidates = colour) =>
  fittingCandidates({ scale, offset, opTypes: ['Mul', 'Add'] }, candidates).map(
    ({ option }) => option,
  );

test('x / 255 and x / 127.5 - 1 in the graph want pixels', () => {
  const pixels = ['zero-to-255', 'zero-to-255 order=BGR'];
  assert.deepEqual(left([1 / 255], [0]), pixels);
  assert.deepEqual(left([1 / 127.5], [-1]), pixels);
});

test('2x - 1 in the graph wants 0 to 1', () => {
  assert.deepEqual(left([2], [-1]), ['zero-to-one', 'zero-to-one order=BGR']);
});

test('mean and deviation of ImageNet tell the order of the channels, too', () => {
  const mean = [0.485, 0.456, 0.406];
  const std = [0.229, 0.224, 0.225];
  const scale = std.map((value) => 1 / value);
  const offset = mean.map((value, c) => -value / std[c]!);
  assert.deepEqual(left(scale, offset), ['zero-to-one']);
  assert.deepEqual(left([...scale].reverse(), [...offset].reverse()), ['zero-to-one order=BGR']);
  const ofPixels = scale.map((value) => value / 255);
  assert.deepEqual(left(ofPixels, offset), ['zero-to-255']);
});

test('what is no usual normalization decides nothing', () => {
  assert.equal(left([3], [0.5]).length, colour.length);
  assert.equal(left([1], [0.001]).length, colour.length);
  assert.equal(fittingCandidates(null, colour).length, colour.length);
});

test('one channel is normalized as three are', () => {
  const luma = candidatesFor({}, 1, 'float32');
  assert.deepEqual(left([1 / 255], [0], luma), ['zero-to-255']);
});
