// Where ONNX's inference knows no type, the runtime does.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { quantizeStatic } from '#dist/index.js';
import { writeModel } from './support/onnx-writer.js';
import { noise, temporaryFolder } from './support/pipeline.js';

/** A Gelu of com.microsoft, whose output ONNX's inference knows nothing of, between two MatMul. */
function geluModel(): string {
  const target = path.join(temporaryFolder(), 'gelu.onnx');
  const weight = (name: string) => ({ name, dims: [8, 8], pattern: noise(64, name.length) });
  writeModel(target, {
    nodes: [
      { opType: 'MatMul', name: 'first', inputs: ['x', 'v'], outputs: ['h'] },
      { opType: 'Gelu', name: 'gelu', inputs: ['h'], outputs: ['g'], domain: 'com.microsoft' },
      { opType: 'MatMul', name: 'second', inputs: ['g', 'ww'], outputs: ['t'] },
      { opType: 'Transpose', name: 'last', inputs: ['t'], outputs: ['y'] },
    ],
    weights: [weight('v'), weight('ww')],
    inputs: [{ name: 'x', dims: [4, 8] }],
    outputs: [{ name: 'y', dims: [8, 4] }],
  });
  return target;
}

const samples = () =>
  [1, 2].map((seed) => ({ x: { type: 'float32', dims: [4, 8], data: noise(32, seed) } }));

test('a layer behind an operator of another domain is quantized', async () => {
  for (const quantFormat of ['QDQ', 'QOperator'] as const) {
    const { report } = await quantizeStatic({
      modelInput: geluModel(),
      calibrationDataReader: samples(),
      effort: 'none',
      quantFormat,
    });
    const quantized = report.nodesQuantized.map(({ name }) => name);
    assert.ok(quantized.includes('second'), `${quantFormat}: ${quantized}`);
    assert.ok((report.quality.sqnr ?? 0) > 20);
  }
});
