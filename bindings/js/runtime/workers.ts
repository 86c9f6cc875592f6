// Threads that have the runtime loaded. Calibration starts them for its samples; what follows in
// the same job goes on in them, since loading the runtime takes as long as many of its runs.

import { type ErrorData, errorFromData, type QuantizeError } from '../base/errors.js';
import type { Platform, Runtime, WorkerPort } from '../platform/platform.js';

/** In milliseconds: a session of a large model takes its time to load. */
const leastPatience = 5 * 60_000;

/**
 * How long a worker may take for an answer. A browser does not always say that one has ended, and
 * one that runs a sample cannot be asked; but what takes a hundred times as long as the longest
 * until now is not going to come.
 */
class Deadline {
  #longest = 0;
  readonly #fixed: number | undefined;

  constructor(fixed: number | undefined) {
    this.#fixed = fixed;
  }

  /** Something took so many milliseconds. */
  took(time: number): void {
    this.#longest = Math.max(this.#longest, time);
  }

  /** Calls `late` once the time is over. Returns an end. Time that the machine sleeps is none. */
  watch(late: (seconds: number) => void): () => void {
    const patience = this.#fixed ?? Math.max(leastPatience, 100 * this.#longest);
    const step = Math.min(1000, patience / 4);
    let waited = 0;
    const timer = setInterval(() => {
      waited += step;
      if (waited >= patience) late(Math.round(patience / 1000));
    }, step);
    return () => clearInterval(timer);
  }
}

/** What any request may be answered with. */
export interface Failed {
  kind: 'failed';
  error: ErrorData;
}

const isFailed = (answer: unknown): answer is Failed => (answer as Failed).kind === 'failed';

/** A worker of calibration/serve-runner.ts. */
export class Worker {
  /** That it has ended, and why: then no request is answered any more. */
  failure: QuantizeError | null = null;
  /** Requests that are not answered yet. */
  pending = 0;
  readonly #port: WorkerPort;
  readonly #deadline: Deadline;
  #answered: ((answer: unknown) => void) | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(port: WorkerPort, deadline: Deadline) {
    this.#port = port;
    this.#deadline = deadline;
    port.onMessage((message) => {
      if (message instanceof Error) this.#ended(message.message);
      else this.#answered?.(message);
    });
  }

  /**
   * One request after the other. Rejects with what the worker says is wrong, or with WORKER_FAILED.
   */
  ask<Answer>(request: unknown, transfer?: ArrayBuffer[]): Promise<Answer> {
    this.pending++;
    const answer = this.#last.then(() => this.#ask<Answer>(request, transfer));
    this.#last = answer.then(
      () => this.pending--,
      () => this.pending--,
    );
    return answer;
  }

  terminate(): void {
    this.#port.terminate();
    this.#ended('it was ended');
  }

  /** Whether or not somebody waits for an answer: the next who asks is told, too. */
  #ended(why: string): void {
    const error = { code: 'WORKER_FAILED', message: `a calibration worker stopped: ${why}` };
    this.failure ??= errorFromData(error);
    this.#answered?.({ kind: 'failed', error });
  }

  async #ask<Answer>(request: unknown, transfer?: ArrayBuffer[]): Promise<Answer> {
    if (this.failure) throw this.failure;
    const started = performance.now();
    let unwatch = () => {};
    const answer = await new Promise<unknown>((resolve) => {
      this.#answered = resolve;
      unwatch = this.#deadline.watch((seconds) => this.#ended(`no answer for ${seconds} s`));
      this.#port.post(request, transfer);
    }).finally(() => unwatch());
    this.#answered = null;
    this.#deadline.took(performance.now() - started);
    if (!isFailed(answer)) return answer as Answer;
    throw this.failure ?? errorFromData(answer.error);
  }
}

/** The workers of a job. */
export class Workers {
  readonly #platform: Platform<unknown>;
  readonly #deadline: Deadline;
  #all: Worker[] = [];

  /** `patience`: milliseconds that one may take for an answer; absent: see Deadline. */
  constructor(platform: Platform<unknown>, patience?: number) {
    this.#platform = platform;
    this.#deadline = new Deadline(patience);
  }

  /** Those that answer. */
  get running(): readonly Worker[] {
    return this.#all.filter(({ failure }) => failure === null);
  }

  /** Number `index` of them; it is started where there are no more than `index`. */
  at(index: number): Worker {
    return this.running[index] ?? this.#start();
  }

  end(worker: Worker): void {
    worker.terminate();
    this.#all = this.#all.filter((one) => one !== worker);
  }

  /** Ends all but so many of those that answer. */
  keep(count: number): void {
    const kept = new Set(this.running.slice(0, count));
    for (const worker of this.#all) if (!kept.has(worker)) this.end(worker);
  }

  /** Ends all of them. */
  close(): void {
    for (const worker of this.#all) worker.terminate();
    this.#all = [];
  }

  /** Something that a worker may be measured by took so many milliseconds. */
  took(time: number): void {
    this.#deadline.took(time);
  }

  #start(): Worker {
    const worker = new Worker(this.#platform.startCalibrationWorker(), this.#deadline);
    this.#all.push(worker);
    return worker;
  }
}

/** A runtime, and workers that may have it loaded, too. */
export interface RuntimeAndWorkers extends Runtime {
  readonly workers?: Workers | undefined;
}
