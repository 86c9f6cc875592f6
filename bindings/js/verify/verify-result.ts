// The check that every result goes through before it is put in place: onnxruntime loads it and runs
// samples through it, beside the model as it was given (not the prepared one, whose preparation is
// to be verified too).

import type { OutputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import type { Run } from '../base/run.js';
import { spread } from '../base/spread.js';
import { asMessage, say } from '../base/text.js';
import type { Feeds, ModelSummary } from '../base/types.js';
import type { RuntimeModel, RuntimeSession } from '../runtime/runtime.js';
import { createSessionIn, type Place } from '../runtime/worker-sessions.js';
import type { RuntimeAndWorkers } from '../runtime/workers.js';
import { compareOutputs, unmeasured } from './compare.js';
import { comparedOutputs, type FloatModel } from './float-model.js';
import type { QualityReport } from './report.js';
import { isRuntimeError, medianTime, runAll } from './run-model.js';

/** So many, of those that were calibrated with: those that were set aside first. */
const usualSamples = 8;

/** Samples to verify with, and how many were run for calibration. */
export interface VerifiedSamples {
  samples: number;
  /** A few of those. */
  kept: Feeds[];
  /** Those that were held out, or set aside from repairs. */
  held: Feeds[];
  /** Whether ranges were made from these, too. */
  heldInRanges: boolean;
}

/** How much is done. */
export interface VerifyAmount {
  /** Whether no more than a few samples are run. */
  isQuick: boolean;
  /** Whether both models are timed. */
  isTimed: boolean;
}

/**
 * So many, where a result has to be there at once. On a slow machine fewer, as many as are run in
 * so many milliseconds; not where the float model has to run them first, which takes time anyway.
 */
const fewSamples = 8;
const fewestSamples = 4;
const hurry = 400;

/**
 * Runs samples through both models and compares: those that no range was made from, where there are
 * any, else some of those that were calibrated with. A result that onnxruntime-web cannot run with
 * all graph optimizations is tried with basic ones, which fuse no Q/DQ pairs: then it is the
 * runtime's fusion that is at fault, and a warning says so. Throws RESULT_NOT_LOADABLE,
 * VERIFICATION_FAILED.
 */
export async function verifyResult(
  run: Run,
  float: FloatModel,
  load: (optimization: 'all' | 'basic') => Promise<RuntimeSession>,
  summary: ModelSummary,
  samples: VerifiedSamples,
  { isQuick, isTimed }: VerifyAmount = { isQuick: false, isTimed: true },
): Promise<QualityReport> {
  const heldOut = samples.held.length > 0 && !samples.heldInRanges;
  const calibrated = [...samples.held, ...samples.kept].slice(0, usualSamples);
  const all = heldOut ? samples.held : calibrated;
  const kept = isQuick ? everyOtherFirst(spread(all, fewSamples)) : all;
  const start = performance.now();
  let done = 0;
  let runs = 0;
  const count = async () => {
    run.samples('verify', ++done, runs, performance.now() - start);
    await run.checkpoint();
  };
  const runResult = async (optimization: 'all' | 'basic') => {
    const session = await load(optimization);
    const unknown = float.unknownOf(kept).length;
    done = 0;
    runs = kept.length + unknown;
    const began = performance.now();
    const countUntilEnough = async (ran: number) => {
      await count();
      return ran >= fewestSamples && performance.now() - began > hurry;
    };
    // What runs elsewhere leaves this thread, or another worker, to the float model.
    const floats = session.lanes ? float.outputsOf(kept, count) : null;
    const settled = floats?.catch(() => {}); // what is wrong is told to who waits for `floats`
    try {
      const names = comparedOutputs(summary);
      const times: number[] = [];
      const checkpoint = isQuick && unknown === 0 ? countUntilEnough : count;
      const outputs = await runAll(session, kept, names, checkpoint, times);
      const latency = isTimed ? await medianTime(session, kept[0], names, times) : 0;
      return { outputs, latency, floats };
    } finally {
      await settled;
      await session.release();
    }
  };

  let results: Awaited<ReturnType<typeof runResult>>;
  try {
    results = await runResult('all');
  } catch (error) {
    if (!isRuntimeError(error)) throw error;
    const basic = await runResult('basic').catch(() => null);
    if (basic) {
      run.note({
        severity: 'warning',
        code: 'BASIC_OPTIMIZATION_ONLY',
        ...asMessage(
          say`the result runs in onnxruntime-web with graphOptimizationLevel "basic" only; with "all": ${error.message}`,
        ),
        hint: 'other runtimes may run it as it is',
      });
      results = basic;
    } else {
      // Operators that this runtime lacks are no fault of the result.
      if (kept.length > 0 || (await float.loads())) {
        throw new QuantizeError('RESULT_NOT_LOADABLE', error.message, {
          hint: 'nothing was written; please report this model',
          cause: error,
        });
      }
      run.note({
        severity: 'warning',
        code: 'NOT_VERIFIED',
        message: 'onnxruntime cannot load the float model either: the result was not verified',
      });
      return unmeasured(false);
    }
  }
  if (kept.length === 0) return unmeasured(true);
  const compared = kept.slice(0, results.outputs.length);
  const floats = await (results.floats ?? float.outputsOf(compared, count));
  return {
    ...compareOutputs(summary, floats.slice(0, compared.length), results.outputs),
    heldOut,
    latency: isTimed ? { float: await float.latency(kept[0]!), quantized: results.latency } : null,
  };
}

/** So that the first few are spread over all, too. */
const everyOtherFirst = (samples: readonly Feeds[]): Feeds[] =>
  [0, 1].flatMap((odd) => samples.filter((_, index) => index % 2 === odd));

/** The quantized model that was written so far. */
export function loadResult(
  runtime: RuntimeAndWorkers,
  output: OutputFiles<unknown>,
  { irVersion }: ModelSummary,
  optimization: NonNullable<RuntimeModel['optimization']>,
  place: Place,
): Promise<RuntimeSession> {
  const written = output.runtimeBytes();
  return createSessionIn(place, runtime, 'the quantized model', {
    model: written.model,
    irVersion,
    externalData: written.data ? [{ path: output.dataName, data: written.data }] : [],
    optimization,
    exactIntegers: true,
  });
}
