// Stages of a run: progress events, timings, and the point where a run can be cancelled.
import type { Diagnostic } from './types.js';

/** What a run is doing. */
export type Stage = 'load' | 'prepare' | 'calibrate' | 'quantize' | 'verify';

export interface Progress {
  stage: Stage;
  /**
   * Samples done, where the stage goes through samples; else 0 at its beginning and 1 at its end.
   */
  done: number;
  /** Of how many; absent where that is not known. */
  total?: number;
  /** Which pass over the samples this is, of how many; where there are several. */
  pass?: number;
  passes?: number;
  /**
   * While repairs are tried, `done` of them: that of the best until now on held-out samples, in dB.
   */
  sqnr?: number;
  /** Estimate for the rest of this stage, in seconds; absent until there is something to go by. */
  secondsLeft?: number;
}

/** What every run may be given. */
export interface RunOptions {
  /**
   * Ends the run: within one sample, and without leaving a file. It rejects with the signal's
   * reason. With effort max it ends the search for repairs instead, once that has begun: the run
   * goes on to the best result until then.
   */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Each diagnostic as it arises; all of them are in the report too. */
  onDiagnostic?: ((diagnostic: Diagnostic) => void) | undefined;
}

export class Run {
  readonly timings: Partial<Record<Stage, number>> = {};
  readonly diagnostics: Diagnostic[] = [];
  readonly options: RunOptions;
  readonly #start = performance.now();
  #isFinishing = false;

  constructor(options: RunOptions) {
    this.options = options;
  }

  /** Runs one stage: cancellation is checked before and after, time is taken, progress reported. */
  async stage<T>(stage: Stage, work: () => Promise<T> | T): Promise<T> {
    await this.checkpoint();
    const start = performance.now();
    this.options.onProgress?.({ stage, done: 0 });
    // Once more, so that what the event changed (a page, a line) is seen before a long call begins.
    await this.checkpoint();
    const result = await work();
    this.timings[stage] = (this.timings[stage] ?? 0) + performance.now() - start;
    await this.checkpoint();
    return result;
  }

  /** Reports samples done and estimates the time left. */
  samples(
    stage: Stage,
    done: number,
    total: number | undefined,
    elapsed: number,
    passes?: { pass: number; passes: number },
  ): void {
    const secondsLeft =
      total !== undefined && done > 0 ? ((elapsed / done) * (total - done)) / 1000 : undefined;
    this.options.onProgress?.({
      stage,
      done,
      ...(total !== undefined ? { total } : {}),
      ...(secondsLeft !== undefined ? { secondsLeft } : {}),
      ...(passes && passes.passes > 1 ? passes : {}),
    });
  }

  /** Reports how many repairs were tried and how good the best is. */
  tried(done: number, sqnr: number): void {
    this.options.onProgress?.({ stage: 'quantize', done, sqnr });
  }

  /** It was cancelled, and has a result that it goes on with. */
  finish(): void {
    this.#isFinishing = true;
  }

  /**
   * Throws the signal's reason if the run was cancelled. Lets events (Ctrl-C, messages) in first.
   */
  async checkpoint(): Promise<void> {
    await eventLoopTurn();
    if (!this.#isFinishing) this.options.signal?.throwIfAborted();
  }

  get isCancelled(): boolean {
    return this.options.signal?.aborted === true;
  }

  note(...diagnostics: Diagnostic[]): void {
    for (const diagnostic of diagnostics) {
      this.diagnostics.push(diagnostic);
      this.options.onDiagnostic?.(diagnostic);
    }
  }

  totals(): Partial<Record<Stage, number>> & { total: number } {
    return { ...this.timings, total: performance.now() - this.#start };
  }
}

/** One turn of the event loop. setTimeout would wait 4 ms each time. */
function eventLoopTurn(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
