// A model in several workers: what one session makes, and what becomes of it where one of them
// cannot. Workers are served in this thread.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import '#dist/set-up-node.js';
import { quantizeOn } from '#dist/jobs/quantize-static.js';
import { nodePlatform } from '#dist/platform/node.js';
import type { RuntimeKind } from '#dist/platform/platform.js';
import { createSessionIn } from '#dist/runtime/worker-sessions.js';
import { Workers } from '#dist/runtime/workers.js';
import { Session } from '#dist/session/session.js';
import type { QuantizationReport } from '#dist/verify/report.js';
import { runAll } from '#dist/verify/run-model.js';
import { imageSamples, model } from './support/pipeline.js';
import { nothing, port, type Spoil } from './support/worker-port.js';

const classifier = { model: fs.readFileSync(model('classifier.onnx')) };
const samples = imageSamples(9);
const goOn = async () => {};

/** A runtime with so many workers, and the requests that each of them was asked. */
async function runtimeWith(
  count: number,
  spoil: (worker: number, ...args: Parameters<Spoil>) => unknown = () => undefined,
  kind: RuntimeKind = 'web',
) {
  const asked: string[][] = [];
  const workers = new Workers({
    ...nodePlatform,
    startCalibrationWorker() {
      const requests: string[] = [];
      const index = asked.push(requests) - 1;
      return port((request, say) => {
        requests.push(request.kind);
        return spoil(index, request, say);
      });
    },
  });
  for (let i = 0; i < count; i++) workers.at(i);
  const runtime = await nodePlatform.loadRuntime({ kind, threads: 1 });
  return { runtime: { ...runtime, workers }, workers, asked };
}

test('samples are shared by the workers, with the outputs of one session in their order', async () => {
  const { runtime, asked } = await runtimeWith(2);
  const alone = await createSessionIn(9, { ...runtime, workers: undefined }, 'it', classifier);
  const names = alone.outputNames;
  const session = await createSessionIn(9, runtime, 'it', classifier);
  assert.deepEqual(session.outputNames, names);
  assert.deepEqual(session.outputTypes(), alone.outputTypes());
  const done: number[] = [];
  const times: number[] = [];
  const made = await runAll(session, samples, names, async (n) => done.push(n) && false, times);
  assert.deepEqual(made, await runAll(alone, samples, names, goOn));
  assert.deepEqual(done, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(times.length, 9);
  await session.release();
  await alone.release();
  for (const requests of asked) {
    assert.ok(requests.filter((kind) => kind === 'run-session').length >= 3, `${asked}`);
    assert.equal(requests[0], 'load-session');
    assert.equal(requests.at(-1), 'release-session');
  }
});

test('the float model and a result have workers of their own', async () => {
  const { runtime, asked } = await runtimeWith(2);
  const result = await createSessionIn('result', runtime, 'it', classifier);
  const float = await createSessionIn('float', runtime, 'it', classifier);
  assert.deepEqual([result.lanes, float.lanes], [1, 1]);
  assert.deepEqual(asked, [['load-session'], ['load-session']]);
  await result.release();
  assert.deepEqual(asked, [['load-session'], ['load-session', 'release-session']]);
  await float.release();
});

test('of onnxruntime-node one session has all threads', async () => {
  const { runtime, asked } = await runtimeWith(2, undefined, 'node');
  const session = await createSessionIn(9, runtime, 'it', classifier);
  assert.equal(session.lanes, undefined);
  await session.release();
  assert.deepEqual(asked, [[], []]);
});

test('a model that cannot be loaded is the error of the calling thread, and no session is left', async () => {
  const spoilt = { model: classifier.model.subarray(0, 100) };
  const { runtime } = await runtimeWith(2);
  const alone = await createSessionIn(9, { ...runtime, workers: undefined }, 'it', spoilt).catch(
    (e) => e,
  );
  assert.equal(alone.code, 'RUNTIME_CANNOT_LOAD');
  await assert.rejects(createSessionIn(9, runtime, 'it', spoilt), {
    code: alone.code,
    message: alone.message,
  });
});

test('where one of them has no room, the calling thread runs the model, and no session is left', async () => {
  const error = { code: 'OUT_OF_MEMORY', message: 'there is no room' };
  const { runtime, asked } = await runtimeWith(2, (worker, { kind }) =>
    worker === 1 && kind === 'load-session' ? { kind: 'failed', error } : undefined,
  );
  const session = await createSessionIn(9, runtime, 'it', classifier);
  assert.equal(session.lanes, undefined);
  assert.deepEqual(asked, [['load-session', 'release-session'], ['load-session']]);
  await session.release();
});

test('where a worker has ended, the calling thread runs the model', async () => {
  const { runtime, workers, asked } = await runtimeWith(2, (worker, { kind }, say) => {
    if (worker === 0 || kind !== 'load-session') return undefined;
    queueMicrotask(() => say(new Error('it was killed')));
    return nothing;
  });
  const session = await createSessionIn(9, runtime, 'it', classifier);
  assert.equal(session.lanes, undefined);
  assert.equal(workers.running.length, 1);
  assert.deepEqual(asked[0], ['load-session', 'release-session']);
  await session.release();
});

test('a worker that ends while it runs leaves its samples to the calling thread', async () => {
  const { runtime, workers } = await runtimeWith(2, (worker, { kind }, say) => {
    if (worker === 0 || kind !== 'run-session') return undefined;
    queueMicrotask(() => say(new Error('it was killed')));
    return nothing;
  });
  const alone = await createSessionIn(9, { ...runtime, workers: undefined }, 'it', classifier);
  const session = await createSessionIn(9, runtime, 'it', classifier);
  const names = alone.outputNames;
  const made = await runAll(session, samples, names, goOn);
  assert.deepEqual(made, await runAll(alone, samples, names, goOn));
  assert.equal(workers.running.length, 1);
  await session.release();
  await alone.release();
});

test('no more workers load a model than there are samples', async () => {
  const { runtime, asked } = await runtimeWith(3);
  const session = await createSessionIn(2, runtime, 'it', classifier);
  assert.equal(session.lanes, 2);
  assert.deepEqual(asked, [['load-session'], ['load-session'], []]);
  await session.release();
});

test('of samples that fail at a time the first is told, once all that were begun are done', async () => {
  const running = new Set<number>();
  const session = {
    lanes: 3,
    outputNames: ['y'],
    outputTypes: () => ({}),
    async run(feeds: (typeof samples)[number]) {
      const index = samples.indexOf(feeds);
      running.add(index);
      await new Promise((resolve) => setTimeout(resolve, 30 - 10 * index));
      running.delete(index);
      if (index > 0) throw new Error(`sample ${index}`);
      return {};
    },
    release: goOn,
  };
  await assert.rejects(runAll(session, samples, ['y'], goOn), /sample 1/);
  assert.equal(running.size, 0);
});

/** As if samples took so long that workers are worth their start. */
function slowSamples(count: number) {
  async function* slowly() {
    for (const [index, sample] of imageSamples(count).entries()) {
      if (index < 3) await new Promise((resolve) => setTimeout(resolve, 200));
      yield sample;
    }
  }
  return { length: count, [Symbol.asyncIterator]: slowly };
}

/** A platform whose workers are served in this thread, and what they were asked, by worker. */
function counting() {
  const asked: string[][] = [];
  const platform = {
    ...nodePlatform,
    startCalibrationWorker() {
      const requests: string[] = [];
      asked.push(requests);
      return port(({ kind }) => {
        requests.push(kind);
        return undefined;
      });
    },
  };
  return { platform, asked };
}

const told = ({ ranges, quality, effort }: QuantizationReport) => ({
  ranges,
  effort,
  quality: { ...quality, latency: typeof quality.latency?.quantized },
});

for (const effort of ['none', 'fast'] as const) {
  test(`effort ${effort}: a result is made in the workers that calibrated, with the same report`, async () => {
    const reports = [];
    for (const workers of [1, 2]) {
      const { platform, asked } = counting();
      const { report } = await quantizeOn(platform, {
        modelInput: model('classifier.onnx'),
        calibrationDataReader: slowSamples(40),
        runtime: 'web',
        effort,
        workers,
      });
      reports.push(told(report));
      assert.equal(asked.length, workers === 2 ? 2 : 0);
      for (const requests of asked) assert.ok(requests.includes('run-session'), `${requests}`);
    }
    assert.deepEqual(reports[1], reports[0]);
  });
}

test('a run that is cancelled while both models run ends once they do, and writes nothing', async () => {
  const { platform, asked } = counting();
  const controller = new AbortController();
  const progress: string[] = [];
  const run = quantizeOn(platform, {
    modelInput: model('classifier.onnx'),
    calibrationDataReader: slowSamples(40),
    runtime: 'web',
    effort: 'none',
    workers: 2,
    signal: controller.signal,
    onProgress({ stage, done, total }) {
      if (stage !== 'verify' || done === 0) return;
      progress.push(`${done} of ${total}`);
      if (done === 3) controller.abort(new Error('enough'));
    },
  });
  await assert.rejects(run, /enough/);
  assert.deepEqual(progress.slice(0, 3), ['1 of 16', '2 of 16', '3 of 16']);
  for (const requests of asked) assert.ok(requests.includes('run-session'), `${requests}`);
});

test('the workers of a session calibrate again, and make its results', async () => {
  const reports = [];
  for (const workers of [1, 2]) {
    const { platform, asked } = counting();
    const session = await Session.open(platform, {
      modelInput: model('classifier.onnx'),
      calibrationDataReader: slowSamples(40),
      runtime: 'web',
      workers,
    });
    for (const calibrateMethod of ['MinMax', 'MSE'] as const) {
      const settings = { calibrateMethod, quantFormat: 'QDQ', effort: 'none' } as const;
      await session.calibrate(settings);
      const { report } = await session.quantize(settings);
      reports.push(told(report));
    }
    session.dispose();
    assert.equal(asked.length, workers === 2 ? 2 : 0);
    for (const requests of asked) {
      assert.ok(requests.filter((kind) => kind === 'start').length >= 2, `${requests}`);
      assert.ok(requests.includes('run-session'), `${requests}`);
    }
  }
  assert.deepEqual(reports.slice(2), reports.slice(0, 2));
});
