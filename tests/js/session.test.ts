// A session gives what runs by themselves give, from one calibration.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Feeds } from '#dist/base/types.js';
import {
  openSession,
  type QuantizationReport,
  quantizeStatic,
  type SessionSettings,
  type TensorHistogram,
} from '#dist/index.js';
import { writeModel } from './support/onnx-writer.js';
import { imageSamples, model, noise, temporaryFolder } from './support/pipeline.js';
import { isError } from './support/readers.js';

const file = model('classifier.onnx');
const holdOut = 3;

/** Samples that count how often they are read from the beginning. */
function counted(samples: Feeds[]) {
  const reads = { count: 0 };
  const reader = {
    length: samples.length,
    *[Symbol.iterator]() {
      reads.count++;
      yield* samples;
    },
  };
  return { reader, reads };
}

async function withSession<T>(
  work: (session: Awaited<ReturnType<typeof openSession>>, reads: { count: number }) => Promise<T>,
  options: object = {},
): Promise<T> {
  const { reader, reads } = counted(imageSamples(12));
  const session = await openSession({
    modelInput: file,
    calibrationDataReader: reader,
    holdOut,
    runtime: 'web',
    ...options,
  });
  try {
    return await work(session, reads);
  } finally {
    session.dispose();
  }
}

const alone = async (settings: SessionSettings) =>
  quantizeStatic({
    modelInput: file,
    calibrationDataReader: imageSamples(12),
    holdOut,
    runtime: 'web',
    ...settings,
  });

const many: SessionSettings[] = [
  {},
  { quantFormat: 'QDQ' },
  { quantFormat: 'QDQ', perChannel: true, activationType: 'QInt8', weightType: 'QInt8' },
  { perChannel: true, weightType: 'QInt8' },
  { quantFormat: 'QDQ', calibrateMethod: 'Entropy' },
  { quantFormat: 'QDQ', calibrateMethod: 'Percentile' },
  { quantFormat: 'QDQ', calibrateMethod: 'Percentile', extraOptions: { CalibPercentile: 99 } },
  {
    quantFormat: 'QDQ',
    calibrateMethod: 'Percentile',
    extraOptions: { CalibTensorRangeSymmetric: false },
  },
  { quantFormat: 'QDQ', calibrateMethod: 'MSE' },
  { quantFormat: 'QDQ', calibrateMethod: 'auto', activationType: 'QInt8', weightType: 'QInt8' },
  { quantFormat: 'QDQ', extraOptions: { ActivationSymmetric: true } },
  { quantFormat: 'QDQ', extraOptions: { CalibMovingAverage: true } },
  { opTypesToQuantize: ['Conv'] },
  { quantFormat: 'QDQ', activationType: 'QUInt16', weightType: 'QInt8' },
  { optimizeModel: false },
  { effort: 'fast', quantFormat: 'QDQ' },
  { effort: 'fast', calibrateMethod: 'Entropy', quantFormat: 'QDQ' },
  { quantFormat: 'QDQ' },
];

/** How the outputs compare: times are others at every run. */
const judged = ({ quality }: QuantizationReport) => ({ ...quality, latency: null });

test('results have the bytes of runs by themselves, in any order of settings', async () => {
  await withSession(async (session) => {
    for (const settings of many) {
      const label = JSON.stringify(settings);
      const inSession = await session.quantize(settings);
      const byItself = await alone(settings);
      assert.ok(
        Buffer.from(inSession.model as Uint8Array).equals(byItself.model as Uint8Array),
        label,
      );
      assert.deepEqual(inSession.report.ranges, byItself.report.ranges, label);
      assert.deepEqual(judged(inSession.report), judged(byItself.report), label);
      assert.deepEqual(inSession.report.nodesLeftFloat, byItself.report.nodesLeftFloat, label);
      const codes = (diagnostics: { code: string }[]) =>
        diagnostics.flatMap(({ code }) => (code === 'SLOWER_THAN_FLOAT' ? [] : [code])).sort();
      assert.deepEqual(
        codes(inSession.report.diagnostics),
        codes(byItself.report.diagnostics),
        label,
      );
    }
  });
});

test('a plan says what a result will be, before and after calibrating', async () => {
  await withSession(async (session) => {
    for (const settings of many.slice(0, 4)) {
      const label = JSON.stringify(settings);
      const before = await session.plan(settings);
      const { report } = await session.quantize(settings);
      const after = await session.plan(settings);
      assert.equal(after.isExact, true);
      assert.equal(after.calibration, null);
      assert.deepEqual(after.nodesQuantized, report.nodesQuantized, label);
      assert.deepEqual(after.nodesLeftFloat, report.nodesLeftFloat, label);
      assert.deepEqual(before.nodesLeftFloat, report.nodesLeftFloat, label);
      assert.equal(after.weights.float, report.weights.floatBytes, label);
      assert.equal(
        after.weights.given,
        after.weights.quantized + after.weights.folded + after.weights.float,
      );
      assert.equal(after.opsetAfter, report.opsetAfter, label);
      const error = Math.abs(after.bytesAfter - report.bytesAfter);
      assert.ok(error < 4096, `${label}: ${after.bytesAfter} instead of ${report.bytesAfter}`);
    }
  });
});

test('plans of other settings leave a search for repairs as it is', async () => {
  const settings: SessionSettings = { quantFormat: 'QDQ', weightType: 'QInt4', effort: 'max' };
  const expected = await withSession((session) => session.quantize(settings));
  await withSession(async (session) => {
    await session.calibrate(settings);
    let plans = 0;
    let isPlanning = false;
    const result = await session.quantize(settings, {
      onProgress({ sqnr }) {
        if (sqnr === undefined || isPlanning) return;
        isPlanning = true;
        void session.plan({ quantFormat: 'QOperator', effort: 'none' }).then((plan) => {
          assert.deepEqual(plan.blockers, []);
          isPlanning = false;
          plans++;
        });
      },
    });
    assert.ok(plans > 0);
    assert.ok(result.report.effort!.tried.some(({ repairs }) => repairs.round));
    assert.deepEqual(result.report.effort, expected.report.effort);
    assert.equal(result.sha256, expected.sha256);
  });
});

test('samples are read once for settings that need the same statistics, and a plan says when not', async () => {
  await withSession(async (session, reads) => {
    const whyOf = async (settings: SessionSettings) => {
      const { calibration } = await session.plan(settings);
      return calibration && [calibration.why, calibration.passes, ...calibration.names];
    };
    assert.deepEqual(await whyOf({}), ['FIRST', 1]);
    await session.calibrate();
    const after = reads.count;
    for (const settings of [
      {},
      { perChannel: true, weightType: 'QInt8' },
      { quantFormat: 'QDQ', nodesToExclude: [] },
      { effort: 'fast', quantFormat: 'QDQ' },
      { quantFormat: 'QDQ', extraOptions: { ActivationSymmetric: true } },
      { opTypesToQuantize: ['Conv'] },
    ] satisfies SessionSettings[]) {
      assert.equal(await whyOf(settings), null);
      await session.quantize(settings);
    }
    assert.equal(reads.count, after);
    assert.deepEqual(await whyOf({ calibrateMethod: 'Entropy' }), [
      'METHOD',
      1,
      'calibrate_method',
    ]);
    assert.deepEqual(await whyOf({ optimizeModel: false }), ['PREPARED', 1, 'optimize_model']);
    assert.deepEqual(await whyOf({ extraOptions: { CalibMovingAverage: true } }), [
      'SETTINGS',
      1,
      'extra_options',
    ]);
    const { methods } = await session.calibrate({}, { methods: 'all' });
    assert.deepEqual(methods, ['MinMax', 'Entropy', 'Percentile', 'Distribution', 'MSE', 'auto']);
    const all = reads.count;
    for (const calibrateMethod of methods) await session.quantize({ calibrateMethod });
    assert.equal(reads.count, all);
  });
});

test('what was collected before a call is cancelled is kept, and gone on from', async () => {
  await withSession(async (session) => {
    const controller = new AbortController();
    await assert.rejects(
      session.calibrate(
        {},
        {
          signal: controller.signal,
          onProgress: ({ stage, done }) => {
            if (stage === 'calibrate' && done >= 4) controller.abort();
          },
        },
      ),
      { name: 'AbortError' },
    );
    const { calibration } = await session.plan();
    assert.ok(calibration && calibration.done >= 4, `kept ${calibration?.done}`);
    const progress: number[] = [];
    const onProgress = ({ stage, done }: { stage: string; done: number }) => {
      if (stage === 'calibrate' && done > 0) progress.push(done);
    };
    const summary = await session.calibrate({}, { onProgress });
    assert.ok(progress[0]! > 4, `went on at ${progress[0]}`);
    assert.deepEqual([summary.samples, summary.heldOut], [9, 3]);
    const { model: bytes, report } = await session.quantize();
    const byItself = await alone({});
    assert.ok(Buffer.from(bytes as Uint8Array).equals(byItself.model as Uint8Array));
    assert.deepEqual(judged(report), judged(byItself.report));
  });
});

test('a call that is cancelled when its last pass is through is gone on from, too', async () => {
  const samples = imageSamples(12);
  for (const [calibrateMethod, passes] of [
    ['MinMax', 1],
    ['Entropy', 2],
  ] as const) {
    const controller = new AbortController();
    let reads = 0;
    const reader = {
      length: samples.length,
      *[Symbol.iterator]() {
        yield* samples;
        if (++reads === passes) controller.abort();
      },
    };
    const session = await openSession({
      modelInput: file,
      calibrationDataReader: reader,
      holdOut,
      runtime: 'web',
    });
    try {
      const { signal } = controller;
      await assert.rejects(session.calibrate({ calibrateMethod }, { signal }), {
        name: 'AbortError',
      });
      assert.equal(reads, passes);
      const summary = await session.calibrate({ calibrateMethod });
      assert.deepEqual([summary.samples, summary.heldOut], [9, 3]);
      const { model: bytes } = await session.quantize({ calibrateMethod });
      const byItself = await alone({ calibrateMethod });
      assert.ok(Buffer.from(bytes as Uint8Array).equals(byItself.model as Uint8Array));
    } finally {
      session.dispose();
    }
  }
});

test('a result survives a later one that is cancelled or refused', async () => {
  await withSession(async (session) => {
    const first = await session.quantize();
    const aborted = AbortSignal.abort();
    await assert.rejects(session.quantize({ perChannel: true }, { signal: aborted }));
    await assert.rejects(
      session.quantize({ nodesToExclude: ['nowhere'] }),
      isError('INVALID_OPTION', /nowhere/),
    );
    const again = await session.quantize();
    assert.equal(again.sha256, first.sha256);
  });
});

test('settings that cannot be carried out are blockers of the plan, with a hint', async () => {
  await withSession(async (session) => {
    const { blockers } = await session.plan({ nodesToExclude: ['nowhere'] });
    assert.equal(blockers.length, 1);
    assert.equal(blockers[0]!.code, 'INVALID_OPTION');
    assert.match(blockers[0]!.message, /nowhere/);
  });
});

test('other samples are an explicit call, and what was collected of the former is forgotten', async () => {
  await withSession(async (session) => {
    const { report } = await session.quantize();
    await session.setSamples(
      imageSamples(12).map(({ image }) => ({
        image: { ...image!, data: noise(192, 7).map((x) => 9 * x) },
      })),
    );
    assert.equal((await session.plan()).calibration?.why, 'FIRST');
    const other = await session.quantize();
    assert.notDeepEqual(other.report.ranges, report.ranges);
    await session.setSamples(null);
    assert.equal((await session.plan()).calibration?.why, 'NO_SAMPLES');
    await assert.rejects(session.calibrate(), isError('INVALID_OPTION', /nothing to calibrate/));
    // Ranges from a file need none.
    const { calibrationCache } = report;
    const cached = await session.quantize({ calibrationCache });
    assert.deepEqual(cached.report.ranges, report.ranges);
  });
});

test('a sample goes through the float model and a result; both are timed', async () => {
  await withSession(async (session) => {
    const result = await session.quantize({ quantFormat: 'QDQ' });
    const held = await session.compare(result, { heldOut: 0 });
    assert.deepEqual(Object.keys(held.feeds), ['image']);
    const [output] = held.outputs;
    assert.equal(output!.float.length, output!.quantized.length);
    assert.notDeepEqual(output!.float, output!.quantized);
    assert.equal(held.quality[0]!.name, output!.name);
    const own = await session.compare(result, { reader: imageSamples(1) });
    assert.deepEqual(own.feeds.image!.data, imageSamples(1)[0]!.image!.data);
    await assert.rejects(session.compare(result, { heldOut: 99 }), isError('NO_SAMPLES', /99/));
    const latency = await session.latency(result, { runs: 3 });
    assert.ok(latency.float > 0 && latency.quantized > 0);
    assert.equal(latency.runs, 3);
  });
});

test('histograms of some tensors come while samples are run, with what the method cuts off', async () => {
  await withSession(async (session) => {
    const seen: TensorHistogram[][] = [];
    await session.calibrate({}, { onHistograms: (histograms) => seen.push(histograms) });
    assert.ok(seen.length > 0);
    for (const { tensor, lowest, highest, counts, clip } of seen.at(-1)!) {
      assert.equal(counts.length, 64, tensor);
      assert.ok(counts.reduce((sum, count) => sum + count) > 0, tensor);
      assert.ok(lowest <= clip[0] && clip[0] <= clip[1] && clip[1] <= highest, tensor);
    }
  });
});

test('a quick result is compared on a few of the samples that were held out, verify() on all', async () => {
  const session = await openSession({
    modelInput: file,
    calibrationDataReader: imageSamples(40),
    holdOut: 12,
    runtime: 'web',
  });
  const settings = { quantFormat: 'QDQ' } as const;
  const quick = await session.quantize(settings, { quick: true });
  const whole = await session.quantize(settings);
  const verified = await session.verify(quick);
  session.dispose();
  assert.equal(quick.sha256, whole.sha256);
  assert.equal(quick.report.quality.samples, 8);
  assert.equal(quick.report.quality.heldOut, true);
  assert.equal(quick.report.quality.latency, null);
  assert.equal(verified.samples, 12);
  assert.deepEqual(verified, judged(whole.report));
});

test('a tensor is observed: its histogram, and the range that each method gives it', async () => {
  await withSession(async (session) => {
    const { report } = await session.quantize({ quantFormat: 'QDQ' });
    const tensor = Object.keys(report.ranges).at(-1)!;
    const seen = await session.observe(tensor, { quantFormat: 'QDQ' });
    assert.equal(seen.tensor, tensor);
    assert.equal(seen.samples, 8);
    assert.ok(seen.counts.reduce((sum, count) => sum + count) > 0);
    assert.deepEqual(Object.keys(seen.ranges).sort(), ['Entropy', 'MSE', 'MinMax', 'Percentile']);
    assert.deepEqual(seen.ranges.MinMax, [seen.lowest, seen.highest]);
    for (const [low, high] of Object.values(seen.ranges)) assert.ok(low < high);
    await assert.rejects(session.observe('none'), isError('INVALID_OPTION', /"none"/));
    // What it looked at changes nothing.
    assert.equal((await session.plan({ quantFormat: 'QDQ' })).calibration, null);
  });
});

test('the graph is told as it was given', async () => {
  await withSession(async (session) => {
    const nodes = await session.graph();
    assert.equal(nodes.length, session.model.nodes);
    const made = new Set(nodes.flatMap(({ outputs }) => outputs));
    for (const { name } of session.model.outputs) assert.ok(made.has(name), name);
  });
});

test('comparing does not wait for what makes results', async () => {
  await withSession(async (session) => {
    const result = await session.quantize({ quantFormat: 'QDQ' });
    const done: string[] = [];
    await Promise.all([
      session.calibrate({}, { methods: 'all' }).then(() => done.push('calibrated')),
      session.compare(result, { heldOut: 0 }).then(() => done.push('compared')),
    ]);
    assert.deepEqual(done, ['compared', 'calibrated']);
  });
});

test('the channels of a layer’s weight are told as the result has them', async () => {
  await withSession(async (session) => {
    const settings = { quantFormat: 'QDQ', weightType: 'QInt8' } as const;
    const result = await session.quantize(settings);
    const own = await session.quantize({ ...settings, perChannel: true });
    const { name } = result.report.nodesQuantized.find(({ opType }) => opType === 'Conv')!;
    const shared = (await session.channels(result, name))!;
    const apart = (await session.channels(own, name))!;
    assert.equal(shared.perChannel, false);
    assert.equal(apart.perChannel, true);
    assert.ok(shared.lowest.length > 1);
    assert.equal(apart.lowest.length, shared.lowest.length);
    for (const [channel, lowest] of shared.lowest.entries()) {
      assert.ok(lowest <= shared.highest[channel]!);
      // The same weight, but for its rounding.
      assert.ok(Math.abs(lowest - apart.lowest[channel]!) < 0.05, `${lowest}`);
    }
    assert.equal(await session.channels(result, 'none'), null);
  });
});

test('an operator that the runtime does not know is a blocker before anything is calibrated', async () => {
  const foo = (input: string, output: string) => ({
    opType: 'Foo',
    name: 'foo',
    domain: 'my.company',
    inputs: [input],
    outputs: [output],
  });
  const relu = (input: string, output: string) => ({
    opType: 'Relu',
    name: 'relu',
    inputs: [input],
    outputs: [output],
  });
  // Of the last one's output the model says the type itself.
  for (const nodes of [
    [foo('x', 'h'), relu('h', 'y')],
    [relu('x', 'h'), foo('h', 'y')],
  ]) {
    const foreign = path.join(temporaryFolder(), 'foreign.onnx');
    const inputs = [{ name: 'x', dims: [1, 4] }];
    writeModel(foreign, { nodes, weights: [], inputs, outputs: [{ name: 'y', dims: [1, 4] }] });
    const session = await openSession({ modelInput: foreign, runtime: 'web' });
    const { blockers } = await session.plan();
    session.dispose();
    assert.equal(blockers[0]?.code, 'RUNTIME_CANNOT_LOAD');
    assert.match(blockers[0]!.message, /no operator Foo of domain my\.company/);
    assert.match(blockers[0]!.hint ?? '', /export the model without it/);
  }
});

test('a closed session refuses calls', async () => {
  const session = await openSession({ modelInput: file });
  session.dispose();
  await assert.rejects(async () => session.plan(), isError('SESSION_CLOSED', /closed/));
});

const mobilenet = '/work/shared/data/models/mobilenetv2-7.onnx';
test('a real model is calibrated once for results of other settings', {
  skip: !fs.existsSync(mobilenet),
}, async () => {
  const { reader, reads } = counted(
    Array.from({ length: 6 }, (_, i) => ({
      data: { type: 'float32', dims: [1, 3, 224, 224], data: noise(3 * 224 * 224, i) },
    })),
  );
  const session = await openSession({ modelInput: mobilenet, calibrationDataReader: reader });
  const qdq = { effort: 'none', quantFormat: 'QDQ', perChannel: true } as const;
  assert.equal((await session.plan(qdq)).calibration?.why, 'FIRST');
  const first = await session.quantize(qdq, { quick: true });
  const plan = await session.plan({ ...qdq, reduceRange: true });
  assert.equal(plan.calibration, null);
  assert.ok(plan.isExact);
  const next = await session.quantize({ ...qdq, reduceRange: true }, { quick: true });
  session.dispose();
  assert.notEqual(next.sha256, first.sha256);
  assert.equal(reads.count, 1);
});
