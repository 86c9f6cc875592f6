// Candidates: each is written as the result would be, loaded with all optimizations, as users will
// run it, and compared with the float model sample by sample.

import type { InputFiles, OutputFiles } from '../base/bytes.js';
import { isLargeModel } from '../base/large-model.js';
import { noRepairs } from '../base/repairs.js';
import type { Run } from '../base/run.js';
import { spread } from '../base/spread.js';
import type { Feeds, ModelSummary, QuantizeReport, Repairs } from '../base/types.js';
import { withRanges } from '../core/ranges.js';
import type { CoreSession } from '../core/session.js';
import { usuallyHeld } from '../options/defaults.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import type { RuntimeSession } from '../runtime/runtime.js';
import type { RuntimeAndWorkers } from '../runtime/workers.js';
import { compareOutputs, type Outputs } from '../verify/compare.js';
import { comparedOutputs, type FloatModel } from '../verify/float-model.js';
import { classCount } from '../verify/metrics.js';
import { isRuntimeError, runAll } from '../verify/run-model.js';
import { loadResult } from '../verify/verify-result.js';
import { logNoise, meanSignals } from './noise.js';

/** Of so many samples at most, spread over those that were held out, three quarters decide. */
const mostSamples = { fast: 8, normal: usuallyHeld, max: usuallyHeld } as const;
const decidingShare = 0.75;

export interface EffortInput {
  run: Run;
  runtime: RuntimeAndWorkers;
  float: FloatModel;
  core: CoreSession;
  input: InputFiles;
  output: OutputFiles<unknown>;
  summary: ModelSummary;
  checked: CheckedStatic;
  held: readonly Feeds[];
  /** Repairs that are made without a search. */
  recipe: Repairs | null;
  /** As they were calibrated: JSON as of CoreCalibration.ranges(). */
  ranges: string;
  /**
   * Those without the samples that are set aside. Candidates are measured with these: values beyond
   * the ranges are what a repair may have to deal with. Null: the ranges.
   */
  rangesForRepairs: string | null;
  /** Gives the core what adaptive rounding needs; false where that takes too much. */
  collectMoments(): Promise<boolean>;
  /** Ranges that round tensors best; none where ranges are not ours to choose. */
  collectLocalRanges(): Promise<Repairs['ranges']>;
}

/** How far a candidate is from the float model. */
export interface Measured {
  /** By sample: the logarithm of noise to signal. */
  noise: number[];
  /** Of `rows` of class scores of the samples that decide: how many have the same top class. */
  agree: number;
  rows: number;
  /** How many classes there are; 0 where there are no such scores. */
  classes: number;
}

/** So many samples answer a question about a part. */
const askedSamples = 2;

export class Trials {
  /** So many of the samples decide, the first ones. */
  readonly deciding: number;
  readonly #given: EffortInput;
  readonly #samples: readonly Feeds[];
  readonly #floats: readonly Outputs[];
  readonly #signals: Readonly<Record<string, number>>;
  /** What the output holds: the plain candidate at first. */
  #written: string;

  private constructor(given: EffortInput, samples: readonly Feeds[], floats: readonly Outputs[]) {
    this.deciding = decidingOf(samples.length);
    this.#given = given;
    this.#samples = samples;
    this.#floats = floats;
    this.#signals = meanSignals(floats);
    this.#written = this.#key(searchRanges(given), noRepairs);
  }

  /** Runs the float model on the held-out samples. */
  static async create(given: EffortInput): Promise<Trials> {
    const { run, float, input, summary } = given;
    const held = inOrder(measuredOf(given));
    const floats = await float.outputsOf(held, () => run.checkpoint());
    // A large one is loaded again in the end: candidates need the room.
    if (isLargeModel(input, summary)) await float.release();
    return new Trials(given, held, floats);
  }

  /** Writes a candidate to the output: the model with these repairs. */
  write(repairs: Repairs): Promise<QuantizeReport> {
    return this.#write(searchRanges(this.#given), repairs);
  }

  /** The same as users get it, with the ranges of all samples; null: the output holds it. */
  async writeResult(repairs: Repairs): Promise<QuantizeReport | null> {
    const { ranges } = this.#given;
    if (this.#written === this.#key(ranges, repairs)) return null;
    return this.#write(ranges, repairs);
  }

  async #write(ranges: string, repairs: Repairs): Promise<QuantizeReport> {
    this.#written = this.#key(ranges, repairs);
    return writeWith(this.#given, ranges, repairs);
  }

  #key = (ranges: string, repairs: Repairs) =>
    `${JSON.stringify(repairs)} ${ranges === this.#given.ranges}`;

  /** Bytes of what was written last. */
  get bytes(): number {
    const { model, data } = this.#given.output;
    return model.size + data.size;
  }

  /** What was written last, on all held-out samples; null where onnxruntime cannot run it. */
  async measure(): Promise<Measured | null> {
    const results = await this.#results('all', this.#samples);
    if (results === null) return null;
    const { summary } = this.#given;
    const noise = this.#floats.map((float, i) => logNoise(float, results[i]!, this.#signals));
    const deciding = (outputs: readonly Outputs[]) => outputs.slice(0, this.deciding);
    const { top1 } = compareOutputs(summary, deciding(this.#floats), deciding(results));
    const classes = top1 ? (classCount(this.#floats[0]![top1.output]!.dims) ?? 0) : 0;
    return { noise, agree: top1?.agree ?? 0, rows: top1?.of ?? 0, classes };
  }

  /**
   * Of the samples that decide those with most noise: where some values are clipped in one sample
   * only, no other tells by what.
   */
  worst({ noise }: Measured): number[] {
    const byNoise = [...noise.slice(0, this.deciding).keys()].sort((a, b) => noise[b]! - noise[a]!);
    return byNoise.slice(0, askedSamples);
  }

  /**
   * Noise to signal of the model in which only the nodes `only` are quantized, with these repairs,
   * in these samples.
   */
  async ask(
    repairs: Repairs,
    only: readonly string[],
    samples: readonly number[],
  ): Promise<number | null> {
    this.#written = '';
    await writeWith(this.#given, searchRanges(this.#given), repairs, only);
    const feeds = samples.map((index) => this.#samples[index]!);
    const results = await this.#results('disabled', feeds);
    if (results === null) return null;
    const noises = results.map((result, i) =>
      Math.exp(logNoise(this.#floats[samples[i]!]!, result, this.#signals)),
    );
    return noises.reduce((sum, noise) => sum + noise, 0) / noises.length;
  }

  async #results(
    optimization: 'all' | 'disabled',
    samples: readonly Feeds[],
  ): Promise<Outputs[] | null> {
    const { run, runtime, output, summary } = this.#given;
    await run.checkpoint();
    try {
      const session = await loadResult(runtime, output, summary, optimization, samples.length);
      return await runOn(this.#given, session, samples);
    } catch (error) {
      if (isRuntimeError(error)) return null; // verification will say so of the one that is kept
      throw error;
    }
  }
}

/** How many of the samples that a search measures decide; the others check. */
export const decidingOf = (samples: number): number => Math.ceil(decidingShare * samples);

/** The samples that a search measures. */
export const measuredOf = ({ held, checked }: Pick<EffortInput, 'held' | 'checked'>) =>
  spread(held, checked.effort === 'none' ? 0 : mostSamples[checked.effort]);

/** Those that check come last; before, they are spread over all. */
function inOrder(held: readonly Feeds[]): Feeds[] {
  const checking = held.length - decidingOf(held.length);
  const checks = (index: number) => Math.floor(((index + 1) * checking) / held.length);
  const isChecking = (index: number) => checks(index) > checks(index - 1);
  return [
    ...held.filter((_, index) => !isChecking(index)),
    ...held.filter((_, index) => isChecking(index)),
  ];
}

/** What candidates are made with. */
export const searchRanges = ({ rangesForRepairs, ranges }: EffortInput): string =>
  rangesForRepairs ?? ranges;

/** Between its parts a run can be cancelled. */
export const writeWith = async (
  { run, core, output, checked }: EffortInput,
  ranges: string,
  repairs: Repairs,
  only: readonly string[] = [],
): Promise<QuantizeReport> => {
  core.setRanges(withRanges(ranges, repairs));
  if (repairs.round) {
    core.beginRounding(repairs);
    while (core.continueRounding()) await run.checkpoint();
  }
  return core.quantize(checked.use_external_data_format ? output.dataName : '', repairs, only);
};

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
