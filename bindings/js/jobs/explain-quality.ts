// Of a result that is poor: why, by a diagnosis on a few samples, and what mends it, by quantizing
// with other settings from the ranges that are there. Only what was tried is advised. Effort none
// is to take no longer than the reference: there settings are tried, and causes are not looked for.
import type { InputFiles, OutputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import type { Run } from '../base/run.js';
import type { Feeds, ModelSummary, Repairs } from '../base/types.js';
import { learnTypes } from '../calibration/pass-model.js';
import { ModelFiles } from '../core/host-files.js';
import { CoreSession } from '../core/session.js';
import { diagnoseModels, nameInFloat } from '../diagnosis/diagnose.js';
import { ProbedModel } from '../diagnosis/probed-model.js';
import type { Diagnosis } from '../diagnosis/report.js';
import { Bisection } from '../effort/sensitivity.js';
import { coreOptions } from '../options/core-options.js';
import { profileTakesFloat, sixteenBitsOf } from '../options/profiles.js';
import type { QuantType } from '../options/quant-types.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import { MemoryInput } from '../platform/memory-input.js';
import type { Platform } from '../platform/platform.js';
import type { RuntimeAndWorkers } from '../runtime/workers.js';
import { compareOutputs, type Outputs } from '../verify/compare.js';
import type { Explanation, TriedSetting } from '../verify/explanation.js';
import { comparedOutputs, type FloatModel } from '../verify/float-model.js';
import { isRuntimeError, medianTime, runAll } from '../verify/run-model.js';
import { loadResult } from '../verify/verify-result.js';

interface PoorResult {
  platform: Platform<unknown>;
  run: Run;
  runtime: RuntimeAndWorkers;
  float: FloatModel;
  input: InputFiles;
  output: OutputFiles<unknown>;
  summary: ModelSummary;
  checked: CheckedStatic;
  kept: readonly Feeds[];
  /** What the result is made from: as CoreSession.setRanges() and setStatistics() take them. */
  ranges: string;
  statistics: string | null;
  repairs: Repairs;
  /** How many nodes are quantized. */
  nodes: number;
  /** Milliseconds that the float model takes for a sample, where they were measured. */
  floatMilliseconds: number | null;
}

/** Questions and a diagnosis cost time: with so many samples, on models up to so many bytes. */
const fewSamples = 2;
const aloneSamples = 1;
const mostQuestions = 24;
const mostBytes = 512 * 2 ** 20;
const budgetBytes = 256 * 2 ** 20;
/** The causes are looked for in so many of the parts that lose most, of so many nodes. */
const mostParts = 4;
const mostPartNodes = 12;
/** So many of them are left float, where that is tried, and of all nodes no larger share. */
const mostExcluded = 3;
const mostShare = 1 / 4;

/**
 * Which parts lose most is found by halving, as in the search for repairs: a question is a model in
 * which only a part is quantized, and a few dozen of them cost less than asking every layer.
 */
export async function explainQuality(poor: PoorResult): Promise<Explanation> {
  const isFast = poor.checked.effort === 'none';
  const effort = isFast ? 'normal' : null;
  const isSmall = poor.output.model.size + poor.output.data.size <= mostBytes;
  if (!isSmall) return { worst: null, tried: [], effort };
  const others = await OtherResults.open(poor);
  try {
    const parts = isFast ? [] : await others.worstParts();
    const diagnosis = isFast ? null : await diagnose(poor, parts);
    const nodes = nodesToExclude(poor, parts);
    return {
      worst: diagnosis && worstOf(diagnosis, parts),
      tried: await others.tried(settings(poor.checked, nodes)),
      effort,
    };
  } catch (error) {
    // The result is what it is, whether or not it can be explained.
    if (error instanceof QuantizeError) return { worst: null, tried: [], effort };
    throw error;
  } finally {
    others.close();
  }
}

async function diagnose(poor: PoorResult, parts: readonly WorstPart[]): Promise<Diagnosis | null> {
  const { runtime, run, input, output, kept } = poor;
  if (output.data.size > 0) return null;
  const bytes = new MemoryInput('the quantized model', new Map([['~model', output.modelBytes()]]));
  const samples = kept.slice(0, fewSamples);
  const open: ProbedModel[] = [];
  try {
    const float = await ProbedModel.open(input);
    open.push(float);
    const quantized = await ProbedModel.open(bytes);
    open.push(quantized);
    return await diagnoseModels({
      float,
      quantized,
      runtime,
      run,
      samples: () => each(samples),
      count: samples.length,
      aloneSamples,
      only: new Set(parts.flatMap(({ nodes }) => nodes)),
      budgetBytes,
    });
  } catch (error) {
    if (error instanceof QuantizeError) return null; // other settings can be tried all the same
    throw error;
  } finally {
    for (const model of open) model.dispose();
  }
}

async function* each(samples: readonly Feeds[]): AsyncGenerator<Feeds> {
  yield* samples;
}

/** A part of the model, and its share of the noise of all parts by themselves. */
interface WorstPart {
  nodes: readonly string[];
  share: number;
}

/** The cause in the part that loses most; in the next one where that has none. */
function worstOf({ worst, layers }: Diagnosis, parts: readonly WorstPart[]): Explanation['worst'] {
  for (const { nodes, share } of parts) {
    const isIn = ({ node, tensor }: { node: string; tensor: string }) =>
      nodes.includes(nameInFloat(node)) || nodes.includes(tensor);
    const cause = worst.find(isIn);
    if (cause) return { ...cause, share };
  }
  const known = layers.filter(({ alone }) => alone !== null);
  if (known.length === 0) return null;
  const { node, tensor } = known.reduce((a, b) => (b.alone! < a.alone! ? b : a));
  return { node, tensor, share: 0, cause: null };
}

function nodesToExclude({ nodes, checked }: PoorResult, parts: readonly WorstPart[]): string[] {
  if (!profileTakesFloat(checked.profile)) return [];
  const most = Math.floor(mostShare * nodes);
  const excluded: string[] = [];
  for (const part of parts.slice(0, mostExcluded)) {
    if (excluded.length + part.nodes.length > most) break;
    excluded.push(...part.nodes);
  }
  return excluded;
}

interface Setting {
  flags: string;
  change: Partial<CheckedStatic>;
  /** What it gains is size; how long it takes is measured, too. */
  isInFloat?: boolean;
}

function settings(checked: CheckedStatic, nodes: readonly string[]): Setting[] {
  const found: Setting[] = [];
  if (!checked.per_channel) {
    const signed = checked.weight_type === 'QUInt8';
    found.push({
      flags: `--per_channel${signed ? ' --weight_type QInt8' : ''}`,
      change: { per_channel: true, ...(signed && { weight_type: 'QInt8' as const }) },
    });
  }
  if (nodes.length > 0) {
    const flags = `--nodes_to_exclude ${nodes.join(' ')}`;
    const change = { nodes_to_exclude: [...checked.nodes_to_exclude, ...nodes] };
    found.push({ flags, change });
    const first = found[0]!;
    if (found.length > 1) {
      found.push({
        flags: `${first.flags} ${flags}`,
        change: { ...first.change, ...change },
      });
    }
  }
  return [...found, ...sixteenBits(checked)];
}

/** Activations of 16 bits, where there are 8 and more make sense. */
function sixteenBits({ quant_format, activation_type, profile }: CheckedStatic): Setting[] {
  const types: Partial<Record<QuantType, QuantType>> = { QUInt8: 'QUInt16', QInt8: 'QInt16' };
  const wider = quant_format === 'QDQ' ? types[activation_type] : undefined;
  const kind = sixteenBitsOf(profile);
  if (!wider || !kind) return [];
  const flags = `--activation_type ${wider}`;
  return [{ flags, change: { activation_type: wider }, isInFloat: kind === 'float' }];
}

/** Other results from the same ranges: the one that is explained stays as it is. */
class OtherResults {
  readonly #poor: PoorResult;
  readonly #output: OutputFiles<unknown>;
  readonly #core: CoreSession;
  readonly #files: ModelFiles;
  readonly #floats: readonly Outputs[];

  private constructor(
    poor: PoorResult,
    output: OutputFiles<unknown>,
    core: CoreSession,
    files: ModelFiles,
    floats: readonly Outputs[],
  ) {
    this.#poor = poor;
    this.#output = output;
    this.#core = core;
    this.#files = files;
    this.#floats = floats;
  }

  static async open(poor: PoorResult): Promise<OtherResults> {
    const floats = await poor.float.outputsOf(poor.kept, () => poor.run.checkpoint());
    const output = poor.platform.openOutput(undefined);
    const files = new ModelFiles(poor.input, output);
    const core = await CoreSession.create(files);
    core.open();
    return new OtherResults(poor, output, core, files, floats);
  }

  close(): void {
    this.#core.dispose();
    this.#output.discard();
  }

  /** The parts that lose most, the worst first. */
  async worstParts(): Promise<WorstPart[]> {
    const { checked, repairs, run } = this.#poor;
    await this.#prepare(checked);
    const ask = async (nodes: readonly string[]) => {
      await run.checkpoint();
      this.#core.quantize('', repairs, nodes);
      const made = await this.#outputs('disabled', false, aloneSamples);
      return made && 10 ** (-(made.sqnr ?? Number.POSITIVE_INFINITY) / 10);
    };
    const bisection = new Bisection(this.#core.units(repairs), ask);
    await bisection.refine(mostQuestions);
    const noises = bisection.losses.filter(({ noise }) => Number.isFinite(noise));
    const total = noises.reduce((sum, { noise }) => sum + noise, 0);
    return noises
      .filter(({ nodes, noise }) => noise > 0 && nodes.length <= mostPartNodes)
      .sort((a, b) => b.noise - a.noise)
      .slice(0, mostParts)
      .map(({ nodes, noise }) => ({ nodes, share: noise / total }));
  }

  async tried(settings: readonly Setting[]): Promise<TriedSetting[]> {
    const { checked, repairs, floatMilliseconds } = this.#poor;
    const tried: TriedSetting[] = [];
    for (const { flags, change, isInFloat = false } of settings) {
      try {
        await this.#prepare({ ...checked, ...change });
        this.#core.quantize('', repairs);
        const made = await this.#outputs('all', isInFloat, this.#floats.length);
        const milliseconds = made?.milliseconds;
        const inFloat = milliseconds && { inFloat: { milliseconds, float: floatMilliseconds } };
        tried.push({ flags, sqnr: made?.sqnr ?? null, ...inFloat });
      } catch (error) {
        if (!(error instanceof QuantizeError)) throw error;
        tried.push({ flags, sqnr: null });
      }
    }
    return tried;
  }

  async #prepare(checked: CheckedStatic): Promise<void> {
    const { runtime, input, summary, ranges, statistics } = this.#poor;
    this.#core.configure(coreOptions(checked));
    this.#core.prepare();
    await learnTypes(runtime, this.#core, this.#files, input, summary);
    this.#core.setRanges(ranges);
    if (statistics !== null) this.#core.setStatistics(statistics);
  }

  /** What was written last, on the first samples; null where it cannot be run. */
  async #outputs(optimization: 'all' | 'disabled', isTimed: boolean, count: number) {
    const { runtime, summary, kept, run } = this.#poor;
    const names = comparedOutputs(summary);
    try {
      // What is timed runs as the float model did, and not beside itself.
      const place = isTimed ? 'result' : count;
      const session = await loadResult(runtime, this.#output, summary, optimization, place);
      try {
        const samples = kept.slice(0, count);
        const times: number[] = [];
        const results = await runAll(session, samples, names, () => run.checkpoint(), times);
        const milliseconds = isTimed ? await medianTime(session, kept[0], names, times) : null;
        const { sqnr } = compareOutputs(summary, this.#floats.slice(0, count), results);
        return { sqnr, milliseconds };
      } finally {
        await session.release();
      }
    } catch (error) {
      if (isRuntimeError(error)) return null;
      throw error;
    }
  }
}
