// Samples through a loaded model: all of them in order, or one again and again for its time.

import { QuantizeError } from '../base/errors.js';
import type { Feeds } from '../base/types.js';
import { runSample } from '../runtime/run-sample.js';
import type { RuntimeSession } from '../runtime/runtime.js';
import type { Outputs } from './compare.js';

/**
 * Runs samples through a model, as many at a time as the session can. `checkpoint` is called after
 * each, with how many are done; true: those that have begun are the last. `times` receives the
 * milliseconds of each.
 */
export async function runAll(
  session: RuntimeSession,
  samples: readonly Feeds[],
  outputs: readonly string[],
  checkpoint: (done: number) => Promise<unknown>,
  times: number[] = [],
): Promise<Outputs[]> {
  const ran: { outputs: Outputs; time: number }[] = [];
  let begun = 0;
  let done = 0;
  let ends = false;
  // Of several that fail at a time the first, as where one is run after the other.
  let failed: { index: number; error: unknown } | null = null;
  const lane = async () => {
    while (!ends && begun < samples.length) {
      const index = begun++;
      try {
        const start = performance.now();
        const made = await runSample(session, samples[index]!, outputs, index);
        ran[index] = { outputs: made, time: performance.now() - start };
        ends = (await checkpoint(++done)) === true || ends;
      } catch (error) {
        ends = true;
        if (!failed || index < failed.index) failed = { index, error };
      }
    }
  };
  await Promise.all(Array.from({ length: session.lanes ?? 1 }, lane));
  if (failed) throw (failed as { error: unknown }).error;
  times.push(...ran.map(({ time }) => time));
  return ran.map((one) => one.outputs);
}

export const isRuntimeError = (error: unknown): error is QuantizeError =>
  error instanceof QuantizeError &&
  (error.code === 'RUNTIME_CANNOT_LOAD' || error.code === 'RUNTIME_FAILED');

/** Runs that are timed: so many, or as many more as this takes. */
const enoughRuns = 5;
const mostMilliseconds = 250;

/**
 * Milliseconds of a run in a session that is warm; 0 without a sample. `known`: those of the
 * session's runs before, of which the first, in each lane, was not.
 */
export async function medianTime(
  session: RuntimeSession,
  sample: Feeds | undefined,
  outputs: readonly string[],
  known: readonly number[] = [],
): Promise<number> {
  const times = known.slice(session.lanes ?? 1);
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
