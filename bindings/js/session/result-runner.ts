// Runs the float model and results of a session side by side: one sample for its outputs, or many
// times for the time that it takes. The float model and the result that was asked for last stay
// loaded, unless the model is large.

import type { InputFiles, RuntimeBytes } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { originOf } from '../base/sample-origin.js';
import type { Feeds, ModelSummary, TensorData } from '../base/types.js';
import type { Runtime } from '../platform/platform.js';
import { runSample } from '../runtime/run-sample.js';
import { createSession, type RuntimeSession } from '../runtime/runtime.js';
import { compareOutputs, type Outputs } from '../verify/compare.js';
import { comparedOutputs, loadAsGiven } from '../verify/float-model.js';
import { floatValues } from '../verify/metrics.js';
import type { ComparedOutput, Comparison, Latency, RunnableResult } from './types.js';

/** Of models that are timed: runs before it, and runs. */
const warmUps = 2;
const usualRuns = 10;

export class ResultRunner {
  readonly #runtime: Runtime;
  readonly #input: InputFiles;
  readonly #model: ModelSummary;
  readonly #keeps: boolean;
  #float: Promise<RuntimeSession> | null = null;
  #loaded: { sha256: string; session: RuntimeSession } | null = null;

  /** `keeps`: whether models stay loaded. */
  constructor(runtime: Runtime, input: InputFiles, model: ModelSummary, keeps: boolean) {
    this.#runtime = runtime;
    this.#input = input;
    this.#model = model;
    this.#keeps = keeps;
  }

  async compare(result: RunnableResult<RuntimeBytes>, feeds: Feeds): Promise<Comparison> {
    const names = comparedOutputs(this.#model);
    this.#float ??= loadAsGiven(this.#runtime, this.#input, this.#model);
    this.#float.catch(() => {
      this.#float = null;
    });
    const float = await runSample(await this.#float, feeds, names, 0);
    if (!this.#keeps) await this.#releaseFloat();
    const session = await this.#load(result);
    try {
      const quantized = await runSample(session, feeds, names, 0);
      return {
        file: originOf(feeds)?.file ?? null,
        feeds,
        outputs: names.map((name) => compared(name, float, quantized)),
        quality: compareOutputs(this.#model, [float], [quantized]).outputs,
      };
    } finally {
      if (session !== this.#loaded?.session) await session.release();
    }
  }

  async latency(
    result: RunnableResult<RuntimeBytes>,
    feeds: Feeds,
    { runs = usualRuns, signal }: { runs?: number | undefined; signal?: AbortSignal | undefined },
  ): Promise<Latency> {
    const names = comparedOutputs(this.#model);
    const time = async (session: RuntimeSession) => {
      const times: number[] = [];
      try {
        for (let run = 0; run < warmUps + runs; run++) {
          signal?.throwIfAborted();
          const start = performance.now();
          await runSample(session, feeds, names, 0);
          if (run >= warmUps) times.push(performance.now() - start);
        }
      } finally {
        await session.release();
      }
      return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
    };
    const float = await time(await loadAsGiven(this.#runtime, this.#input, this.#model, 'all'));
    const quantized = await time(await this.#create(result, false));
    return { float, quantized, runs, runtime: this.#runtime.kind };
  }

  /** As it was written, for those that verify it. */
  load(
    result: RunnableResult<RuntimeBytes>,
    optimization: 'all' | 'basic',
  ): Promise<RuntimeSession> {
    return this.#create(result, true, optimization);
  }

  async dispose(): Promise<void> {
    await this.#loaded?.session.release();
    this.#loaded = null;
    await this.#releaseFloat();
  }

  async #releaseFloat(): Promise<void> {
    const float = this.#float;
    this.#float = null;
    await (await float?.catch(() => null))?.release();
  }

  async #load(result: RunnableResult<RuntimeBytes>): Promise<RuntimeSession> {
    const { sha256 } = result;
    if (sha256 !== undefined && this.#loaded?.sha256 === sha256) return this.#loaded.session;
    const session = await this.#create(result, true);
    if (sha256 === undefined || !this.#keeps) return session;
    const before = this.#loaded;
    this.#loaded = { sha256, session };
    await before?.session.release();
    return session;
  }

  async #create(
    { model, externalData }: RunnableResult<RuntimeBytes>,
    exactIntegers: boolean,
    optimization: 'all' | 'basic' = 'all',
  ): Promise<RuntimeSession> {
    if (typeof model === 'string') {
      throw new QuantizeError('INVALID_OPTION', 'the result: expected its bytes, not a path');
    }
    return createSession(this.#runtime, 'the quantized model', {
      model,
      irVersion: this.#model.irVersion,
      externalData: externalData ? [{ path: externalData.name, data: externalData.data }] : [],
      optimization,
      exactIntegers,
    });
  }
}

function compared(name: string, float: Outputs, quantized: Outputs): ComparedOutput {
  const { dims } = float[name]!;
  return {
    name,
    dims: [...dims],
    float: numbersOf(float[name]!),
    quantized: numbersOf(quantized[name]!),
  };
}

function numbersOf(output: Outputs[string]): Float32Array {
  const values = floatValues(output);
  return values
    ? Float32Array.from(values)
    : Float32Array.from(output.data as Exclude<TensorData, BigInt64Array | BigUint64Array>, Number);
}
