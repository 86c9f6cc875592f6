// Whole runs with an effort, on a model that collapses when its weights have one scale.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { noRepairs } from '#dist/base/repairs.js';
import type { Progress } from '#dist/base/run.js';
import type { Feeds } from '#dist/base/types.js';
import { QuantizeError, quantizeStatic } from '#dist/index.js';
import type { QuantizationReport } from '#dist/verify/report.js';
import { channels, collapsing, samples } from './support/collapsing.js';
import { writeModel } from './support/onnx-writer.js';
import { imageSamples, model, noise, temporaryFolder } from './support/pipeline.js';

const run = (options: object) =>
  quantizeStatic({
    modelInput: collapsing(),
    calibrationDataReader: samples(24),
    ...options,
  } as never);

test('fast mends a model whose weights need equalizing, and says what it did', async () => {
  const { report: none } = await run({ effort: 'none' });
  const { report } = await run({ effort: 'fast' });
  assert.ok(none.quality.sqnr! < 8, `plain ${none.quality.sqnr}`);
  assert.ok(report.quality.sqnr! > 25, `fast ${report.quality.sqnr}`);
  assert.equal(none.effort, null);
  assert.equal(report.effort?.held, 6);
  assert.equal(report.calibration.samples, 24, 'those that are set aside give ranges, too');
  assert.deepEqual(report.ranges, none.ranges);
  assert.equal(report.effort?.repairs.equalize, true);
  assert.ok(report.effort!.tried.some(({ accepted, repairs }) => accepted && repairs.equalize));
  assert.equal(report.nodesLeftFloat.length, 0);
});

test('the result is the same with any number of workers, and when a run is resumed', async () => {
  const { model: bytes } = await run({ effort: 'fast', workers: 1 });
  const { model: again } = await run({ effort: 'fast', workers: 3 });
  assert.ok(Buffer.from(bytes as Uint8Array).equals(Buffer.from(again as Uint8Array)));
  // Cancelled after ten samples, held-out ones among them.
  const controller = new AbortController();
  let state = '';
  await assert.rejects(
    run({
      effort: 'fast',
      signal: controller.signal,
      onProgress: ({ stage, done }: { stage: string; done: number }) => {
        if (stage === 'calibrate' && done >= 10) controller.abort();
      },
      onCalibrationState: (text: string) => {
        state = text;
      },
    }),
  );
  assert.notEqual(state, '');
  const { model: resumed } = await run({ effort: 'fast', resume: state });
  assert.ok(Buffer.from(bytes as Uint8Array).equals(Buffer.from(resumed as Uint8Array)));
});

test('without repairs it is the result of none, to the bit', async () => {
  const { model: none } = await run({ effort: 'none', ...qdq });
  const { model: plain } = await run({ recipe: { recipe: 1, repairs: {} }, ...qdq });
  assert.ok(Buffer.from(plain as Uint8Array).equals(Buffer.from(none as Uint8Array)));
});

test('a model that needs no repair begins with the result of none', async () => {
  const { report } = await quantizeStatic({
    modelInput: model('classifier.onnx'),
    quantFormat: 'QDQ',
    calibrationDataReader: imageSamples(24),
    effort: 'fast',
  });
  const first = report.effort!.tried[0]!;
  assert.ok(first.accepted);
  assert.deepEqual(first.repairs, noRepairs);
  const last = report.effort!.tried.filter(({ accepted }) => accepted).at(-1)!;
  assert.deepEqual(last.repairs, report.effort!.repairs);
  assert.ok(last.sqnr! >= first.sqnr!);
});

test('candidates are measured without ranges of the samples set aside, the result has them', async () => {
  // Every other sample is set aside.
  const louder = samples(24).map(({ x }, i) => ({
    x: { ...x!, data: (x!.data as Float32Array).map((value) => (i % 2 ? 4 * value : value)) },
  }));
  const file = path.join(temporaryFolder(), 'layer.onnx');
  const pattern = noise(channels * channels, 5);
  writeModel(file, {
    nodes: [{ opType: 'Conv', name: 'layer', inputs: ['x', 'w'], outputs: ['y'] }],
    weights: [{ name: 'w', dims: [channels, channels, 1, 1], pattern }],
    inputs: [{ name: 'x', dims: [1, channels, 4, 4] }],
    outputs: [{ name: 'y', dims: [1, channels, 4, 4] }],
  });
  const options = { modelInput: file, calibrationDataReader: louder };
  const { report: none } = await run({ ...options, effort: 'none' });
  const { report } = await run({ ...options, effort: 'fast' });
  assert.ok(none.quality.sqnr! > 25, `none ${none.quality.sqnr}`);
  assert.ok(report.effort!.tried[0]!.sqnr! < 15, 'what is clipped in them counts');
  assert.deepEqual(report.ranges, none.ranges);
  assert.ok(report.quality.sqnr! > 25, `fast ${report.quality.sqnr}`);
});

/** Logarithms of what is read through a layer: 8 bits leave nothing of small values. */
function logFrontEnd(): string {
  const file = path.join(temporaryFolder(), 'log-front-end.onnx');
  const weight = (name: string, dims: number[], pattern: Float32Array) => ({ name, dims, pattern });
  writeModel(file, {
    nodes: [
      { opType: 'Conv', name: 'front', inputs: ['x', 'w'], outputs: ['a'] },
      { opType: 'Log', name: 'log', inputs: ['a'], outputs: ['l'] },
      { opType: 'Conv', name: 'second', inputs: ['l', 'v'], outputs: ['h'] },
      { opType: 'Relu', name: 'relu', inputs: ['h'], outputs: ['r'] },
      { opType: 'Conv', name: 'third', inputs: ['r', 'u'], outputs: ['y'] },
    ],
    weights: [
      weight('w', [1, 1, 1, 1], Float32Array.of(1)),
      weight('v', [channels, 1, 1, 1], noise(channels, 3)),
      weight('u', [channels, channels, 1, 1], noise(channels * channels, 4)),
    ],
    inputs: [{ name: 'x', dims: [1, 1, 8, 8] }],
    outputs: [{ name: 'y', dims: [1, channels, 8, 8] }],
  });
  return file;
}

const magnitudes = (count: number): Feeds[] =>
  Array.from({ length: count }, (_, i) => ({
    x: {
      type: 'float32',
      dims: [1, 1, 8, 8],
      data: noise(64, i + 1).map((value) => Math.exp(5 * value - 5)),
    },
  }));

const qdq = {
  modelInput: logFrontEnd(),
  calibrationDataReader: magnitudes(36),
  quantFormat: 'QDQ',
  weightType: 'QInt8',
};

const leftByEffort = (report: QuantizationReport) =>
  report.nodesLeftFloat.filter(({ code }) => code === 'LEFT_BY_EFFORT').map(({ name }) => name);

test('normal leaves float what loses most, and nothing else', async () => {
  const { report: fast } = await run({ ...qdq, effort: 'fast' });
  const { report } = await run({ ...qdq, effort: 'normal' });
  const before = fast.effort!.tried.filter(({ accepted }) => accepted).at(-1)!.sqnr!;
  const after = report.effort!.tried.filter(({ accepted }) => accepted).at(-1)!.sqnr!;
  assert.ok(before < 15, `fast ${before}`);
  assert.ok(after > 25, `normal ${after}`);
  assert.deepEqual(leftByEffort(report), ['front']);
  assert.deepEqual(report.effort!.repairs.floatNodes, ['front']);
  assert.equal(report.effort!.held, 12);
  assert.equal(report.effort!.checked, 4);
  // What the search said of each part.
  assert.ok(report.effort!.losses.some(({ nodes }) => nodes.includes('front')));
});

test('no node is left float where that is not wanted, or the runtime takes none', async () => {
  for (const options of [{ maxFloatNodes: 0 }, { profile: 'qnn' }, { maxSize: 0.01 }]) {
    const { report } = await run({ ...qdq, ...options, effort: 'normal' });
    assert.deepEqual(leftByEffort(report), [], JSON.stringify(options));
    assert.deepEqual(report.effort!.repairs.floatNodes, []);
  }
});

test('a good result is not searched on', async () => {
  const { report } = await run({ effort: 'normal', targetSqnr: 10 });
  const more = report.effort!.tried.filter(
    ({ repairs: { floatNodes, ranges } }) => floatNodes.length + Object.keys(ranges).length > 0,
  );
  assert.deepEqual(more, []);
  assert.deepEqual(report.effort!.losses, []);
});

test('a recipe makes the same bytes without a search, and an edited one what it says', async () => {
  const { model: bytes, report } = await run({ ...qdq, effort: 'normal' });
  const { recipe } = report.effort!;
  const again = await run({ ...qdq, effort: 'fast', recipe: JSON.parse(JSON.stringify(recipe)) });
  assert.ok(Buffer.from(bytes as Uint8Array).equals(Buffer.from(again.model as Uint8Array)));
  assert.equal(again.report.effort!.level, 'recipe');
  assert.deepEqual(again.report.effort!.tried, []);
  const edited = { ...recipe, repairs: { ...recipe.repairs, floatNodes: ['second'] } };
  const other = await run({ ...qdq, effort: 'fast', recipe: edited });
  assert.deepEqual(leftByEffort(other.report), ['second', 'relu', 'third']);
  const unknown = { ...recipe, repairs: { ...recipe.repairs, floatNodes: ['fornt'] } };
  await assert.rejects(run({ ...qdq, effort: 'fast', recipe: unknown }), /no node named 'fornt'/);
});

test('max that is cancelled at any moment of its search ends with the best until then', async () => {
  let events = 0;
  const whole = await run({
    ...qdq,
    effort: 'max',
    onProgress: ({ stage }: Progress) => {
      if (stage === 'quantize') events++;
    },
  });
  assert.ok(events > 4);
  for (let stop = 2; stop <= events; stop += 3) {
    const controller = new AbortController();
    let seen = 0;
    let shown = 0;
    const { model: bytes, report } = await run({
      ...qdq,
      effort: 'max',
      signal: controller.signal,
      onProgress: ({ stage, sqnr }: Progress) => {
        if (stage !== 'quantize') return;
        if (sqnr !== undefined) shown = sqnr;
        if (++seen === stop) controller.abort();
      },
    });
    const accepted = report.effort!.tried.filter(({ accepted }) => accepted).at(-1)!;
    assert.equal(accepted.sqnr, shown);
    assert.deepEqual(report.effort!.repairs, accepted.repairs);
    assert.ok((bytes as Uint8Array).length > 0);
  }
  assert.ok(whole.report.effort!.tried.length > 2);
});

test('max ends when its budget is used up', async () => {
  const { report } = await run({ ...qdq, effort: 'max', budget: 0 });
  assert.equal(report.effort!.tried.length, 1);
});

test('with other methods and given ranges it does what can be done', async () => {
  for (const calibrateMethod of ['MSE', 'auto', 'Percentile', 'Distribution', 'Entropy']) {
    const { report } = await run({ calibrateMethod, effort: 'fast' });
    const { tried } = report.effort!;
    const said = `${calibrateMethod}: ${JSON.stringify([tried, report.diagnostics])}`;
    assert.ok(
      tried.some(({ repairs }) => repairs.correctBiases),
      said,
    );
  }
  const { report: none } = await run({ ...qdq, effort: 'none' });
  const { report } = await run({
    ...qdq,
    calibrationCache: none.calibrationCache,
    effort: 'normal',
  });
  assert.deepEqual(leftByEffort(report), ['front']);
});

test('with too few samples nothing is tried, and a warning says so', async () => {
  const { report } = await run({ effort: 'fast', calibrationDataReader: samples(3) });
  assert.equal(report.calibration.samples, 3);
  assert.deepEqual(report.effort?.tried, []);
  assert.ok(report.diagnostics.some(({ code }) => code === 'EFFORT_NEEDS_SAMPLES'));
});

test('what it cannot work with is refused', async () => {
  const refused = (options: object) =>
    assert.rejects(run({ effort: 'fast', ...options }), (error: unknown) => {
      assert.ok(error instanceof QuantizeError);
      assert.equal(error.code, 'UNSUPPORTED_OPTION');
      return true;
    });
  await refused({ budget: 5 });
  await refused({ targetSqnr: 20 });
  await refused({ extraOptions: { EnableSubgraph: true } });
});

/** A layer of 4-bit weights over pictures: what its kernel reads is almost the same everywhere. */
function overPictures(): string {
  const file = path.join(temporaryFolder(), 'over-pictures.onnx');
  writeModel(file, {
    nodes: [{ opType: 'Conv', name: 'layer', inputs: ['x', 'w'], outputs: ['y'] }],
    weights: [{ name: 'w', dims: [8, 4, 5, 5], pattern: noise(8 * 4 * 25, 3) }],
    inputs: [{ name: 'x', dims: [1, 4, 16, 16] }],
    outputs: [{ name: 'y', dims: [1, 8, 12, 12] }],
  });
  return file;
}

/** Each a slope of its own, with a little noise (of `share`; 1: nothing else). */
const pictures = (count: number, share: number): Feeds[] =>
  Array.from({ length: count }, (_, sample) => {
    const [base, right, down] = noise(3, 100 + sample);
    const grain = noise(4 * 256, 200 + sample);
    const data = grain.map((value, i) => {
      const slope =
        base! + right! * ((i % 16) / 8 - 1) + down! * ((Math.floor(i / 16) % 16) / 8 - 1);
      return share * value + (1 - share) * slope;
    });
    return { x: { type: 'float32', dims: [1, 4, 16, 16], data } };
  });

const onPictures = (options: object, share = 0.03) =>
  quantizeStatic({
    modelInput: overPictures(),
    calibrationDataReader: pictures(24, share),
    quantFormat: 'QDQ',
    weightType: 'QInt4',
    perChannel: true,
    ...options,
  } as never);

test('weights are rounded for inputs that move together, whatever the number of workers', async () => {
  const { report: none } = await onPictures({ effort: 'none' });
  const { report, model: bytes } = await onPictures({ effort: 'fast', workers: 1 });
  assert.equal(report.effort?.repairs.round, true);
  const tried = report.effort!.tried.filter(({ accepted }) => accepted);
  assert.ok(tried.at(-1)!.sqnr! > tried[0]!.sqnr! + 8, JSON.stringify(tried));
  assert.ok(report.quality.sqnr! > none.quality.sqnr! + 8);
  const { model: again } = await onPictures({ effort: 'fast', workers: 3 });
  assert.ok(Buffer.from(bytes as Uint8Array).equals(Buffer.from(again as Uint8Array)));
});

test('rounding is refused where inputs have nothing to do with each other', async () => {
  const { report } = await onPictures({ effort: 'fast' }, 1);
  assert.equal(report.effort?.repairs.round, false);
  assert.ok(report.effort!.tried.some(({ repairs, accepted }) => repairs.round && !accepted));
});

/** Attention leaves places out by a mask of large constants; here after channels of unlike size. */
function masked(): string {
  const file = path.join(temporaryFolder(), 'masked.onnx');
  const mask = Float32Array.from({ length: channels }, (_, i) => (i % 4 === 3 ? -3e38 : 0));
  writeModel(file, {
    nodes: [
      { opType: 'MatMul', name: 'query', inputs: ['x', 'w'], outputs: ['a'] },
      { opType: 'Add', name: 'mask', inputs: ['a', 'm'], outputs: ['b'] },
      { opType: 'Softmax', name: 'softmax', inputs: ['b'], outputs: ['p'] },
      { opType: 'MatMul', name: 'value', inputs: ['p', 'v'], outputs: ['y'] },
    ],
    weights: [
      {
        name: 'w',
        dims: [32, channels],
        pattern: noise(32 * channels, 6).map((w, i) => (i < channels ? w / 100 : w)),
      },
      { name: 'm', dims: [channels], pattern: mask },
      { name: 'v', dims: [channels, channels], pattern: noise(channels * channels, 7) },
    ],
    inputs: [{ name: 'x', dims: [1, 8, 32] }],
    outputs: [{ name: 'y', dims: [1, 8, channels] }],
  });
  return file;
}

/** The first channel is a hundred times as large as the others. */
const unlike = (count: number): Feeds[] =>
  Array.from({ length: count }, (_, sample) => ({
    x: {
      type: 'float32',
      dims: [1, 8, 32],
      data: noise(8 * 32, 40 + sample).map((value, i) => (i % 32 === 0 ? 100 * value : value)),
    },
  }));

test('layers alone, and their inputs smoothed, mend what a mask and one channel break', async () => {
  const options = {
    modelInput: masked(),
    calibrationDataReader: unlike(24),
    quantFormat: 'QDQ',
    weightType: 'QInt8',
  };
  const { report: none } = await run({ ...options, effort: 'none' });
  const { report } = await run({ ...options, effort: 'fast' });
  const { repairs, tried } = report.effort!;
  assert.ok(none.quality.sqnr! < 20, `none ${none.quality.sqnr}`);
  assert.ok(repairs.layerIo && repairs.smooth > 0, JSON.stringify(repairs));
  const layers = tried.filter(({ repairs }) => repairs.layerIo && repairs.smooth === 0);
  assert.ok(report.quality.sqnr! > layers[0]!.sqnr! + 6, `${JSON.stringify(tried)}`);
  const between = report.nodesLeftFloat.filter(({ code }) => code === 'BETWEEN_LAYERS');
  assert.ok(between.some(({ name }) => name === 'softmax'));
});

/** Values with tails: sums of four, a thousand in a sample. */
const tails = (count: number): Feeds[] =>
  Array.from({ length: count }, (_, sample) => {
    const parts = [1, 2, 3, 4].map((part) => noise(4 * 256, 1000 * part + sample));
    const data = parts[0]!.map((_, i) => parts.reduce((sum, part) => sum + part[i]!, 0));
    return { x: { type: 'float32', dims: [1, 4, 16, 16], data } };
  });

test('ranges become narrower where the outputs gain by it, and a recipe has them', async () => {
  const options = { activationType: 'QUInt4', calibrationDataReader: tails(24) };
  const { report, model: bytes } = await onPictures({ ...options, effort: 'normal' });
  const { repairs, tried, recipe } = report.effort!;
  const [lowest, highest] = repairs.ranges.x!;
  const [all, above] = report.ranges.x!;
  assert.ok(lowest > all! && highest < above!, 'inside of what was seen');
  const at = tried.findIndex(({ repairs }) => 'x' in repairs.ranges);
  const before = tried
    .slice(0, at)
    .filter(({ accepted }) => accepted)
    .at(-1)!;
  assert.ok(tried[at]!.accepted && tried[at]!.sqnr! > before.sqnr! + 1);
  const { model: again } = await onPictures({ ...options, recipe });
  assert.ok(Buffer.from(bytes as Uint8Array).equals(Buffer.from(again as Uint8Array)));
  const unknown = { recipe: 1, repairs: { ranges: { nowhere: [0, 1] } } };
  await assert.rejects(onPictures({ ...options, recipe: unknown }), /no range .*'nowhere'/);
});

test('ranges that were chosen by another method, or given, stay', async () => {
  const options = { activationType: 'QUInt4', calibrationDataReader: tails(24) };
  const { report } = await onPictures({ ...options, calibrateMethod: 'MSE' });
  assert.deepEqual(report.effort!.repairs.ranges, {});
  const { calibrationCache } = (await onPictures({ ...options, effort: 'none' })).report;
  const { report: cached } = await onPictures({ ...options, calibrationCache });
  assert.deepEqual(cached.effort!.repairs.ranges, {});
});
