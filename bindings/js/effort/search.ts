// The search for repairs, top to bottom: the steps of candidates.ts one after the other; then,
// while the result is not good, which parts lose most and are worth computing in float; then the
// steps that did not help before; and a last check on samples that have decided nothing.

import { inputBytes } from '../base/bytes.js';
import { noRepairs } from '../base/repairs.js';
import { asMessage, say } from '../base/text.js';
import type { Diagnostic, QuantizeReport, Repairs } from '../base/types.js';
import type { EffortReport, PartLoss } from '../verify/report.js';
import { fits, mayLeaveFloat, repairSteps } from './candidates.js';
import { byWorth, FloatCosts, leftByEffort, setsToGiveUp } from './give-up.js';
import { asLog, decibels, fallsBelow, mends, pooledDecibels } from './noise.js';
import { recipeOf } from './recipe.js';
import { Bisection } from './sensitivity.js';
import {
  decidingOf,
  type EffortInput,
  type Measured,
  measuredOf,
  Trials,
  writeWith,
} from './trials.js';

/** Fewer held-out samples tell nothing. */
export const fewest = 2;

/** Whether repairs are looked for; the plain model is written as a candidate then. */
export const isSearched = ({ checked, held }: Pick<EffortInput, 'checked' | 'held'>): boolean =>
  checked.effort !== 'none' && held.length >= fewest;

/** What is clipped in none of fewer samples may well be in the next one. */
const fewestForRanges = 4;

/** From here on more is not worth a risk: such noise is smaller than what samples differ by. */
const bestDecibels = 35;
/** Beyond these a decibel is worth less float: so much of one before. */
const usableDecibels = 20;
const shareBeyond = 0.6;
/** From here on a result is good, unless something else is asked for. */
const goodDecibels = 30;
/** The same for scores of classes of which the highest are all the same, or all but one. */
const goodScores = [15, 20];
/** Of fewer classes the same one is often the highest by chance. */
const manyClasses = 10;
/** A result that is worse than the plain one by more than this has failed the last check. */
const leastLoss = 0.3;

/** Fast does not try a plan of layers alone where less than this share of all is between them. */
const fewBetween = 0.2;

/** How much is asked and tried in each round, and how often. */
const amounts = {
  normal: { rounds: 2, questions: 24, backwards: 8, counts: [1, 2, 3, 4, 6, 8, 12, 16] },
  max: {
    rounds: Infinity,
    questions: 64,
    backwards: Infinity,
    counts: [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96],
  },
} as const;

/** A model of more bytes is not written again for each question. */
const mostBytes = 2 ** 30;

interface Best {
  repairs: Repairs;
  quantized: QuantizeReport;
  measured: Measured;
  /** Of what is float, in decibels. */
  price: number;
}

export class Search {
  readonly #given: EffortInput;
  readonly #plain: QuantizeReport;
  readonly #report: Omit<EffortReport, 'recipe'>;
  readonly #deadline: number;
  readonly #seen = new Set<string>();
  #trials: Trials | null = null;
  #best: Best | null = null;
  #costs = new FloatCosts([]);
  /** Rows with the same top class, of the best result in that. */
  #mostAgree = 0;

  /** `plain`: what the output holds. */
  constructor(given: EffortInput, plain: QuantizeReport) {
    const { checked } = given;
    const samples = measuredOf(given).length;
    this.#given = given;
    this.#plain = plain;
    this.#deadline = checked.budget === null ? Infinity : performance.now() + 1000 * checked.budget;
    this.#report = {
      level: checked.effort,
      held: decidingOf(samples),
      checked: samples - decidingOf(samples),
      repairs: noRepairs,
      tried: [],
      losses: [],
    };
  }

  /** Whatever it has come to: writes the best, where something else was written since. */
  async result(): Promise<{ quantized: QuantizeReport; effort: EffortReport }> {
    const { repairs, quantized } = this.#best ?? { repairs: noRepairs, quantized: this.#plain };
    return {
      quantized: (await this.#writeResult(repairs)) ?? quantized,
      effort: { ...this.#report, repairs, recipe: recipeOf({ ...this.#report, repairs }) },
    };
  }

  /** null: the output holds it. */
  async #writeResult(repairs: Repairs): Promise<QuantizeReport | null> {
    if (this.#trials) return this.#trials.writeResult(repairs);
    return isSearched(this.#given) ? writeWith(this.#given, this.#given.ranges, repairs) : null;
  }

  async run(): Promise<void> {
    const { checked } = this.#given;
    this.#trials = await Trials.create(this.#given);
    const plain = await this.#measurePlain();
    if (plain === null || this.#needsNone(plain)) return;
    await this.#takeSteps();
    if (checked.effort !== 'fast') {
      // What did not help before may do so on top of what was accepted after it.
      if (!this.#isGood) await this.#takeSteps();
      if (!this.#isGood || checked.effort === 'max') await this.#narrowRanges();
    }
    if (checked.effort !== 'fast') await this.#giveUp(amounts[checked.effort as 'normal' | 'max']);
    this.#checkLast(plain);
  }

  /** Whether the plain result is good as it is: repairs would only add to it. */
  #needsNone(plain: Measured): boolean {
    const { effort, target_sqnr } = this.#given.checked;
    const enough = Math.max(goodDecibels, target_sqnr ?? 0);
    return effort !== 'max' && this.#isGood && this.#pooled(plain) >= enough;
  }

  async #measurePlain(): Promise<Measured | null> {
    const measured = await this.#trials!.measure();
    if (measured === null) return null;
    this.#seen.add(JSON.stringify(noRepairs));
    this.#best = { repairs: noRepairs, quantized: this.#plain, measured, price: 0 };
    this.#mostAgree = measured.agree;
    this.#say(noRepairs, measured, true);
    return measured;
  }

  /** Tries each step on top of what was accepted. */
  async #takeSteps(): Promise<void> {
    let smooths = true;
    for (const step of repairSteps(this.#given.checked)) {
      const { repairs, measured } = this.#best!;
      if (this.#isStopped || this.#pooled(measured) >= bestDecibels) return;
      if (!fits(step, repairs) || (step.layerIo && !this.#areManyBetween)) continue;
      // Where moving half of the difficulty loses, moving more loses more.
      if (step.smooth !== undefined && !smooths) continue;
      await this.#try({ ...repairs, ...step }, step);
      if (step.smooth !== undefined) smooths = this.#best!.repairs !== repairs;
    }
  }

  /** Whether much of what is quantized is no layer; where time is short. */
  get #areManyBetween(): boolean {
    const { checked, core } = this.#given;
    if (checked.effort !== 'fast') return true;
    const units = core.units(noRepairs);
    const between = units.filter(({ products, weightBytes }) => products + weightBytes === 0);
    return between.length >= fewBetween * units.length;
  }

  /** Ranges by the error of the tensors themselves: of all, else of either half of the model. */
  async #narrowRanges(): Promise<void> {
    if (this.#isStopped || this.#pooled(this.#best!.measured) >= goodDecibels) return;
    if (this.#trials!.deciding < fewestForRanges) return;
    const ranges = await this.#given.collectLocalRanges();
    const all = Object.entries(ranges);
    const half = all.length >> 1;
    for (const part of [all, all.slice(0, half), all.slice(half)]) {
      if (part.length === 0 || this.#isStopped) return;
      const { repairs } = this.#best!;
      const more = { ranges: { ...repairs.ranges, ...Object.fromEntries(part) } };
      await this.#try({ ...repairs, ...more }, more);
      if (part === all && this.#best!.repairs !== repairs) return;
    }
  }

  /** Leaves float what loses most for what it costs. */
  async #giveUp(amount: (typeof amounts)['normal' | 'max']) {
    const { checked, core } = this.#given;
    if (!mayLeaveFloat(checked) || this.#isGood || this.#isStopped) return;
    if (this.#inputBytes > mostBytes) {
      this.#given.run.note(tooLarge);
      return;
    }
    let bisection: Bisection | undefined;
    let layerIo = false; // of the plan that was asked about
    this.#costs = new FloatCosts(core.units(noRepairs));
    for (let round = 0; round < amount.rounds; round++) {
      const before = this.#best!;
      const base = { ...before.repairs, floatNodes: [] };
      if (!bisection || layerIo !== base.layerIo) {
        layerIo = base.layerIo;
        const samples = this.#trials!.worst(before.measured);
        const ask = (only: readonly string[]) => this.#trials!.ask(base, only, samples);
        bisection = new Bisection(core.units(base), ask);
      }
      const givenUp = new Set(before.repairs.floatNodes);
      await bisection.refine(amount.questions, () => this.#isStopped, givenUp);
      const { losses } = bisection;
      this.#report.losses = losses;
      for (const floatNodes of setsToGiveUp(losses, this.#costs, amount.counts)) {
        if (this.#isGood || this.#isStopped) break;
        await this.#try({ ...base, floatNodes }, { floatNodes });
      }
      await this.#takeBack(losses, amount.backwards);
      await this.#takeSteps(); // masked by what is float now
      if (this.#isGood || this.#isStopped || this.#best === before) return;
    }
  }

  /**
   * Of what became float together with others not all was worth it: takes back what gains least
   * for its price, `most` parts of it at most.
   */
  async #takeBack(losses: readonly PartLoss[], most: number): Promise<void> {
    const isGivenUp = ({ nodes }: PartLoss) =>
      nodes.every((node) => this.#best!.repairs.floatNodes.includes(node));
    const parts = byWorth(losses.filter(isGivenUp), this.#costs).reverse();
    if (parts.length < 2) return;
    for (const { nodes } of parts.slice(0, most)) {
      if (this.#isStopped) return;
      const { repairs } = this.#best!;
      const floatNodes = repairs.floatNodes.filter((node) => !nodes.includes(node));
      await this.#try({ ...repairs, floatNodes }, { floatNodes });
    }
  }

  /** The last check: on samples that have accepted nothing. */
  #checkLast(plain: Measured): void {
    const best = this.#best!;
    if (best.measured === plain || this.#report.checked === 0) return;
    const checks = ({ noise }: Measured) => decibels(noise.slice(this.#trials!.deciding));
    if (checks(best.measured) >= checks(plain) - leastLoss) return;
    this.#given.run.note(checkFailed(checks(best.measured), checks(plain)));
    this.#best = { ...best, repairs: noRepairs, quantized: this.#plain, measured: plain };
  }

  /** Writes a candidate, measures it, and keeps it where it is better. */
  async #try(repairs: Repairs, step: Partial<Repairs>): Promise<void> {
    const key = JSON.stringify(repairs);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (repairs.round && !(await this.#given.collectMoments())) return;
    const best = this.#best!;
    const quantized = await this.#trials!.write(repairs);
    if (isSame(step, quantized, best.quantized) || !this.#isAllowed(quantized)) return;
    const measured = await this.#trials!.measure();
    const price = this.#priceOf(leftByEffort(quantized));
    const accepted = measured !== null && this.#isBetter({ measured, price }, step);
    if (accepted) {
      this.#best = { repairs, quantized, measured, price };
      this.#mostAgree = Math.max(this.#mostAgree, measured.agree);
    }
    this.#say(repairs, measured, accepted);
  }

  /**
   * Whether all noise together falls by more than the price, the noise falls sample by sample, and
   * no top class is lost. One row in a dozen is a tie as often as an error: that one may be lost,
   * once, where the noise falls beyond doubt. Where less is float than now, the noise may rise by
   * what that is worth. Nodes that stay float take noise away: of them it is asked whether that is
   * worth their price, even in one sample.
   */
  #isBetter(
    { measured, price }: Pick<Best, 'measured' | 'price'>,
    { floatNodes }: Partial<Repairs>,
  ): boolean {
    const best = this.#best!;
    const dearer = price - best.price;
    if (!(this.#worth(measured) - dearer > this.#worth(best.measured))) return false;
    const lost = this.#mostAgree - measured.agree;
    const before = this.#decisive(best.measured).map(
      (noise) => noise + asLog(Math.max(0, -dearer)),
    );
    const after = this.#decisive(measured);
    if (lost <= 0 && floatNodes !== undefined && mends(after, before)) return true;
    return lost <= 1 && fallsBelow(after, before, lost > 0 ? 2 : 1);
  }

  /** Where more is asked for, float is worth any price but that of all. */
  #priceOf(nodes: readonly string[]): number {
    const { target_sqnr, target_agreement } = this.#given.checked;
    const isAsked = target_sqnr !== null || target_agreement !== null;
    const price = this.#costs.priceOf(nodes);
    return isAsked && Number.isFinite(price) ? 0 : price;
  }

  #isAllowed(quantized: QuantizeReport): boolean {
    const { max_float_nodes, max_size } = this.#given.checked;
    if (max_float_nodes !== null && leftByEffort(quantized).length > max_float_nodes) return false;
    return max_size === null || this.#trials!.bytes <= max_size * this.#inputBytes;
  }

  get #inputBytes(): number {
    return inputBytes(this.#given.input, this.#given.summary);
  }

  get #isStopped(): boolean {
    const { run, checked } = this.#given;
    return performance.now() >= this.#deadline || (checked.effort === 'max' && run.isCancelled);
  }

  get #isGood(): boolean {
    const { target_sqnr, target_agreement } = this.#given.checked;
    const { measured } = this.#best!;
    const sqnr = this.#pooled(measured);
    const agreement = measured.rows === 0 ? 1 : measured.agree / measured.rows;
    if (target_sqnr !== null || target_agreement !== null) {
      return sqnr >= (target_sqnr ?? -Infinity) && agreement >= (target_agreement ?? 0);
    }
    if (sqnr >= goodDecibels) return true;
    const lost = measured.rows - measured.agree;
    return measured.classes >= manyClasses && sqnr >= (goodScores[lost] ?? Infinity);
  }

  /** What its decibels are worth beside the price of float. */
  #worth(measured: Measured): number {
    const sqnr = this.#pooled(measured);
    return Math.min(sqnr, usableDecibels) + shareBeyond * Math.max(0, sqnr - usableDecibels);
  }

  #decisive = ({ noise }: Measured) => noise.slice(0, this.#trials!.deciding);

  #pooled = (measured: Measured) => pooledDecibels(this.#decisive(measured));

  #say(repairs: Repairs, measured: Measured | null, accepted: boolean): void {
    const sqnr = measured && this.#pooled(measured);
    this.#report.tried.push({ repairs, sqnr, accepted });
    this.#given.run.tried(this.#report.tried.length, this.#pooled(this.#best!.measured));
  }
}

/** Whether there was nothing to repair in the way that the step adds, or hardly anything. */
function isSame(
  { smooth, equalize, layerIo, floatNodes, ranges, round }: Partial<Repairs>,
  made: QuantizeReport,
  before: QuantizeReport,
): boolean {
  const { smoothed, equalized, corrected, rounded } = made.repaired;
  if (round === true) return rounded === 0;
  if (floatNodes !== undefined || ranges !== undefined) return false;
  if (corrected !== before.repaired.corrected) return false;
  if (smooth !== undefined) return smoothed === 0;
  if (equalize === true) return equalized === 0;
  // What both layers and nodes between them read is quantized in any case.
  if (layerIo === true) return made.tensors.length === before.tensors.length;
  return true;
}

const tooLarge: Diagnostic = {
  severity: 'info',
  code: 'EFFORT_MODEL_TOO_LARGE',
  message:
    'which parts lose most was not asked: each question writes the model, which is over 1 GiB',
};

const checkFailed = (sqnr: number, plain: number): Diagnostic => ({
  severity: 'warning',
  code: 'EFFORT_NOT_CONFIRMED',
  ...asMessage(
    say`the repairs that helped on some held-out samples did not on the others (${plain.toFixed(1)} → ${sqnr.toFixed(1)} dB): the result has none`,
  ),
  hint: 'give more and more typical samples',
});
