// The check that every result goes through before it is put in place: onnxruntime loads it and runs
// samples through it, beside the model as it was given (not the prepared one, whose preparation is
// to be verified too).

import type { InputFiles, OutputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import type { Run } from '../base/run.js';
import { asMessage, say } from '../base/text.js';
import type { Feeds, ModelSummary } from '../base/types.js';
import type { Runtime } from '../platform/platform.js';
import { runSample } from '../runtime/run-sample.js';
import {
  createSession,
  isRunnableIrVersion,
  type RuntimeModel,
  type RuntimeSession,
  withRunnableIrVersion,
} from '../runtime/runtime.js';
import { compareOutputs, type Outputs, unmeasured } from './compare.js';
import { comparedOutputs, loadAsGiven } from './float-model.js';
import type { QualityReport } from './report.js';

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

/** What a session has of it: a result is compared with the same samples again and again. */
export interface VerifyMemory {
  /** What the float model made of each sample. */
  float: WeakMap<Feeds, Outputs>;
  /** Whether no more than a few samples are run. */
  isQuick: boolean;
  /** Whether both models are timed. */
  isTimed: boolean;
}

/** Outputs of a sample that take more bytes are not kept. */
const mostKeptBytes = 2 ** 21;

const fewSamples = 8;

/** A few of them, spread over all. */
function fewOf(samples: Feeds[]): Feeds[] {
  const count = Math.min(fewSamples, samples.length);
  const place = (part: number) => Math.floor(((part + 0.5) * samples.length) / count);
  return Array.from({ length: count }, (_, part) => samples[place(part)]!);
}

/**
 * Runs samples through both models and compares: those that no range was made from, where there are
 * any, else some of those that were calibrated with. A result that onnxruntime-web cannot run with
 * all graph optimizations is tried with basic ones, which fuse no Q/DQ pairs: then it is the
 * runtime's fusion that is at fault, and a warning says so. Throws RESULT_NOT_LOADABLE,
 * VERIFICATION_FAILED.
 */
export async function verifyResult(
  run: Run,
  runtime: Runtime,
  input: InputFiles,
  load: (optimization: 'all' | 'basic') => Promise<RuntimeSession>,
  summary: ModelSummary,
  samples: VerifiedSamples,
  memory?: VerifyMemory,
): Promise<QualityReport> {
  const heldOut = samples.held.length > 0 && !samples.heldInRanges;
  const calibrated = [...samples.held, ...samples.kept].slice(0, usualSamples);
  const all = heldOut ? samples.held : calibrated;
  const isTimed = memory?.isTimed ?? true;
  const kept = memory?.isQuick ? fewOf(all) : all;
  const unknown = kept.filter((sample) => !memory?.float.has(sample));
  const start = performance.now();
  const runs = kept.length + unknown.length;
  const runOn = async (session: RuntimeSession, on: Feeds[], done: number): Promise<Timed> => {
    try {
      const outputs = await runAll(session, on, comparedOutputs(summary), async (count) => {
        run.samples('verify', done + count, runs, performance.now() - start);
        await run.checkpoint();
      });
      const latency = isTimed ? await measure(session, kept, comparedOutputs(summary)) : 0;
      return { outputs, latency };
    } finally {
      await session.release();
    }
  };
  const runResult = async (optimization: 'all' | 'basic') =>
    runOn(await load(optimization), kept, 0);

  let results: Timed;
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
      const float =
        kept.length > 0 || (await loadAsGiven(runtime, input, summary).catch(() => null));
      if (float) {
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
  // Where all outputs are known, there is nothing to load the float model for.
  const float =
    !isTimed && unknown.length === 0
      ? { outputs: [], latency: 0 }
      : await runOn(await loadOptimized(runtime, input, summary), unknown, kept.length);
  const made = new Map(unknown.map((sample, i) => [sample, float.outputs[i]!]));
  for (const [sample, outputs] of made) {
    if (bytesOf(outputs) <= mostKeptBytes) memory?.float.set(sample, outputs);
  }
  const floats = kept.map((sample) => made.get(sample) ?? memory!.float.get(sample)!);
  return {
    ...compareOutputs(summary, floats, results.outputs),
    heldOut,
    latency: isTimed ? { float: float.latency, quantized: results.latency } : null,
  };
}

interface Timed {
  outputs: Outputs[];
  latency: number;
}

const bytesOf = (outputs: Outputs) =>
  Object.values(outputs).reduce(
    (sum, { data }) => sum + (ArrayBuffer.isView(data) ? data.byteLength : 0),
    0,
  );

/** As users run it, so that latencies compare; with less, where the runtime cannot. */
function loadOptimized(
  runtime: Runtime,
  input: InputFiles,
  summary: ModelSummary,
): Promise<RuntimeSession> {
  return loadAsGiven(runtime, input, summary, 'all').catch((error: unknown) => {
    if (!isRuntimeError(error)) throw error;
    return loadAsGiven(runtime, input, summary);
  });
}

/** Runs that are timed: so many, or as many as this takes. */
const mostRuns = 7;
const mostMilliseconds = 250;

/** Milliseconds of one more run of the first sample: the session is warm by now. */
async function measure(
  session: RuntimeSession,
  [sample]: readonly Feeds[],
  outputs: readonly string[],
): Promise<number> {
  const times: number[] = [];
  if (!sample) return 0;
  const start = performance.now();
  while (
    times.length < mostRuns &&
    (times.length === 0 || performance.now() - start < mostMilliseconds)
  ) {
    const before = performance.now();
    await runSample(session, sample, outputs, 0);
    times.push(performance.now() - before);
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

/** Runs samples through a model. `checkpoint` is called after each. */
export async function runAll(
  session: RuntimeSession,
  samples: readonly Feeds[],
  outputs: readonly string[],
  checkpoint: (done: number) => Promise<void>,
): Promise<Outputs[]> {
  const results: Outputs[] = [];
  for (const [index, feeds] of samples.entries()) {
    results.push(await runSample(session, feeds, outputs, index));
    await checkpoint(index + 1);
  }
  return results;
}

export const isRuntimeError = (error: unknown): error is QuantizeError =>
  error instanceof QuantizeError &&
  (error.code === 'RUNTIME_CANNOT_LOAD' || error.code === 'RUNTIME_FAILED');

/** The quantized model that was written so far. */
export function loadResult(
  runtime: Runtime,
  output: OutputFiles<unknown>,
  { irVersion }: ModelSummary,
  optimization: NonNullable<RuntimeModel['optimization']>,
): Promise<RuntimeSession> {
  const written = output.runtimeBytes();
  return createSession(runtime, 'the quantized model', {
    model: isRunnableIrVersion(irVersion)
      ? written.model
      : withRunnableIrVersion(output.modelBytes(), irVersion),
    externalData: written.data ? [{ path: output.dataName, data: written.data }] : [],
    optimization,
    exactIntegers: true,
  });
}
