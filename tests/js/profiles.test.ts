// Each profile on a small network with what they are about: depthwise and plain convolutions,
// biases, Relu, Clip, Sigmoid, Gemm, Softmax. Every result is loaded and run in onnxruntime-web;
// what the other targets ask for is read from the file.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { profileNames, profiles, quantizeStatic } from '#dist/index.js';
import { extraOptions } from '#dist/options/extra-options.js';
import type { ProfileName } from '#dist/options/profiles.js';
import { quantizeStaticOptions } from '#dist/options/quantize-static.js';
import { checkExtraValues } from '#dist/options/validate.js';
import { type OnnxNode, type OnnxTensor, readOnnx } from './support/onnx-reader.js';
import { checkQuantizeStatic } from './support/options.js';
import { command, noise } from './support/pipeline.js';

const uint8 = 2;
const int8 = 3;
const int32 = 6;

const samples = Array.from({ length: 8 }, (_, i) => ({
  x: { type: 'float32', dims: [1, 3, 8, 8], data: noise(192, i + 1) },
}));

/** The quantized network, and its Q and DQ nodes with the zero point of each. */
async function quantized(profile: ProfileName) {
  const { model, report } = await quantizeStatic({
    modelInput: 'tests/fixtures/conformance/network.onnx',
    calibrationDataReader: samples,
    effort: 'none',
    profile,
  });
  const { graph } = readOnnx(model as Uint8Array);
  const pairs = graph.nodes.filter(({ opType }) => /^(Dequantize|Quantize)Linear$/.test(opType));
  const constant = (name: string | undefined) => graph.initializers.get(name ?? '');
  const zeroPoint = ({ inputs }: OnnxNode) => constant(inputs[2]) as OnnxTensor;
  const dequantize = pairs.filter(({ opType }) => opType === 'DequantizeLinear');
  const isActivation = ({ inputs }: OnnxNode) => !graph.initializers.has(inputs[0] as string);
  return { graph, report, pairs, dequantize, constant, zeroPoint, isActivation };
}

/** Types of weights: what is dequantized as a constant, biases apart. */
const weightsOf = ({ dequantize, constant }: Awaited<ReturnType<typeof quantized>>) =>
  dequantize
    .map(({ inputs }) => constant(inputs[0]))
    .filter((tensor): tensor is OnnxTensor => tensor !== undefined && tensor.dataType !== int32);

const signedBytes = ({ bytes }: OnnxTensor) => [...new Int8Array(bytes)];

for (const name of profileNames) {
  test(`${name}: the result runs in onnxruntime-web and keeps its outputs`, async () => {
    const { report } = await quantized(name);
    assert.equal(report.quality.loaded, true);
    assert.equal(report.quality.samples, 8);
    assert.ok((report.quality.sqnr ?? 0) > 15, `SQNR ${report.quality.sqnr}`);
    assert.ok(report.nodesQuantized.length >= 10, `${report.nodesQuantized.length} nodes`);
  });
}

test('x64: weights of 7 bits, with VNNI of 8', async () => {
  const narrow = weightsOf(await quantized('x64')).flatMap(signedBytes);
  assert.ok(Math.max(...narrow.map(Math.abs)) <= 64 && narrow.length > 100);
  const wide = weightsOf(await quantized('x64-vnni')).flatMap(signedBytes);
  assert.equal(Math.max(...wide.map(Math.abs)), 127);
});

test('x64, web-wasm, webnn: unsigned activations, signed weights; arm64, webgpu: signed both', async () => {
  for (const [name, type] of [
    ['x64', uint8],
    ['x64-vnni', uint8],
    ['web-wasm', uint8],
    ['webnn', uint8],
    ['arm64', int8],
    ['webgpu', int8],
  ] as const) {
    const result = await quantized(name);
    for (const node of result.pairs.filter(result.isActivation)) {
      assert.equal(result.zeroPoint(node).dataType, type, `${name}: ${node.name}`);
    }
    const weights = weightsOf(result);
    assert.ok(weights.length >= 5 && weights.every(({ dataType }) => dataType === int8), name);
  }
});

test('webgpu: nothing of int32 is dequantized, biases stay float', async () => {
  const { dequantize, constant, graph } = await quantized('webgpu');
  assert.ok(dequantize.length > 10);
  for (const { inputs } of dequantize) assert.notEqual(constant(inputs[0])?.dataType, int32);
  const biases = graph.nodes.filter(({ opType, inputs }) => opType === 'Conv' && inputs[2]);
  assert.ok(biases.length > 0 && biases.every(({ inputs }) => constant(inputs[2])?.dataType === 1));
});

test('webnn, webgpu: operators of ai.onnx only', async () => {
  for (const name of ['webnn', 'webgpu'] as const) {
    const { graph } = await quantized(name);
    assert.deepEqual([...new Set(graph.nodes.map(({ domain }) => domain))], [''], name);
  }
});

test('tensorrt: zero points are 0, weights are float behind a pair, biases are float', async () => {
  const { pairs, dequantize, zeroPoint, isActivation, graph, constant } =
    await quantized('tensorrt');
  assert.ok(pairs.length > 20);
  for (const node of pairs) {
    const { dataType, bytes } = zeroPoint(node);
    assert.equal(dataType, int8, node.name);
    assert.ok(
      bytes.every((byte) => byte === 0),
      node.name,
    );
  }
  assert.ok(dequantize.every(isActivation), 'each behind a QuantizeLinear');
  const convs = graph.nodes.filter(({ opType }) => opType === 'Conv');
  assert.ok(convs.every(({ inputs }) => !inputs[2] || constant(inputs[2])?.dataType === 1));
  const readers = new Map<string, number>();
  for (const { inputs } of graph.nodes) {
    for (const tensor of inputs) readers.set(tensor, (readers.get(tensor) ?? 0) + 1);
  }
  const shared = dequantize.filter(({ outputs }) => (readers.get(outputs[0] as string) ?? 0) > 1);
  assert.deepEqual(shared, [], 'a pair for each reader');
});

test('qnn and nnapi: uint8 throughout, one scale a tensor', async () => {
  for (const name of ['qnn', 'nnapi'] as const) {
    const result = await quantized(name);
    assert.ok(result.pairs.filter(result.isActivation).length > 10);
    for (const node of result.pairs.filter(result.isActivation)) {
      assert.equal(result.zeroPoint(node).dataType, uint8, `${name}: ${node.name}`);
    }
    const weights = weightsOf(result);
    assert.ok(weights.length >= 5 && weights.every(({ dataType }) => dataType === uint8), name);
    for (const node of result.pairs) {
      const { dims } = result.constant(node.inputs[1]) as OnnxTensor;
      assert.ok(dims.length === 0 || (dims.length === 1 && dims[0] === 1), `${name}: ${node.name}`);
    }
  }
});

test('nnapi: the output of Sigmoid has scale 1/256 and zero point 0', async () => {
  const { graph, constant, zeroPoint } = await quantized('nnapi');
  const sigmoid = graph.nodes.find(({ opType }) => opType === 'Sigmoid');
  const reader = graph.nodes.find(({ inputs }) => inputs[0] === sigmoid?.outputs[0]) as OnnxNode;
  assert.equal(reader.opType, 'QuantizeLinear');
  const scale = constant(reader.inputs[1]) as OnnxTensor;
  assert.equal(
    new DataView(scale.bytes.buffer, scale.bytes.byteOffset).getFloat32(0, true),
    1 / 256,
  );
  assert.deepEqual([...zeroPoint(reader).bytes], [0]);
});

test('a profile is made of values that the options take, each with a reason and a source', () => {
  const known = quantizeStaticOptions.map((spec) => spec.name as string);
  for (const name of profileNames) {
    const { parameters, extra_options: extra, sources, target } = profiles[name];
    assert.ok(target && sources.length > 0, name);
    for (const [field, { value, reason }] of Object.entries({ ...parameters, ...extra })) {
      assert.ok(reason.length > 10, `${name} ${field}`);
      assert.notEqual(value, undefined);
    }
    for (const field of Object.keys(parameters)) assert.ok(known.includes(field), field);
    for (const field of Object.keys(extra)) assert.ok(Object.hasOwn(extraOptions, field), field);
    const values = Object.entries(extra).map(([field, { value }]) => [field, value]);
    checkExtraValues(Object.fromEntries(values));
    for (const { url } of sources) assert.match(url, /^https:\/\//);
    const checked = checkQuantizeStatic({ profile: name });
    for (const [field, { value }] of Object.entries(parameters)) {
      assert.equal(checked[field as keyof typeof checked], value, `${name} ${field}`);
    }
  }
});

test('explicit parameters win over a profile, whatever they are', () => {
  const checked = checkQuantizeStatic({
    profile: 'tensorrt',
    per_channel: false,
    reduce_range: null,
    extra_options: { QuantizeBias: true, MinimumRealRange: 0.1, AddQDQPairToWeight: null },
  });
  assert.equal(checked.per_channel, false);
  assert.equal(checked.reduce_range, false);
  assert.equal(checked.activation_type, 'QInt8');
  assert.deepEqual(checked.extra_options, {
    QuantizeBias: true,
    MinimumRealRange: 0.1,
    AddQDQPairToWeight: true,
    ActivationSymmetric: true,
    WeightSymmetric: true,
    DedicatedQDQPair: true,
  });
  // What has no effect in the format that was asked for is left out, not refused.
  const quantized = checkQuantizeStatic({ profile: 'tensorrt', quant_format: 'qoperator' });
  assert.equal(quantized.quant_format, 'QOperator');
  assert.deepEqual(quantized.extra_options, { ActivationSymmetric: true, WeightSymmetric: true });
});

test('a saved configuration repeats a run with a profile; an unknown one has near matches', async () => {
  const wrong = await command(['-i', 'a', '-o', 'b', '--profile', 'web-gpu']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /did you mean "webgpu"/);
  const once = checkQuantizeStatic({ profile: 'qnn', per_channel: true });
  assert.deepEqual(checkQuantizeStatic(JSON.parse(JSON.stringify(once))), once);
});

test('every profile is on its page', () => {
  const page = fs.readFileSync('docs/profiles.md', 'utf8');
  for (const name of profileNames) assert.match(page, new RegExp(`^## ${name}$`, 'm'));
});
