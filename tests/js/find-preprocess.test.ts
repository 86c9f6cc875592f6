// The preprocessing that models of known training are found to want.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { PreprocessCandidate } from '#dist/base/types.js';
import { datasetReader, findPreprocess, quantizeStatic } from '#dist/index.js';
import { candidatesFor } from '#dist/samples/images/candidates.js';
import { type WriterNode, type WriterWeight, writeModel } from './support/onnx-writer.js';
import { picture, pictureFolder, side } from './support/pictures.js';
import { noise, temporaryFolder } from './support/pipeline.js';

const candidates = candidatesFor({}, 3, 'float32');
const byOption = (option: string) => candidates.find((one) => one.option === option)!;
const count = 10;
const folder = pictureFolder(Array.from({ length: count }, (_, i) => i));
const trainedOn = Array.from({ length: 12 }, (_, i) => picture(100 + i));

const node = (opType: string, inputs: string[], output: string): WriterNode => ({
  opType,
  name: output,
  inputs,
  outputs: [output],
});
const weight = (name: string, dims: number[], values: ArrayLike<number>): WriterWeight => ({
  name,
  dims,
  pattern: Float32Array.from(values),
});

function write(nodes: WriterNode[], weights: WriterWeight[], output: number[]): string {
  const file = path.join(temporaryFolder(), 'model.onnx');
  const inputs = [{ name: 'x', dims: [1, 3, side, side] }];
  writeModel(file, { nodes, weights, inputs, outputs: [{ name: 'y', dims: output }] });
  return file;
}

/** A pixel as the candidate gives it to a model. */
function normalized(pixels: Uint8Array, at: number, { order, mean, std }: PreprocessCandidate) {
  const rgb = [...pixels.subarray(at * 3, at * 3 + 3)];
  const channels = order === 'BGR' ? rgb.reverse() : rgb;
  return channels.map((value, c) => (value - mean[c]!) / std[c]!);
}

/** The mean of a picture's pixels. */
function meanOf(pixels: Uint8Array, candidate: PreprocessCandidate): number[] {
  const sum = [0, 0, 0];
  for (let at = 0; at < side * side; at++) {
    for (const [c, value] of normalized(pixels, at, candidate).entries()) sum[c]! += value;
  }
  return sum.map((value) => value / side ** 2);
}

const find = (modelInput: string, options = {}, signal?: AbortSignal) =>
  findPreprocess({
    modelInput,
    calibrationDataReader: datasetReader(folder, options),
    runtime: 'web',
    signal,
  });

/** Conv → BatchNormalization with the statistics that training under `candidate` leaves. */
function withStatistics(candidate: PreprocessCandidate): string {
  const channels = 16;
  const weights = noise(channels * 3, 7);
  const sums = Array.from({ length: channels }, () => ({ sum: 0, squares: 0 }));
  for (const pixels of trainedOn) {
    for (let at = 0; at < side * side; at++) {
      const x = normalized(pixels, at, candidate);
      for (const [c, total] of sums.entries()) {
        const y = x.reduce((sum, value, i) => sum + value * weights[c * 3 + i]!, 0);
        total.sum += y;
        total.squares += y * y;
      }
    }
  }
  const values = trainedOn.length * side ** 2;
  const mean = sums.map(({ sum }) => sum / values);
  const variance = sums.map(({ squares }, c) => squares / values - mean[c]! ** 2);
  const one = Array(channels).fill(1);
  return write(
    [
      node('Conv', ['x', 'w'], 'c'),
      node('BatchNormalization', ['c', 'gamma', 'beta', 'mean', 'variance'], 'b'),
      node('Relu', ['b'], 'r'),
      node('ReduceMean', ['r'], 'y'),
    ],
    [
      weight('w', [channels, 3, 1, 1], weights),
      weight('gamma', [channels], one),
      weight('beta', [channels], Array(channels).fill(0)),
      weight('mean', [channels], mean),
      weight('variance', [channels], variance),
    ],
    [1, 1, 1, 1],
  );
}

for (const candidate of candidates) {
  test(`statistics of training with ${candidate.option} find it`, async () => {
    const finding = await find(withStatistics(candidate));
    assert.equal(finding?.chosen.option, candidate.option, finding?.why);
    assert.equal(finding.decided.normalization, true, finding.why);
    assert.equal(finding.reasons[0]?.by, 'statistics');
    assert.notEqual(finding.runnerUp.option, candidate.option);
  });
}

/** Classes by the nearest of the mean colours that `candidate` makes of pictures. */
function nearestColour(candidate: PreprocessCandidate): string {
  const classes = Array.from({ length: count }, (_, i) => meanOf(picture(i), candidate));
  const sharpness = (40 * candidate.std[0] ** 2) / 58 ** 2;
  const weights = [0, 1, 2].flatMap((c) => classes.map((colour) => 2 * sharpness * colour[c]!));
  const bias = classes.map((colour) => -sharpness * colour.reduce((sum, v) => sum + v * v, 0));
  return write(
    [
      node('GlobalAveragePool', ['x'], 'g'),
      node('Flatten', ['g'], 'f'),
      node('MatMul', ['f', 'w'], 'm'),
      node('Add', ['m', 'b'], 'y'),
    ],
    [weight('w', [3, count], weights), weight('b', [count], bias)],
    [1, count],
  );
}

for (const option of ['minus-one-to-one', 'imagenet', 'zero-to-one', 'zero-to-255', 'caffe-bgr']) {
  test(`class scores of a model for ${option} find it`, async () => {
    const finding = await find(nearestColour(byOption(option)));
    assert.equal(finding?.chosen.option, option, finding?.why);
    assert.deepEqual(
      finding.reasons.map(({ by }) => by),
      ['scores'],
    );
  });
}

/** Two Convs that give back what they get, unless it is negative or far above their biases. */
function givesBack(bias: number): string {
  const same = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  return write(
    [
      node('Conv', ['x', 'w', 'b'], 'c'),
      node('Relu', ['c'], 'r'),
      node('Conv', ['r', 'w', 'd'], 'y'),
    ],
    [
      weight('w', [3, 3, 1, 1], same),
      weight('b', [3], Array(3).fill(bias)),
      weight('d', [3], Array(3).fill(-bias)),
    ],
    [1, 3, side, side],
  );
}

test('pictures that come out as they went in find the scale', async () => {
  const finding = await find(givesBack(0.1));
  assert.equal(finding?.chosen.option, 'zero-to-one', finding?.why);
  assert.deepEqual(
    finding.reasons.map(({ by }) => by),
    ['biases', 'pictures'],
  );
  assert.equal(finding.decided.normalization, true);
  assert.equal(finding.decided.order, false);
});

/** A mask of where red is brighter than `level`: sigmoid(40 / scale · (red − level)). */
const brightRed = (level: number, scale: number) =>
  write(
    [node('Conv', ['x', 'w', 'b'], 'c'), node('Sigmoid', ['c'], 'y')],
    [weight('w', [1, 3, 1, 1], [40 / scale, 0, 0]), weight('b', [1], [(-40 * level) / scale])],
    [1, 1, side, side],
  );

test('probabilities that tell much more under one find it', async () => {
  const finding = await find(brightRed(150, 255));
  assert.equal(finding?.chosen.option, 'zero-to-255', finding?.why);
  assert.deepEqual(
    finding.reasons.map(({ by }) => by),
    ['biases', 'probabilities'],
  );
  assert.deepEqual(finding.decided, { normalization: true, order: true });
});

test('probabilities that tell not much more leave it open', async () => {
  const finding = await find(brightRed(0.6, 1));
  assert.equal(finding?.decided.normalization, false, finding?.why);
  assert.ok(finding.plausible.some(({ option }) => option === 'zero-to-one'));
});

test('nodes that normalize are taken at their word', async () => {
  const model = write(
    [node('Mul', ['x', 's'], 'm'), node('Sub', ['m', 'o'], 'n'), node('ReduceMean', ['n'], 'y')],
    [weight('s', [], [1 / 127.5]), weight('o', [], [1])],
    [1, 1, 1, 1],
  );
  const finding = await find(model);
  assert.equal(finding?.chosen.option, 'zero-to-255');
  assert.deepEqual(finding.decided, { normalization: true, order: false });
  assert.deepEqual(finding.plausible, [finding.chosen]);
});

const tellsNothing = () => write([node('ReduceMean', ['x'], 'y')], [], [1, 1, 1, 1]);

test('where nothing tells, samples take turns with what is plausible', async () => {
  const finding = await find(tellsNothing());
  assert.deepEqual(finding?.decided, { normalization: false, order: false });
  assert.deepEqual(
    finding.plausible.map(({ option }) => option),
    ['minus-one-to-one', 'imagenet', 'zero-to-one'],
  );
});

test('ranges then hold for all of it', async () => {
  const model = write(
    [node('Relu', ['x'], 'r'), node('ReduceMean', ['r'], 'm'), node('Mul', ['m', 'k'], 'y')],
    [weight('k', [], [2])],
    [1, 1, 1, 1],
  );
  const { report } = await quantizeStatic({
    modelInput: model,
    calibrationDataReader: datasetReader(folder),
    runtime: 'web',
    quantFormat: 'QDQ',
    opTypesToQuantize: ['Relu'],
  });
  assert.equal(report.calibration.samples, count);
  const [low, high] = report.ranges.x!;
  // As ImageNet's, the brightest and the darkest of these pictures lie beyond −1…1.
  assert.ok(low < -1.2 && high > 1.2, `${low} to ${high}`);
});

test('what is not clear is a warning that names both and how to say it', async () => {
  const options = { modelInput: tellsNothing(), runtime: 'web', opTypesToQuantize: ['ReduceMean'] };
  const { report } = await quantizeStatic({
    ...(options as object),
    modelInput: options.modelInput,
    calibrationDataReader: datasetReader(folder),
  });
  const note = report.diagnostics.find(({ code }) => code === 'PREPROCESS_OPEN');
  assert.equal(note?.severity, 'warning');
  assert.match(note.message, /minus-one-to-one or .*imagenet/);
  assert.match(note.hint ?? '', /--preprocess minus-one-to-one/);
  assert.ok(report.calibration.assumed.includes('normalization'));
});

test('what was found is reported as found, not as a guess', async () => {
  const { report } = await quantizeStatic({
    modelInput: withStatistics(byOption('imagenet')),
    calibrationDataReader: datasetReader(folder),
    runtime: 'web',
  });
  assert.equal(report.calibration.found?.chosen.option, 'imagenet');
  assert.ok(!report.calibration.assumed.includes('normalization'));
  assert.match(report.calibration.done, /123\.675/);
  assert.ok(report.diagnostics.some(({ code }) => code === 'PREPROCESS_FOUND'));
});

test('what was said is not asked again', async () => {
  assert.equal(await find(tellsNothing(), { preprocess: 'zero-to-one' }), null);
  const order = await find(withStatistics(byOption('imagenet')), { preprocess: 'order=RGB' });
  assert.equal(order?.chosen.option, 'imagenet');
  assert.equal(order.decided.order, true);
});

test('what was found before is taken as it is, without running the model', async () => {
  const model = tellsNothing();
  const finding = (await find(model))!;
  const known = { ...finding, plausible: [byOption('zero-to-one')] };
  const { report } = await quantizeStatic({
    modelInput: model,
    calibrationDataReader: datasetReader(folder, { preprocessFinding: known }),
    runtime: 'web',
    opTypesToQuantize: ['ReduceMean'],
  });
  assert.match(report.calibration.done, /\/ 255/);
  assert.ok(report.diagnostics.some(({ code }) => code === 'PREPROCESS_OPEN'));
  // Of pictures only.
  assert.throws(
    () => datasetReader(new File([], 'x.npy'), { preprocessFinding: known }),
    /preprocessFinding is for images/,
  );
});

test('it can be cancelled', async () => {
  const controller = new AbortController();
  const finding = find(withStatistics(byOption('imagenet')), {}, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(finding, /enough/);
});
