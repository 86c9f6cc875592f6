// Weights by reference: the wasm heap does not grow with the model.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadCore } from '#dist/core/load.js';
import { quantizeStatic } from '#dist/index.js';
import { writeModel } from './support/onnx-writer.js';
import { writeRanges } from './support/ranges-file.js';

const folder = mkdtempSync(join(tmpdir(), 'onnx-ptq-large-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const MB = 1_000_000;

/** 8 MatMul of 4096 x 4096 (537 MB) and a Conv of 1280 x 1280 x 3 x 3 (59 MB). */
function writeLargeModel(path: string): number {
  const side = 4096;
  const pattern = Float32Array.from({ length: side }, (_, i) => Math.sin(i * 12.9898) / 8);
  const nodes = [];
  const weights = [];
  let last = 'x';
  for (let i = 0; i < 8; ++i) {
    weights.push({ name: `w${i}`, dims: [side, side], pattern });
    nodes.push({
      opType: 'MatMul',
      name: `matmul${i}`,
      inputs: [last, `w${i}`],
      outputs: [`y${i}`],
    });
    last = `y${i}`;
  }
  const channels = 1280;
  weights.push({
    name: 'wc',
    dims: [channels, channels, 3, 3],
    pattern: pattern.slice(0, 1280),
  });
  nodes.push({ opType: 'Conv', name: 'conv', inputs: ['image', 'wc'], outputs: ['z'] });
  return writeModel(path, {
    nodes,
    weights,
    inputs: [
      { name: 'x', dims: [1, side] },
      { name: 'image', dims: [1, channels, 8, 8] },
    ],
    outputs: [
      { name: last, dims: [1, side] },
      { name: 'z', dims: [1, channels, 6, 6] },
    ],
  });
}

test('a 600 MB model is quantized with a wasm heap under 128 MB', async () => {
  const path = join(folder, 'large.onnx');
  const cache = join(folder, 'ranges.json');
  const output = join(folder, 'large.quant.onnx');
  const size = writeLargeModel(path);
  assert.ok(size > 590 * MB, `the model is meant to have about 600 MB but has ${size / MB}`);
  writeRanges(cache, ['x', 'image', 'z', ...Array.from({ length: 8 }, (_, i) => `y${i}`)]);
  const { report } = await quantizeStatic({
    modelInput: path,
    modelOutput: output,
    calibrationCachePath: cache,
    perChannel: true,
    weightType: 'QInt8',
  });
  assert.equal(report.nodesQuantized.length, 9);
  const heap = (await loadCore()).HEAPU8.length;
  assert.ok(heap < 128 * MB, `the wasm heap has ${heap / MB} MB`);
  const ratio = statSync(output).size / size;
  assert.ok(
    ratio > 0.24 && ratio < 0.26,
    `int8 weights take a quarter of float ones, not ${ratio}`,
  );
});

test('a weight of 67 MB behind a Transpose is one of int8, and a shared one stays one', async () => {
  const path = join(folder, 'transposed.onnx');
  const cache = join(folder, 'transposed.json');
  const output = join(folder, 'transposed.quant.onnx');
  const side = 4096;
  const pattern = Float32Array.from({ length: side }, (_, i) => Math.sin(i * 12.9898) / 8);
  const node = (opType: string, name: string, inputs: string[], output: string) => ({
    opType,
    name,
    inputs,
    outputs: [output],
  });
  const size = writeModel(path, {
    nodes: [
      node('Transpose', 'turn', ['w'], 't'),
      node('MatMul', 'first', ['x', 't'], 'a'),
      node('Transpose', 'turn_again', ['w'], 'u'),
      node('MatMul', 'second', ['a', 'u'], 'y'),
    ],
    weights: [{ name: 'w', dims: [side, side], pattern }],
    inputs: [{ name: 'x', dims: [1, side] }],
    outputs: [{ name: 'y', dims: [1, side] }],
  });
  writeRanges(cache, ['x', 'a', 'y']);
  const { report } = await quantizeStatic({
    modelInput: path,
    modelOutput: output,
    calibrationCachePath: cache,
    weightType: 'QInt8',
  });
  assert.equal(report.nodesQuantized.length, 2);
  const ratio = statSync(output).size / size;
  assert.ok(ratio > 0.24 && ratio < 0.26, `one table of int8, not ${ratio} of the float one`);
  const heap = (await loadCore()).HEAPU8.length;
  assert.ok(heap < 128 * MB, `the wasm heap has ${heap / MB} MB`);
});
