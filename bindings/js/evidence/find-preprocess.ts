// How pictures are preprocessed, found by asking the model, top to bottom: nodes that normalize,
// what training left in the first layer, then what comes out for a few pictures under each
// candidate. What tells nothing is passed over; what is not clear is said to be open, and samples
// take turns with all that is plausible.

import { QuantizeError } from '../base/errors.js';
import type {
  InputFacts,
  PreprocessCandidate,
  PreprocessEvidence,
  PreprocessFinding,
  PreprocessReason,
  SampleSource,
} from '../base/types.js';
import { exactRuntime } from '../platform/exact-runtime.js';
import type { Platform } from '../platform/platform.js';
import type { SampleInput } from '../samples/samples.js';
import { findingNote, findingText } from './finding-text.js';
import { biasRatio, divergence, observeSums } from './first-layer.js';
import { fittingCandidates } from './graph-normalization.js';
import { rank, type Scores } from './leave-one-out.js';
import { firstOfPresets, type OutputEvidence, outputEvidence } from './outputs.js';
import { type TrialInput, Trials } from './trials.js';

/** Pictures that the model is run on; the first half of them alone where most is out then. */
const trialCount = 8;
/** Divergence in nats from which on no candidate has the statistics of training. */
const noFit = 3;
/** A candidate is out where its divergence is so many times the least, and a little more. */
const outFactor = 3;
const outMore = 0.05;
/** Statistics that are so many times closer decide by themselves. */
const clearStatistics = 1.5;
/** Sums that are so many times further from their biases are of another magnitude. */
const otherMagnitude = 10;
/** Within this factor ranges have so much in common that taking turns costs little. */
const nearSpan = 5;
/** As many take turns. */
const mostPlausible = 3;

const floatType = /^float(16|32|64)$/;

export interface FindInput extends TrialInput {
  platform: Platform<unknown>;
  reader: SampleInput | null | undefined;
}

/**
 * Settles how the pictures of `reader` are preprocessed, where nobody said it; null where nothing
 * is open. Runs the model a hundred times or less, most often only its first layer.
 */
export async function findPreprocess(given: FindInput): Promise<PreprocessFinding | null> {
  const { model, core, reader } = given;
  const open = (reader as SampleSource | null | undefined)?.openPreprocess;
  const known = await open?.known?.();
  if (open && known) {
    open.settle(model, known);
    return known;
  }
  const candidates = (await open?.candidates(model)) ?? [];
  if (!open || candidates.length < 2) return null;
  const runtime = await exactRuntime(given.platform, given.runtime);
  const trials = new Trials({ ...given, runtime }, await open.pictures(model, trialCount));
  if (trials.count === 0) return null; // said where they are read
  const outputs = model.outputs.filter(({ type }) => floatType.test(type)).map(({ name }) => name);
  const search = new Search(trials, outputs, core.inputFacts(model.inputs[0]!.name), candidates);
  try {
    const finding = await search.run();
    open.settle(model, finding);
    return finding;
  } catch (error) {
    // A model that does not run is no news here: it is said where it has to run.
    if (error instanceof QuantizeError && error.code.startsWith('RUNTIME_')) return null;
    throw error;
  }
}

/** The same, and says so. */
export async function settlePreprocess(given: FindInput): Promise<void> {
  const finding = await findPreprocess(given);
  if (finding) given.run.note(findingNote(finding));
}

interface Evidence extends Scores<PreprocessCandidate> {
  by: PreprocessEvidence;
  /** What it takes, in times the score, to tell normalizations apart; absent: what differs. */
  factor?: number;
  /** What is shown for a candidate. */
  shown(candidate: PreprocessCandidate): number;
}

interface Asked extends Pick<Evidence, 'by' | 'shown'> {
  order: readonly PreprocessCandidate[];
}

/** Beside the best with another normalization, where there is one. */
function reasonFor(chosen: PreprocessCandidate, { by, order, shown }: Asked): PreprocessReason {
  const others = order.filter((one) => one !== chosen);
  const other = others.find(({ preset }) => preset !== chosen.preset) ?? others[0];
  return {
    by,
    value: shown(chosen),
    other: other ? { option: other.option, value: shown(other) } : null,
  };
}

class Search {
  readonly #trials: Trials;
  readonly #outputs: readonly string[];
  readonly #facts: InputFacts;
  readonly #all: readonly PreprocessCandidate[];
  /** Those that nothing speaks against, in the order of the candidates. */
  #left: readonly PreprocessCandidate[];
  /** All that were ranked, as the last evidence did. */
  #ranked: readonly PreprocessCandidate[] = [];
  /** What told something, and how it ranks those that it was asked about. */
  readonly #asked: Asked[] = [];

  constructor(
    trials: Trials,
    outputs: readonly string[],
    facts: InputFacts,
    candidates: readonly PreprocessCandidate[],
  ) {
    this.#trials = trials;
    this.#outputs = outputs;
    this.#facts = facts;
    this.#all = candidates;
    this.#left = candidates;
  }

  async run(): Promise<PreprocessFinding> {
    this.#askGraph();
    const hasStatistics = await this.#askStatistics();
    if (this.#left.length > 1) await this.#askOutputs(hasStatistics);
    return this.#conclude();
  }

  #askGraph(): void {
    const fitting = fittingCandidates(this.#facts.normalization, this.#left);
    if (fitting.length === this.#left.length) return;
    this.#left = fitting;
    this.#asked.push({ by: 'graph', order: [], shown: () => 1 });
  }

  /** Whether the first BatchNormalization has statistics that a candidate fits. */
  async #askStatistics(): Promise<boolean> {
    const trained = this.#facts.statistics;
    if (!trained || this.#left.length < 2) return false;
    const half = Math.ceil(this.#trials.count / 2);
    const pictures = Array.from({ length: this.#trials.count }, (_, i) => i);
    const { tensor } = trained;
    const sums = await observeSums(this.#trials, tensor, this.#left, pictures.slice(0, half));
    const far = (candidate: PreprocessCandidate, without: number | null = null) =>
      divergence(sums.get(candidate)!, trained, without);
    const least = Math.min(...this.#left.map((candidate) => far(candidate)));
    if (!(least < noFit)) return false;
    const close = this.#left.filter((candidate) => far(candidate) <= outFactor * least + outMore);
    const out = this.#left.filter((one) => !close.includes(one)).sort((a, b) => far(a) - far(b));
    await observeSums(this.#trials, tensor, close, pictures.slice(half), sums);
    const evidence: Evidence = {
      by: 'statistics',
      pictures: this.#trials.count,
      of: (candidate, without) => 1 / (far(candidate, without) + 1e-6),
      factor: clearStatistics,
      shown: far,
    };
    this.#apply(close, evidence, out);
    return true;
  }

  /** `isSure`: the magnitude of the pictures is known. */
  async #askOutputs(isSure: boolean): Promise<void> {
    const ratios = isSure ? null : await this.#biasRatios();
    const likely = this.#likely(ratios);
    const found = await outputEvidence(this.#trials, this.#outputs, this.#left, likely);
    const evidence = found && {
      ...found,
      shown: (one: PreprocessCandidate) => found.of(one, null),
    };
    if (evidence?.by === 'scores' && this.#isClear(evidence)) {
      this.#apply(evidence.candidates, evidence);
      return;
    }
    const left = evidence ? evidence.candidates.filter((one) => likely.includes(one)) : likely;
    const out = this.#left.find((one) => !likely.includes(one));
    if (ratios && left.length > 0 && out) {
      const shown = ({ preset }: PreprocessCandidate) => ratios.get(preset)!;
      this.#asked.push({ by: 'biases', order: [out, ...left], shown });
      this.#left = left;
    }
    if (evidence) this.#apply(left.length > 0 ? left : evidence.candidates, evidence);
  }

  /** By preset, how many times its sums the biases of the first Conv are; null: unknown. */
  async #biasRatios(): Promise<Map<string, number> | null> {
    const { sums: first } = this.#facts;
    if (!first) return null;
    const presets = firstOfPresets(this.#left);
    const half = Array.from({ length: Math.ceil(this.#trials.count / 2) }, (_, i) => i);
    const sums = await observeSums(this.#trials, first.tensor, presets, half);
    return new Map(presets.map((one) => [one.preset, biasRatio(sums.get(one)!, first.bias)]));
  }

  /** Those under which biases and sums are of a magnitude, as far as under any. */
  #likely(ratios: Map<string, number> | null): readonly PreprocessCandidate[] {
    if (!ratios) return this.#left;
    const apart = (preset: string) => Math.abs(Math.log(ratios.get(preset)!));
    const least = Math.min(...[...ratios.keys()].map(apart));
    if (!Number.isFinite(least)) return this.#left;
    return this.#left.filter(({ preset }) => apart(preset) <= least + Math.log(otherMagnitude));
  }

  /** Whether the evidence leaves one normalization. */
  #isClear({ candidates, factor, ...scores }: OutputEvidence): boolean {
    const { order, isBehind } = rank(candidates, scores);
    const { preset } = order[0]!;
    return order.every((one) => one.preset === preset || isBehind(one, factor));
  }

  /** Leaves of `close` what the evidence does not put behind the best for sure. */
  #apply(
    close: readonly PreprocessCandidate[],
    evidence: Evidence,
    out: readonly PreprocessCandidate[] = [],
  ): void {
    const { order, isBehind } = rank(close, evidence);
    const best = order[0]!;
    // Masks and boxes become surer as the range grows, whether or not they were trained on it.
    const grown = ({ std }: PreprocessCandidate) =>
      evidence.by === 'probabilities' ? Math.max(1, std[0] / best.std[0]) : 1;
    const isLeft = (one: PreprocessCandidate) => {
      const isOther = one.preset !== best.preset && evidence.factor !== undefined;
      return one === best || !isBehind(one, isOther ? evidence.factor! * grown(one) : undefined);
    };
    // A tie is no evidence: those that are left stay in the order in which they are listed.
    this.#left = this.#all.filter((one) => close.includes(one) && isLeft(one));
    const { by, shown } = evidence;
    const ranked = [...order, ...out];
    this.#asked.push({ by, order: ranked, shown });
    this.#ranked = [...ranked, ...this.#ranked.filter((one) => !ranked.includes(one))];
  }

  #conclude(): PreprocessFinding {
    const chosen = this.#left[0]!;
    const otherwise = this.#left.find(({ preset }) => preset !== chosen.preset);
    const rest = [...this.#left, ...this.#ranked, ...this.#all].filter((one) => one !== chosen);
    const span = ({ std }: PreprocessCandidate) => 1 / std[0];
    const near = this.#left.filter((one) => {
      const times = span(one) / span(chosen);
      return one.order === chosen.order && times < nearSpan && times > 1 / nearSpan;
    });
    const found = {
      chosen,
      runnerUp: otherwise ?? rest[0]!,
      reasons: this.#asked.map((asked) => reasonFor(chosen, asked)),
      decided: {
        normalization: !otherwise && this.#asked.length > 0,
        order: !this.#left.some(({ order }) => order !== chosen.order),
      },
      plausible: otherwise ? near.slice(0, mostPlausible) : [chosen],
    };
    return { ...found, why: findingText(found) };
  }
}
