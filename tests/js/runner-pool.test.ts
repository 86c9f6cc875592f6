// The pool of runners: the same result with and without workers, and what becomes of a worker that
// fails or ends.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import '#dist/set-up-node.js';
import { QuantizeError } from '#dist/base/errors.js';
import type { Feeds } from '#dist/base/types.js';
import { writeReductionPass } from '#dist/calibration/pass-model.js';
import { PassStopped, RunnerPool } from '#dist/calibration/runner-pool.js';
import type { RunnerResponse } from '#dist/calibration/serve-runner.js';
import { WorkerGrowth } from '#dist/calibration/worker-growth.js';
import { CoreCalibration } from '#dist/core/calibration.js';
import { ModelFiles } from '#dist/core/host-files.js';
import { CoreSession } from '#dist/core/session.js';
import { rangeOptions } from '#dist/options/core-options.js';
import { nodePlatform } from '#dist/platform/node.js';
import type { Platform } from '#dist/platform/platform.js';
import { Workers } from '#dist/runtime/workers.js';
import { collapsing } from './support/collapsing.js';
import { checkQuantizeStatic } from './support/options.js';
import { imageSamples, model } from './support/pipeline.js';
import { nothing, port, type Spoil } from './support/worker-port.js';

const count = 12;

/** One pass of MinMax; the ranges, and how many samples workers ran. */
async function run(
  workers: number,
  spoil: Spoil = () => undefined,
  more: {
    patience?: number;
    growth?: WorkerGrowth;
    leastMilliseconds?: number;
    samples?: number;
    /** So many are run before, in a pass of their own. */
    before?: number;
  } = {},
) {
  const { samples = count, before = 0, patience, ...options } = more;
  const input = await nodePlatform.openInput(model('classifier.onnx'), {});
  const files = new ModelFiles(input);
  const core = await CoreSession.create(files);
  const summary = core.open();
  core.configure({});
  core.prepare();
  const tensors = core.calibrationTensors();
  const rangesOf = rangeOptions(checkQuantizeStatic({}));
  const calibration = await CoreCalibration.create(rangesOf, tensors);
  let byWorkers = 0;
  let ports = 0;
  const platform: Platform<unknown> = {
    ...nodePlatform,
    startCalibrationWorker() {
      ports++;
      return port((request, say) => {
        if (request.kind === 'run') byWorkers++;
        return spoil(request, say);
      });
    },
  };
  const runtime = await nodePlatform.loadRuntime({ kind: 'web', threads: 1 });
  const seed = { options: rangesOf, tensors };
  const threads = new Workers(platform, patience);
  const pool = new RunnerPool({
    runtime,
    calibration,
    seed,
    workers: threads,
    workerCount: workers,
    ownSamples: false,
    ...options,
  });
  try {
    const done: number[] = [];
    const pass = writeReductionPass(core, files, input, summary, tensors, true);
    if (before > 0) {
      const first = slowly(imageSamples(before));
      await pool.runPass(
        pass,
        first,
        before,
        () => {},
        async () => {},
      );
      assert.equal(byWorkers, 0);
    }
    const ran = await pool.runPass(
      pass,
      slowly(imageSamples(samples)),
      1e6, // as if there were so many that workers are worth their start
      (number) => done.push(number),
      async () => {},
    );
    calibration.endPass();
    return { ranges: calibration.ranges(), byWorkers, ports, ran, done };
  } finally {
    threads.close();
    calibration.dispose();
    core.dispose();
    input.close();
  }
}

/** The second sample takes as long as the pool waits before it decides. */
async function* slowly(samples: Feeds[]): AsyncGenerator<Feeds> {
  for (const [index, feeds] of samples.entries()) {
    if (index === 1) await new Promise((resolve) => setTimeout(resolve, 120));
    yield feeds;
    // Time for workers to start.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** On a machine of which the clock says that `speed` workers are that much faster than one. */
async function grown(speed: (workers: number) => number) {
  let time = 0;
  const growth = new WorkerGrowth(16, () => time);
  const spoil: Spoil = ({ kind }) => {
    if (kind === 'run') time += 1000 / speed(growth.size);
  };
  return { ...(await run(16, spoil, { growth, samples: 120 })), growth };
}

const failed = (error: object): RunnerResponse => ({
  kind: 'failed',
  error: { code: 'RUNTIME_FAILED', message: 'it broke', ...error },
});

test('workers give the ranges of the calling thread, reported in the order of the samples', async () => {
  const alone = await run(1);
  const three = await run(3);
  assert.equal(alone.byWorkers, 0);
  assert.ok(three.byWorkers > 0);
  assert.equal(three.ranges, alone.ranges);
  const inOrder = Array.from({ length: count }, (_, i) => i + 1);
  assert.deepEqual(three.done, inOrder);
  assert.deepEqual(alone.done, inOrder);
  assert.equal(three.ran, count);
});

test('so many workers start as help, and give the same ranges', async () => {
  const alone = await run(1, undefined, { samples: 120 });
  const all = await grown((workers) => workers);
  assert.deepEqual([all.ports, all.growth.note], [16, null]);
  const few = await grown((workers) => Math.min(workers, 4.2));
  assert.deepEqual([few.ports, few.growth.size], [8, 8]);
  assert.equal(few.growth.note?.code, 'CALIBRATION_WORKERS');
  for (const { ranges, ran } of [all, few]) {
    assert.equal(ranges, alone.ranges);
    assert.equal(ran, 120);
  }
});

test('without a measurement all start at once', async () => {
  const { ports } = await run(6);
  assert.equal(ports, 6);
});

test('where samples surely take long, workers run all of them', async () => {
  // Half a second in WebAssembly, of the samples that run() says there are.
  const { ranges, byWorkers } = await run(2, undefined, { leastMilliseconds: 6e-4 });
  assert.equal(byWorkers, count);
  const alone = await run(1, undefined, { leastMilliseconds: 1 });
  assert.equal(alone.byWorkers, 0);
  assert.equal(ranges, alone.ranges);
  const short = await run(2, undefined, { leastMilliseconds: 4e-4 });
  assert.ok(short.byWorkers < count);
});

test('where the samples of a pass before took long, workers run all of them', async () => {
  const { byWorkers } = await run(2, undefined, { before: 2 });
  assert.equal(byWorkers, count);
});

test('an error of a worker arrives whole', async () => {
  const details = { node: 'Conv_0', tensor: 'x', hint: 'mend it', cause: 'a cause' };
  await assert.rejects(
    run(2, (request) => (request.kind === 'run' ? failed(details) : undefined)),
    (error) => {
      assert.ok(error instanceof QuantizeError, `${error}`);
      const { code, message, node, tensor, hint, cause } = error;
      assert.deepEqual(
        { code, message, node, tensor, hint, cause: (cause as Error).message },
        { code: 'RUNTIME_FAILED', message: 'it broke', ...details },
      );
      return true;
    },
  );
});

test('a worker that ends while it runs a sample is an error, not a wait without end', async () => {
  await assert.rejects(
    run(2, (request) => (request.kind === 'run' ? new Error('it was killed') : undefined)),
    { code: 'WORKER_FAILED', message: /a calibration worker stopped: it was killed/ },
  );
});

test('a worker that cannot start stops the pass with the samples up to there', async () => {
  await assert.rejects(
    run(2, (request) => (request.kind === 'start' ? failed({}) : undefined)),
    (error) =>
      (error instanceof QuantizeError && error.code === 'RUNTIME_FAILED') ||
      (error instanceof PassStopped && error.done > 0),
  );
});

test('a worker that ends while nobody asks it anything is noticed with the next request', async () => {
  for (const kind of ['start', 'run'] as const) {
    let ended: unknown = null;
    const outcome = run(2, (request, say) => {
      if (ended === say) return nothing;
      if (ended || request.kind !== kind) return undefined;
      ended = say;
      // The answer comes, then the end, before anything else is asked.
      queueMicrotask(() => {
        say(kind === 'start' ? { kind: 'started' } : { kind: 'ran', reductions: null });
        say(new Error('it ended with code 0'));
      });
      return nothing;
    });
    await assert.rejects(outcome, (error) => {
      const { cause } = error as { cause?: unknown };
      const reason = error instanceof PassStopped ? cause : error;
      assert.ok(reason instanceof QuantizeError && reason.code === 'WORKER_FAILED', `${error}`);
      assert.match(reason.message, /it ended with code 0/);
      return true;
    });
  }
});

test('a worker that does not answer any more, without an event, is given up', async () => {
  for (const kind of ['start', 'run', 'finish'] as const) {
    await assert.rejects(
      run(2, (request) => (request.kind === kind ? nothing : undefined), { patience: 1000 }),
      (error) => {
        const reason = error instanceof PassStopped ? error.cause : error;
        assert.ok(reason instanceof QuantizeError && reason.code === 'WORKER_FAILED', `${error}`);
        assert.match(reason.message, /no answer for/);
        return true;
      },
      kind,
    );
  }
});

test('workers start whatever flags the program was started with', () => {
  const library = import.meta.resolve('onnx-ptq');
  const script = `
    import { quantizeStatic } from ${JSON.stringify(library)};
    const data = Float32Array.from({ length: 256 }, (_, i) => i - 128);
    const sample = { x: { type: 'float32', dims: [1, 16, 4, 4], data } };
    // Slow enough for workers to be worth it.
    async function* slowly() {
      for (let i = 0; i < 30; i++) {
        await new Promise((done) => setTimeout(done, 100));
        yield sample;
      }
    }
    const { report } = await quantizeStatic({
      modelInput: ${JSON.stringify(collapsing())},
      calibrationDataReader: slowly(),
      workers: 2,
      effort: 'none',
    });
    console.log(report.calibration.samples);`;
  const args = ['--max-old-space-size=4096', '--input-type=module', '--eval', script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(stdout.trim(), '30', stderr);
});
