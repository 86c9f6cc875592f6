// Which parts of a model lose most by 8 bits. Each question is a model in which only the asked
// parts are quantized: errors that are asked alone add up, while leaving one part out of many shows
// nothing where the others drown it. The worst are found by halving.
//
// A question is a plain graph, run as it is written: an unoptimized session takes 1 to 2 runs' time
// to create in onnxruntime-node and -web alike (an optimized one up to 15 in -web), computes what
// the optimized one does, and quantizes no float weights of its own. One session with a switch for
// each part takes 3 to 7 times as long a run.

import type { ModelUnit } from '../base/types.js';
import type { PartLoss } from '../verify/report.js';

/** Noise to signal of the model in which only these nodes are quantized; null: it does not run. */
export type Ask = (nodes: readonly string[]) => Promise<number | null>;

/** Units that follow each other and were asked about as one. */
interface Group {
  first: number;
  end: number;
  noise: number;
}

/** So many groups are asked about before the worst are halved. */
const firstGroups = 8;
/** A group with less of all noise than this is not worth halving. */
const leastShare = 0.04;

/** Asks as many questions as it is allowed, and goes on from there when it is allowed more. */
export class Bisection {
  readonly #units: readonly ModelUnit[];
  readonly #ask: Ask;
  #groups: Group[] = [];

  /** `units`: in topological order. */
  constructor(units: readonly ModelUnit[], ask: Ask) {
    this.#units = units;
    this.#ask = ask;
  }

  /**
   * Asks at most `most` questions; fewer where nothing is left to halve, or `stopped()`. What is
   * among `given` up already is not counted among all noise: beside a part that clips nothing else
   * would be worth a question.
   */
  async refine(
    most: number,
    stopped: () => boolean = () => false,
    given: ReadonlySet<string> = new Set(),
  ): Promise<void> {
    let left = most;
    if (this.#groups.length === 0) {
      const count = Math.min(firstGroups, this.#units.length);
      const start = (group: number) => Math.floor((group * this.#units.length) / count);
      for (let group = 0; group < count && !stopped(); group++, left--) {
        this.#groups.push(await this.#lossOf(start(group), start(group + 1)));
      }
    }
    for (; left >= 2 && !stopped(); left -= 2) {
      const next = this.#worst(given);
      if (!next) return;
      const middle = Math.floor((next.first + next.end) / 2);
      const halves = [await this.#lossOf(next.first, middle), await this.#lossOf(middle, next.end)];
      this.#groups.splice(this.#groups.indexOf(next), 1, ...halves);
    }
  }

  /** All units, as far as they were told apart; in topological order. */
  get losses(): PartLoss[] {
    return this.#groups.map(({ first, end, noise }) => ({ nodes: this.#nodes(first, end), noise }));
  }

  #nodes(first: number, end: number): string[] {
    return this.#units.slice(first, end).flatMap(({ nodes }) => nodes);
  }

  async #lossOf(first: number, end: number): Promise<Group> {
    const noise = await this.#ask(this.#nodes(first, end));
    return { first, end, noise: noise ?? 0 };
  }

  #worst(given: ReadonlySet<string>): Group | undefined {
    const isLeft = ({ first, end }: Group) =>
      this.#nodes(first, end).some((node) => !given.has(node));
    const total = this.#groups.filter(isLeft).reduce((sum, { noise }) => sum + noise, 0);
    return this.#groups
      .filter(({ first, end, noise }) => end - first > 1 && noise > leastShare * total)
      .reduce<Group | undefined>(
        (a, b) => (a === undefined || b.noise > a.noise ? b : a),
        undefined,
      );
  }
}
