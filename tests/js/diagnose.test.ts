// Each cause on a model that is built to have it, and a healthy model that has none.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Feeds } from '#dist/base/types.js';
import { type Diagnosis, diagnose, QuantizeError, quantizeStatic } from '#dist/index.js';
import { type WriterNode, writeModel } from './support/onnx-writer.js';
import { imageSamples, model, noise, temporaryFolder } from './support/pipeline.js';

const channels = 8;
const dims = [1, channels, 8, 8];
const size = channels * 64;

const diagonal = Float32Array.from({ length: channels * channels }, (_, i) =>
  i % (channels + 1) === 0 ? 1 : 0,
);
const pointwise = (name: string, pattern: Float32Array) => ({
  name,
  dims: [channels, channels, 1, 1],
  pattern,
});
const node = (opType: string, name: string, inputs: string[], output: string): WriterNode => ({
  opType,
  name,
  inputs,
  outputs: [output],
});
const samplesOf = (count: number, value: (noise: number, i: number) => number): Feeds[] =>
  Array.from({ length: count }, (_, seed) => ({
    x: { type: 'float32', dims, data: noise(size, seed + 1).map((x, i) => value(x, i)) },
  }));

/** A model with the input x and the output y, all of one shape. */
function written(nodes: WriterNode[], weights: ReturnType<typeof pointwise>[]): string {
  const file = path.join(temporaryFolder(), 'model.onnx');
  const whole = [{ name: 'y', dims }];
  writeModel(file, { nodes, weights, inputs: [{ name: 'x', dims }], outputs: whole });
  return file;
}

async function diagnosed(
  modelInput: string,
  samples: Feeds[],
  options: object = {},
  others: Feeds[] = samples,
): Promise<Diagnosis> {
  const { model: quantizedModel } = await quantizeStatic({
    modelInput,
    calibrationDataReader: samples,
    quantFormat: 'QDQ',
    optimizeModel: false,
    effort: 'none',
    ...options,
  } as never);
  return diagnose({
    modelInput,
    quantizedModel: quantizedModel as Uint8Array,
    calibrationDataReader: others,
  });
}

const causes = ({ worst }: Diagnosis) => worst.map(({ cause }) => `${cause.code} ${cause.tensor}`);

/** A diagnosis as the cause that does most harm. */
function assertCause(diagnosis: Diagnosis, code: string, tensor: string): void {
  assert.equal(causes(diagnosis)[0], `${code} ${tensor}`, JSON.stringify(diagnosis, null, 1));
}

for (const quantFormat of ['QDQ', 'QOperator'] as const) {
  test(`${quantFormat}: a healthy model has no cause, and every layer is measured`, async () => {
    const diagnosis = await diagnosed(model('classifier.onnx'), imageSamples(12), { quantFormat });
    assert.deepEqual(causes(diagnosis), []);
    assert.equal(diagnosis.format, quantFormat);
    assert.equal(diagnosis.samples, 12);
    assert.equal(diagnosis.aloneSamples, 2);
    assert.ok(diagnosis.sqnr! > 20);
    const convs = diagnosis.layers.filter(({ opType }) => /Conv/.test(opType));
    assert.ok(convs.length >= 2);
    for (const { own, accumulated, alone, elements, weightBytes } of convs) {
      assert.ok(own! > 25 && own! < 80, `own ${own}`);
      assert.ok(accumulated! <= own! + 1, `accumulated ${accumulated}, own ${own}`);
      assert.ok(alone! >= diagnosis.sqnr! - 3, `alone ${alone}`);
      assert.ok(elements > 0 && weightBytes > 0);
    }
    assert.equal(diagnosis.layers.filter(({ cause }) => cause !== null).length, 0);
    for (const { tensor, kind, alone } of diagnosis.tensors) {
      if (kind === 'activation') assert.ok(alone! > 30, `${tensor}: ${alone}`);
    }
  });

  test(`${quantFormat}: channels of a weight far apart under one scale`, async () => {
    const scale = (channel: number) => 4000 ** (channel / channels);
    const file = written(
      [
        node('Conv', 'first', ['x', 'w'], 'a'),
        node('Relu', 'relu', ['a'], 'h'),
        node('Conv', 'second', ['h', 'v'], 'y'),
      ],
      [
        pointwise(
          'w',
          noise(64, 1).map((w, i) => w * scale(Math.floor(i / channels))),
        ),
        pointwise(
          'v',
          noise(64, 2).map((w, i) => w / scale(i % channels)),
        ),
      ],
    );
    const diagnosis = await diagnosed(
      file,
      samplesOf(8, (x) => x),
      { quantFormat },
    );
    assert.ok(diagnosis.sqnr! < 10);
    const first = diagnosis.worst.find(({ tensor }) => tensor === 'h' || tensor === 'a');
    assert.equal(first?.cause.code, 'CHANNELS_UNDER_ONE_SCALE');
    assert.match(first!.cause.text, /of its 8 channels/);
  });
}

test('a channel of an activation that is far larger than the others', async () => {
  const file = written(
    [node('Conv', 'conv', ['x', 'w'], 'a'), node('Tanh', 'tanh', ['a'], 'y')],
    [pointwise('w', diagonal)],
  );
  const diagnosis = await diagnosed(
    file,
    samplesOf(8, (x, i) => (i < 64 ? 300 * x : x)),
  );
  assertCause(diagnosis, 'CHANNELS_UNDER_ONE_SCALE', 'x');
  assert.match(diagnosis.worst[0]!.cause.text, /^channel 0 of 8/);
});

test('a range that a few values set', async () => {
  const file = written(
    [node('Conv', 'conv', ['x', 'w'], 'a'), node('Tanh', 'tanh', ['a'], 'y')],
    [pointwise('w', diagonal)],
  );
  const once = samplesOf(12, (x, i) => (i % 1021 === 77 ? 0 : x));
  // One value a channel in a whole set of samples.
  for (let c = 0; c < channels; c++) (once[c]!.x!.data as Float32Array)[c * 64 + 5] = 200;
  const diagnosis = await diagnosed(file, once);
  assertCause(diagnosis, 'RANGE_OF_FEW_VALUES', 'x');
});

test('a range that a mask sets', async () => {
  const file = written(
    [
      node('Conv', 'conv', ['x', 'w'], 'a'),
      node('Relu', 'relu', ['x'], 'b'),
      node('Add', 'mask', ['a', 'b'], 'c'),
      node('Tanh', 'tanh', ['c'], 'y'),
    ],
    [pointwise('w', diagonal)],
  );
  const diagnosis = await diagnosed(
    file,
    samplesOf(8, (x, i) => (i % 4 === 0 ? -1e9 : x)),
  );
  assert.equal(diagnosis.worst[0]?.cause.code, 'RANGE_OF_MASK', JSON.stringify(diagnosis.worst));
});

test('a front end whose small values a logarithm makes much of', async () => {
  const file = written(
    [
      node('Conv', 'conv', ['x', 'w'], 'a'),
      node('Add', 'floor', ['a', 'eps'], 'b'),
      node('Log', 'log', ['b'], 'y'),
    ],
    [
      pointwise('w', diagonal),
      { name: 'eps', dims: [1, 1, 1, 1], pattern: new Float32Array([1e-6]) },
    ],
  );
  const diagnosis = await diagnosed(
    file,
    samplesOf(8, (x) => 10 ** (3 * x - 3)),
  );
  assert.equal(diagnosis.worst[0]?.cause.code, 'FRONT_END', JSON.stringify(diagnosis.worst));
  assert.match(diagnosis.worst[0]!.cause.text, /Log "log"/);
});

test('unlike ranges in one Concat', async () => {
  const file = path.join(temporaryFolder(), 'model.onnx');
  const both = [1, 2 * channels, 8, 8];
  const scaled = (factor: number) => diagonal.map((w) => w * factor);
  writeModel(file, {
    nodes: [
      node('Conv', 'large', ['x', 'w'], 'a'),
      node('Conv', 'small', ['x', 'v'], 'b'),
      { ...node('Concat', 'concat', ['a', 'b'], 'c'), ints: { axis: 1 } },
      node('Tanh', 'tanh', ['c'], 'y'),
    ],
    weights: [pointwise('w', scaled(100)), pointwise('v', scaled(0.5))],
    inputs: [{ name: 'x', dims }],
    outputs: [{ name: 'y', dims: both }],
  });
  const diagnosis = await diagnosed(
    file,
    samplesOf(8, (x) => x),
  );
  assertCause(diagnosis, 'UNLIKE_RANGES', 'b');
  assert.equal(diagnosis.worst[0]!.node, 'concat');
});

test('a mean that rounding of weights shifts', async () => {
  const file = written([node('Conv', 'conv', ['x', 'w'], 'y')], [pointwise('w', noise(64, 9))]);
  const options = { weightType: 'QInt4', perChannel: true };
  const diagnosis = await diagnosed(
    file,
    samplesOf(8, (x) => 1 + 0.05 * x),
    options,
  );
  assertCause(diagnosis, 'SHIFTED_MEAN', 'y');
  assert.ok(diagnosis.layers[0]!.meanShift! > 0.8);
});

test('values beyond the range that was calibrated', async () => {
  const file = written([node('Conv', 'conv', ['x', 'w'], 'y')], [pointwise('w', diagonal)]);
  const calm = samplesOf(8, (x) => x);
  const wild = samplesOf(8, (x, i) => (i % 9 === 0 ? 3 * x : x));
  const diagnosis = await diagnosed(file, calm, {}, wild);
  assertCause(diagnosis, 'CLIPPED_TAILS', 'x');
  const x = diagnosis.tensors.find(({ tensor }) => tensor === 'x')!;
  assert.ok(x.clipped! > 0.05 && x.clipped! < 0.1);
  assert.ok(x.observed![1] > 2 && x.range[1] < 1.01);
});

test('batches of a small budget give the same figures as one', async () => {
  const large = [1, channels, 96, 96];
  const modelInput = path.join(temporaryFolder(), 'model.onnx');
  writeModel(modelInput, {
    nodes: [
      node('Conv', 'first', ['x', 'w'], 'a'),
      node('Relu', 'relu', ['a'], 'b'),
      node('Conv', 'second', ['b', 'v'], 'c'),
      node('Add', 'add', ['c', 'b'], 'y'),
    ],
    weights: [pointwise('w', noise(64, 1)), pointwise('v', noise(64, 2))],
    inputs: [{ name: 'x', dims: large }],
    outputs: [{ name: 'y', dims: large }],
  });
  const calibrationDataReader = [1, 2].map(
    (seed): Feeds => ({
      x: { type: 'float32', dims: large, data: noise(channels * 96 * 96, seed) },
    }),
  );
  const { model: quantizedModel } = await quantizeStatic({
    modelInput,
    calibrationDataReader,
    effort: 'none',
  });
  const given = { modelInput, quantizedModel: quantizedModel as Uint8Array, calibrationDataReader };
  const one = await diagnose(given);
  const many = await diagnose({ ...given, memoryBudget: 1, aloneSamples: 0 });
  assert.equal(one.batches, 1);
  assert.ok(many.batches > 2 && many.batchBytes < one.batchBytes);
  const figures = ({ layers, tensors }: Diagnosis) => [
    layers.map(({ tensor, own, accumulated }) => [tensor, own, accumulated]),
    tensors.map(({ tensor, alone }) => [tensor, alone]),
  ];
  assert.deepEqual(figures(many)[0], figures(one)[0]);
  assert.deepEqual(figures(many)[1]!.sort(), figures(one)[1]!.sort());
  assert.ok(many.layers.every(({ alone }) => alone === null));
});

test('progress is told, and a run can be cancelled', async () => {
  const modelInput = model('classifier.onnx');
  const { model: quantizedModel } = await quantizeStatic({
    modelInput,
    calibrationDataReader: imageSamples(3),
  });
  const controller = new AbortController();
  const seen: number[] = [];
  await assert.rejects(
    diagnose({
      modelInput,
      quantizedModel: quantizedModel as Uint8Array,
      calibrationDataReader: imageSamples(6),
      signal: controller.signal,
      onProgress: ({ stage, done, total }) => {
        if (stage !== 'verify' || done === 0) return;
        assert.equal(total, 6);
        seen.push(done);
        if (done === 2) controller.abort(new Error('enough'));
      },
    }),
    /enough/,
  );
  assert.deepEqual(seen, [1, 2]);
});

test('a model that is another one is refused', async () => {
  const error = await diagnose({
    modelInput: model('classifier.onnx'),
    quantizedModel: written([node('Relu', 'relu', ['x'], 'y')], []),
    calibrationDataReader: imageSamples(1),
  }).catch((cause) => cause);
  assert.ok(error instanceof QuantizeError);
  assert.equal(error.code, 'INVALID_OPTION');
  assert.match(error.message, /has an input "x"/);
});
