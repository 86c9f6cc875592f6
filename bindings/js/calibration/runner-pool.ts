// Runs all samples of one pass through the float model: in workers where that surely takes long
// enough to be worth starting them; else in the calling thread at first, and in workers as soon as
// the rest is seen to take so long. The result does not depend on it: reductions are taken in the
// order of the samples, and histograms may be added in any order.

import type { QuantizeError } from '../base/errors.js';
import { originOf } from '../base/sample-origin.js';
import type { Feeds } from '../base/types.js';
import type { CoreCalibration } from '../core/calibration.js';
import type { Runtime, RuntimeKind } from '../platform/platform.js';
import type { Worker, Workers } from '../runtime/workers.js';
import { type CalibrationSeed, type PassModel, Runner, sendablePass } from './runner.js';
import type { RunnerRequest, RunnerResponse } from './serve-runner.js';
import { type WorkerGrowth, worthWorkers } from './worker-growth.js';

export interface PoolOptions {
  runtime: Runtime;
  calibration: CoreCalibration;
  seed: Omit<CalibrationSeed, 'state'>;
  /** Where workers are started; they run on. */
  workers: Workers;
  /** So many; 1: the calling thread only. */
  workerCount: number;
  /** Measures how many of them there are; absent: all. */
  growth?: WorkerGrowth | undefined;
  /** Milliseconds that a sample takes at least, in one thread; absent: not known. */
  leastMilliseconds?: number | undefined;
  /** Samples may be handed over to workers: nobody else has their arrays. */
  ownSamples: boolean;
}

/** In milliseconds. */
const decideAfter = 100;

/**
 * Milliseconds that the samples of a pass surely take where workers run them from the first on:
 * onnxruntime-web takes the calling thread as long to load as it takes them.
 */
const surelyWorth: Readonly<Record<RuntimeKind, number>> = {
  node: worthWorkers,
  web: 500,
  webgpu: worthWorkers,
};

export class RunnerPool {
  readonly #options: PoolOptions;
  #workers: WorkerRunner[] = [];
  /** So many of them have been started for the pass that is run. */
  #started = 0;
  /** Milliseconds that a sample took in a pass that the calling thread ran alone; 0: not known. */
  #measured = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * Runs `samples`, null being one that was passed over; `expected`: how many, where known.
   * `forRepairs`: whether what is reduced for repairs is kept of a sample. `onSample` is told how
   * many are done. `checkpoint` is called after each and may throw (a cancelled run): then what was
   * begun is finished first, so that exactly the samples up to a number are collected. Returns that
   * number.
   */
  async runPass(
    pass: PassModel,
    samples: AsyncIterable<Feeds | null>,
    expected: number | undefined,
    onSample: (done: number) => void,
    checkpoint: () => Promise<void>,
    forRepairs: (index: number) => boolean = () => true,
  ): Promise<number> {
    const { calibration, runtime, workers, workerCount, growth, ownSamples } = this.#options;
    const ordered = new InOrder((reductions, index) => {
      if (reductions) calibration.observeRanges(reductions, forRepairs(index));
      onSample(index + 1);
    });
    let local: Runner | null = null;
    const start = new WorkersStart();
    const more = new WorkersStart();
    let failure: unknown;
    try {
      this.#started = 0;
      // Those that made it slower.
      for (const { worker } of this.#workers.splice(this.#size)) workers.end(worker);
      if (this.#workers.length > 0 || this.#isSurelyLong(expected)) {
        await start.begin(() => this.#startWorkers(pass));
      } else {
        local = await Runner.start(runtime, pass, calibration);
      }
      let begun = 0; // neither loading nor the first sample is a measure of the others
      let index = 0;
      for await (const feeds of samples) {
        const failed = start.failure ?? more.failure;
        if (failed) throw failed;
        if (start.done && local) {
          await local.release();
          local = null;
        }
        if (feeds === null) {
          ordered.put(index, null);
        } else if (local) {
          const started = performance.now();
          ordered.put(index, await local.run(feeds, index));
          workers.took(performance.now() - started);
        } else {
          const ready = this.#workers.slice(0, Math.min(this.#started, this.#size));
          const worker = await Promise.race(ready.map((one) => one.idle()));
          worker.run(feeds, index, ordered, ownSamples);
          const rest = expected === undefined ? index : expected - index;
          const wanted = growth?.handedOver(rest);
          if (wanted) void more.begin(() => this.#startWorkers(pass, wanted));
        }
        index++;
        await checkpoint();
        if (index === 1) begun = performance.now();
        else if (local && !start.begun) {
          const elapsed = performance.now() - begun;
          this.#measured = elapsed / (index - 1);
          if (workerCount > 1 && isWorthWorkers(elapsed, index - 1, expected && expected - 1)) {
            // The calling thread goes on until they are ready.
            void start.begin(() => this.#startWorkers(pass));
          }
        }
      }
    } catch (error) {
      failure = error;
    }
    await start.settled;
    await more.settled;
    failure ??= start.failure ?? more.failure;
    // In an error of a worker too: the others have finished theirs then.
    const states = start.done ? await this.#finishWorkers(failure === undefined) : [];
    await local?.release();
    const failed = this.#workers.filter((one) => one.failure);
    for (const { worker } of failed) workers.end(worker); // with the session that it has
    if (failed[0]) throw failed[0].failure;
    // Of reductions, which were taken in order here, they hold nothing.
    if (pass.tensors) for (const state of states) calibration.add(state);
    if (failure !== undefined) throw new PassStopped(ordered.done, failure);
    return ordered.done;
  }

  #isSurelyLong(expected = 0): boolean {
    const { runtime, workerCount, leastMilliseconds = 0 } = this.#options;
    const least = Math.max(leastMilliseconds, this.#measured) * expected;
    return workerCount > 1 && least > surelyWorth[runtime.kind];
  }

  /** Workers that samples are given to. */
  get #size(): number {
    const { workerCount, growth } = this.#options;
    return growth?.size ?? workerCount;
  }

  /** Starts so many, those that run already included. */
  async #startWorkers(pass: PassModel, size = this.#size): Promise<void> {
    const { workers, runtime, calibration, seed, growth } = this.#options;
    while (this.#workers.length < size) {
      this.#workers.push(new WorkerRunner(workers.at(this.#workers.length)));
    }
    const state = calibration.fork();
    await Promise.all(
      this.#workers
        .slice(this.#started)
        .map((one) => one.start(runtime.kind, pass, { ...seed, state })),
    );
    this.#started = size;
    growth?.begin(size);
  }

  async #finishWorkers(mustSucceed: boolean): Promise<string[]> {
    const started = this.#workers.slice(0, this.#started);
    const states = await Promise.allSettled(started.map((one) => one.finish()));
    const failed = states.find((one) => one.status === 'rejected');
    if (failed && mustSucceed) throw failed.reason;
    return states.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }
}

/** The workers while they start; the calling thread goes on meanwhile. */
class WorkersStart {
  begun = false;
  done = false;
  failure: unknown;
  settled: Promise<void> = Promise.resolve();

  begin(start: () => Promise<void>): Promise<void> {
    this.begun = true;
    this.settled = start().then(
      () => {
        this.done = true;
      },
      (error: unknown) => {
        this.failure = error;
      },
    );
    return this.settled;
  }
}

/** A pass that ended early: exactly the first `done` samples were collected. */
export class PassStopped extends Error {
  readonly done: number;

  constructor(done: number, cause: unknown) {
    super('the pass was stopped', { cause });
    this.done = done;
  }
}

/** Whether the rest will take long enough; of unknown length, as long as the part so far. */
function isWorthWorkers(elapsed: number, done: number, expected: number | undefined): boolean {
  if (elapsed < decideAfter) return false;
  if (expected === undefined) return elapsed > worthWorkers;
  return (elapsed / done) * (expected - done) > worthWorkers;
}

/** Takes the results of samples as they finish and passes them on in the order of the samples. */
class InOrder {
  done = 0;
  readonly #take: (reductions: Float32Array | null, index: number) => void;
  readonly #waiting = new Map<number, Float32Array | null>();

  constructor(take: (reductions: Float32Array | null, index: number) => void) {
    this.#take = take;
  }

  put(index: number, reductions: Float32Array | null): void {
    this.#waiting.set(index, reductions);
    for (;;) {
      const next = this.#waiting.get(this.done);
      if (next === undefined) return;
      this.#waiting.delete(this.done);
      this.#take(next, this.done++);
    }
  }
}

/** A worker as a runner: one request at a time. */
class WorkerRunner {
  readonly worker: Worker;
  #failure: QuantizeError | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(worker: Worker) {
    this.worker = worker;
  }

  /** What went wrong: then no sample is run any more. */
  get failure(): QuantizeError | null {
    return this.#failure ?? this.worker.failure;
  }

  async start(runtime: Runtime['kind'], pass: PassModel, seed: CalibrationSeed): Promise<void> {
    const { pass: sent, copies } = sendablePass(pass);
    await this.#ask({ kind: 'start', runtime, pass: sent, seed }, copies);
  }

  /** Resolves once it can take a sample. Rejects with what went wrong with the one before. */
  async idle(): Promise<this> {
    await this.#running;
    if (this.failure) throw this.failure;
    return this;
  }

  run(feeds: Feeds, index: number, ordered: InOrder, own: boolean): void {
    const buffers = own
      ? Object.values(feeds).flatMap(({ data }) =>
          Array.isArray(data) ? [] : [data.buffer as ArrayBuffer],
        )
      : [];
    const origin = originOf(feeds);
    this.#running = this.#ask({ kind: 'run', feeds, index, origin }, [...new Set(buffers)]).then(
      (answer) => ordered.put(index, answer.kind === 'ran' ? answer.reductions : null),
      () => {}, // kept in `failure`
    );
  }

  async finish(): Promise<string> {
    await this.idle();
    const answer = await this.#ask({ kind: 'finish' });
    return answer.kind === 'finished' ? answer.state : '';
  }

  async #ask(request: RunnerRequest, transfer?: ArrayBuffer[]): Promise<RunnerResponse> {
    if (this.failure) throw this.failure;
    try {
      return await this.worker.ask<RunnerResponse>(request, transfer);
    } catch (error) {
      this.#failure ??= error as QuantizeError;
      throw this.#failure;
    }
  }
}
