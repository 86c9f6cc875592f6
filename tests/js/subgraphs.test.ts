// EnableSubgraph: the bodies of If, Loop and Scan are calibrated and quantized in both formats;
// without it they stay bit-identical. The models are tests/fixtures/make_subgraph_fixtures.py's.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import type { Feeds } from '#dist/base/types.js';
import { quantizeStatic } from '#dist/index.js';
import { type OnnxGraph, type OnnxNode, readOnnx } from './support/onnx-reader.js';

const file = (name: string) => `tests/fixtures/subgraphs/${name}.onnx`;

function samplesOf(name: string, count = 6): Feeds[] {
  let seed = 7;
  const next = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
  const dims = name === 'scan' ? [4, 2, 8] : [2, 8];
  return Array.from({ length: count }, (_, i) => ({
    x: {
      type: 'float32',
      dims,
      data: Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => 2 * next() - 1),
    },
    ...(name === 'if' && {
      which: { type: 'bool', dims: [], data: Uint8Array.of(i % 2) },
    }),
  }));
}

const bodiesOf = (node: OnnxNode) =>
  Object.values(node.attributes).filter(
    (value): value is OnnxGraph => typeof value === 'object' && value !== null && 'nodes' in value,
  );

/** The graph and all bodies in it. */
function graphsIn(graph: OnnxGraph): OnnxGraph[] {
  return [graph, ...graph.nodes.flatMap((node) => bodiesOf(node).flatMap(graphsIn))];
}

const inner = (model: Uint8Array) => graphsIn(readOnnx(model).graph).slice(1);

const integerOperators = /^(QLinear|QGemm|MatMulInteger)/;

for (const quantFormat of ['QDQ', 'QOperator'] as const) {
  for (const name of ['if', 'loop', 'scan', 'nested']) {
    for (const perChannel of [false, true]) {
      const channels = perChannel ? ' per channel' : '';
      test(`${quantFormat}${channels}: the bodies of ${name}.onnx are quantized`, async () => {
        const { model, report } = await quantizeStatic({
          modelInput: file(name),
          calibrationDataReader: samplesOf(name),
          quantFormat,
          perChannel,
          weightType: 'QInt8',
          // Native kernels saturate in bodies, where onnxruntime's precision mode does not reach.
          runtime: 'web',
          extraOptions: { EnableSubgraph: true },
        });
        // Weights and activations: every MatMul of every body has an integer form, or dequantized
        // inputs.
        for (const graph of inner(model as Uint8Array)) {
          const made = new Map(graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n.opType])));
          const multiply = graph.nodes.filter(({ opType }) => /MatMul|Gemm/.test(opType));
          for (const node of multiply) {
            if (quantFormat === 'QOperator') {
              assert.match(node.opType, integerOperators, node.name);
            } else {
              const [a, b] = node.inputs.map((input) => made.get(input));
              assert.deepEqual([a, b], ['DequantizeLinear', 'DequantizeLinear'], node.name);
            }
          }
        }
        assert.ok((report.quality.sqnr ?? 0) > 25, `SQNR ${report.quality.sqnr}`);
        // The usual effort is none here, and says so.
        assert.equal(report.effort, null);
        assert.ok(report.diagnostics.some(({ code }) => code === 'NO_EFFORT_IN_BODIES'));
      });
    }
  }
}

test('names are unique across scopes', async () => {
  for (const quantFormat of ['QDQ', 'QOperator'] as const) {
    const { model } = await quantizeStatic({
      modelInput: file('if'),
      calibrationDataReader: samplesOf('if'),
      quantFormat,
      extraOptions: { EnableSubgraph: true },
    });
    const names = graphsIn(readOnnx(model as Uint8Array).graph).flatMap((graph) => [
      ...graph.nodes.flatMap((node) => node.outputs.filter(Boolean)),
      ...graph.initializers.keys(),
    ]);
    assert.equal(new Set(names).size, names.length);
  }
});

test('a branch that no sample takes stays float, and the report says so', async () => {
  const { report } = await quantizeStatic({
    modelInput: file('if'),
    calibrationDataReader: samplesOf('if').map(({ x }) => ({
      x: x as Feeds[string],
      which: { type: 'bool', dims: [], data: Uint8Array.of(1) },
    })),
    quantFormat: 'QDQ',
    extraOptions: { EnableSubgraph: true },
  });
  assert.ok(report.nodesQuantized.some((node) => node.name === 'then_gemm'));
  assert.ok(report.diagnostics.some(({ code }) => code === 'TENSOR_WITHOUT_VALUES'));
  assert.ok((report.quality.sqnr ?? 0) > 25, `SQNR ${report.quality.sqnr}`);
});

test('without EnableSubgraph bodies stay as they are', async () => {
  for (const name of ['if', 'loop', 'scan', 'nested']) {
    for (const quantFormat of ['QDQ', 'QOperator'] as const) {
      const { model } = await quantizeStatic({
        modelInput: file(name),
        calibrationDataReader: samplesOf(name),
        quantFormat,
        optimizeModel: false,
      });
      assert.deepEqual(inner(model as Uint8Array), inner(fs.readFileSync(file(name))));
    }
  }
});
