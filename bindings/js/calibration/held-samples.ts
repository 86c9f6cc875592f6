// Samples that are held out: no range and no statistic is made from them, so that they tell how
// good a result is and which repair of a model helps. Which ones they are depends on their number
// alone, so that shards and runs that are resumed hold out the same.

import type { Feeds } from '../base/types.js';
import { copySample, sampleBytes } from '../samples/samples.js';

/** How many bytes they may take together. */
const mostBytes = 128 * 2 ** 20;
/**
 * One of so many; of fewer than twice as many none is held out: one alone tells nothing. Of those
 * that ranges are made from all the same there may be more.
 */
const shares = { apart: 3, inRanges: 2 };
/** More than one of a share where so many are left: repairs are no better from more of them. */
const enoughLeft = 16;

/**
 * Numbers of the samples that are held out of `total`, where at most `most` are asked for: a page
 * can show them before anything is read.
 */
export function heldOutOf(total: number, most: number): number[] {
  const count = countOf(total, most, shares.apart);
  return Array.from({ length: count }, (_, part) => placeOf(part, total, count));
}

function countOf(total: number, asked: number, share: number): number {
  const most = Math.max(Math.floor(total / share), total - enoughLeft);
  return total < 2 * share ? 0 : Math.min(asked, most);
}

/** Spread evenly, each in the middle of its part. */
const placeOf = (part: number, total: number, count: number) =>
  Math.floor(((part + 0.5) * total) / count);

export class HeldSamples {
  readonly #total: number | undefined;
  readonly #most: number;
  readonly #share: number;
  readonly #kept = new Map<number, Feeds>();
  #bytes = 0;

  /**
   * `total`: the number of all samples, where it is known. `most`: 0: none is held out. `inRanges`:
   * they are set aside from repairs only.
   */
  constructor(total: number | undefined, most: number, inRanges: boolean) {
    this.#total = total;
    this.#most = most;
    this.#share = inRanges ? shares.inRanges : shares.apart;
  }

  /** Those that were given to keep(), in their order. */
  get samples(): Feeds[] {
    return [...this.#kept].sort(([a], [b]) => a - b).map(([, feeds]) => feeds);
  }

  /** Whether sample number `index` is held out. */
  wants(index: number): boolean {
    const total = this.#total;
    const share = this.#share;
    // Where the number is not known, the last of each share, until there are enough.
    if (total === undefined) return index % share === share - 1 && index < share * this.#most;
    const count = countOf(total, this.#most, share);
    return count > 0 && placeOf(Math.floor((index * count) / total), total, count) === index;
  }

  /** Keeps a copy, once, and as long as there is room. */
  keep(feeds: Feeds, index: number): void {
    const bytes = sampleBytes(feeds);
    if (this.#kept.has(index) || this.#bytes + bytes > mostBytes) return;
    this.#kept.set(index, copySample(feeds));
    this.#bytes += bytes;
  }
}
