// Candidates: each is written as the result would be, loaded with all optimizations, as users will
// run it, and compared with the float model sample by sample.

import type { InputFiles, OutputFiles } from '../base/bytes.js';
import { noRepairs } from '../base/repairs.js';
import type { Run } from '../base/run.js';
import type { Feeds, ModelSummary, QuantizeReport, Repairs } from '../base/types.js';
import type { CoreSession } from '../core/session.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import type { Runtime } from '../platform/platform.js';
import type { RuntimeSession } from '../runtime/runtime.js';
import { compareOutputs, type Outputs } from '../verify/compare.js';
import { comparedOutputs, loadAsGiven } from '../verify/float-model.js';
import { isRuntimeError, loadResult, runAll } from '../verify/verify-result.js';
import { logNoise } from './noise.js';

export interface EffortInput {
  run: Run;
  runtime: Runtime;
  core: CoreSession;
  input: InputFiles;
  output: OutputFiles<unknown>;
  summary: ModelSummary;
  checked: CheckedStatic;
  held: readonly Feeds[];
  /** Repairs that are made without a search. */
  recipe: Repairs | null;
  /** Gives the core what adaptive rounding needs; false where that takes too much. */
  collectMoments(): Promise<boolean>;
}

/** How far a candidate is from the float model. */
export interface Measured {
  /** By sample: the logarithm of noise to signal. */
  noise: number[];
  /** Of `rows` of class scores: how many have the same top class. */
  agree: number;
  rows: number;
}

/** So many samples answer a question about a part. */
const askedSamples = 2;

export class Trials {
  readonly #given: EffortInput;
  readonly #floats: readonly Outputs[];
  /** JSON of the repairs of what the output holds: the plain result at first. */
  #written = JSON.stringify(noRepairs);

  private constructor(given: EffortInput, floats: readonly Outputs[]) {
    this.#given = given;
    this.#floats = floats;
  }

  /** Runs the float model on the held-out samples. */
  static async create(given: EffortInput): Promise<Trials> {
    const { runtime, input, summary, held } = given;
    const session = await loadAsGiven(runtime, input, summary);
    return new Trials(given, await runOn(given, session, held));
  }

  /** Writes the model with these repairs to the output, unless it is what was written last. */
  write(repairs: Repairs): QuantizeReport {
    this.#written = JSON.stringify(repairs);
    return writeWith(this.#given, repairs);
  }

  isWritten(repairs: Repairs): boolean {
    return this.#written === JSON.stringify(repairs);
  }

  /** Bytes of what was written last. */
  get bytes(): number {
    const { model, data } = this.#given.output;
    return model.size + data.size;
  }

  /** What was written last, on all held-out samples; null where onnxruntime cannot run it. */
  async measure(): Promise<Measured | null> {
    const results = await this.#results('all', this.#given.held);
    if (results === null) return null;
    const { summary } = this.#given;
    const noise = this.#floats.map((float, i) => logNoise(float, results[i]!));
    const top1 = compareOutputs(summary, this.#floats, results).top1;
    return { noise, agree: top1?.agree ?? 0, rows: top1?.of ?? 0 };
  }

  /**
   * Noise to signal of the model in which only the nodes `only` are quantized, with these repairs.
   */
  async ask(repairs: Repairs, only: readonly string[]): Promise<number | null> {
    this.#written = '';
    writeWith(this.#given, repairs, only);
    const results = await this.#results('disabled', this.#given.held.slice(0, askedSamples));
    if (results === null) return null;
    const noises = results.map((result, i) => Math.exp(logNoise(this.#floats[i]!, result)));
    return noises.reduce((sum, noise) => sum + noise, 0) / noises.length;
  }

  async #results(
    optimization: 'all' | 'disabled',
    samples: readonly Feeds[],
  ): Promise<Outputs[] | null> {
    const { runtime, output, summary } = this.#given;
    try {
      const session = await loadResult(runtime, output, summary, optimization);
      return await runOn(this.#given, session, samples);
    } catch (error) {
      if (isRuntimeError(error)) return null; // verification will say so of the one that is kept
      throw error;
    }
  }
}

export const writeWith = (
  { core, output, checked }: EffortInput,
  repairs: Repairs,
  only: readonly string[] = [],
): QuantizeReport =>
  core.quantize(checked.use_external_data_format ? output.dataName : '', repairs, only);

async function runOn(
  { run, summary }: EffortInput,
  session: RuntimeSession,
  samples: readonly Feeds[],
): Promise<Outputs[]> {
  try {
    return await runAll(session, samples, comparedOutputs(summary), () => run.checkpoint());
  } finally {
    await session.release();
  }
}
