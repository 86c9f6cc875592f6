// Samples through a loaded model: all of them in order, or one again and again for its time.

import { QuantizeError } from '../base/errors.js';
import type { Feeds } from '../base/types.js';
import { runSample } from '../runtime/run-sample.js';
import type { RuntimeSession } from '../runtime/runtime.js';
import type { Outputs } from './compare.js';

/**
 * Runs samples through a model. `checkpoint` is called after each; true: it was the last one.
 * `times` receives their milliseconds.
 */
export async function runAll(
  session: RuntimeSession,
  samples: readonly Feeds[],
  outputs: readonly string[],
  checkpoint: (done: number) => Promise<unknown>,
  times: number[] = [],
): Promise<Outputs[]> {
  const results: Outputs[] = [];
  for (const [index, feeds] of samples.entries()) {
    const start = performance.now();
    results.push(await runSample(session, feeds, outputs, index));
    times.push(performance.now() - start);
    if ((await checkpoint(index + 1)) === true) break;
  }
  return results;
}

export const isRuntimeError = (error: unknown): error is QuantizeError =>
  error instanceof QuantizeError &&
  (error.code === 'RUNTIME_CANNOT_LOAD' || error.code === 'RUNTIME_FAILED');

/** Runs that are timed: so many, or as many more as this takes. */
const enoughRuns = 5;
const mostMilliseconds = 250;

/**
 * Milliseconds of a run in a session that is warm; 0 without a sample. `known`: those of the
 * session's runs before, of which the first was not.
 */
export async function medianTime(
  session: RuntimeSession,
  sample: Feeds | undefined,
  outputs: readonly string[],
  known: readonly number[] = [],
): Promise<number> {
  const times = known.slice(1);
  if (!sample) return 0;
  const start = performance.now();
  while (
    times.length < enoughRuns &&
    (times.length === 0 || performance.now() - start < mostMilliseconds)
  ) {
    const before = performance.now();
    await runSample(session, sample, outputs, 0);
    times.push(performance.now() - before);
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}
