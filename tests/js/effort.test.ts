// Whole runs with an effort, on a model that collapses when its weights have one scale.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Feeds } from '#dist/base/types.js';
import { calibrate, QuantizeError, quantizeStatic } from '#dist/index.js';
import { writeModel } from './support/onnx-writer.js';
import { imageSamples, model, noise, temporaryFolder } from './support/pipeline.js';

const channels = 16;
/** Channels of the first layer are up to 4000 times apart, and those of the second undo it. */
function collapsing(): string {
  const file = path.join(temporaryFolder(), 'collapsing.onnx');
  const scale = (channel: number) => 4000 ** (channel / channels);
  const first = noise(channels * channels, 1).map((w, i) => w * scale(Math.floor(i / channels)));
  const second = noise(channels * channels, 2).map((w, i) => w / scale(i % channels));
  const weight = (name: string, pattern: Float32Array) => ({
    name,
    dims: [channels, channels, 1, 1],
    pattern,
  });
  writeModel(file, {
    nodes: [
      { opType: 'Conv', name: 'first', inputs: ['x', 'w'], outputs: ['a'] },
      { opType: 'Relu', name: 'relu', inputs: ['a'], outputs: ['h'] },
      { opType: 'Conv', name: 'second', inputs: ['h', 'v'], outputs: ['y'] },
    ],
    weights: [weight('w', first), weight('v', second)],
    inputs: [{ name: 'x', dims: [1, channels, 4, 4] }],
    outputs: [{ name: 'y', dims: [1, channels, 4, 4] }],
  });
  return file;
}

const samples = (count: number): Feeds[] =>
  Array.from({ length: count }, (_, i) => ({
    x: { type: 'float32', dims: [1, channels, 4, 4], data: noise(channels * 16, i + 1) },
  }));

const run = (options: object) =>
  quantizeStatic({
    modelInput: collapsing(),
    calibrationDataReader: samples(24),
    ...options,
  } as never);

test('fast mends a model whose weights need equalizing, and says what it did', async () => {
  const { report: none } = await run({});
  const { report } = await run({ effort: 'fast' });
  assert.ok(none.quality.sqnr! < 8, `plain ${none.quality.sqnr}`);
  assert.ok(report.quality.sqnr! > 25, `fast ${report.quality.sqnr}`);
  assert.equal(none.effort, null);
  assert.equal(report.effort?.held, 8);
  assert.equal(report.calibration.samples, 16);
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

test('a model that needs no repair keeps the result of none, but for the samples held out', async () => {
  const options = { modelInput: model('classifier.onnx'), quantFormat: 'QDQ' as const };
  const { report } = await quantizeStatic({
    ...options,
    calibrationDataReader: imageSamples(24),
    effort: 'fast',
  });
  const first = report.effort!.tried[0]!;
  assert.ok(first.accepted && Object.values(first.repairs).every((repair) => !repair));
  const last = report.effort!.tried.filter(({ accepted }) => accepted).at(-1)!;
  assert.deepEqual(last.repairs, report.effort!.repairs);
  assert.ok(last.sqnr! >= first.sqnr!);
});

test('with too few samples nothing is tried, and a warning says so', async () => {
  const { report } = await run({ effort: 'fast', calibrationDataReader: samples(5) });
  assert.equal(report.calibration.samples, 5);
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
  await refused({ calibrateMethod: 'MSE' });
  await refused({ extraOptions: { EnableSubgraph: true } });
  const { calibrationCache } = await calibrate({
    modelInput: collapsing(),
    calibrationDataReader: samples(2),
  });
  await refused({ calibrationCache });
});
