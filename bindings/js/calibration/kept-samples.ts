// Copies of a few samples, spread over the whole set where its size is known: what a result is
// verified with.

import type { Feeds } from '../base/types.js';
import { copySample, sampleBytes } from '../samples/samples.js';

/**
 * How many samples are kept, and how many bytes they may take together (one is kept in any case).
 */
const keptSamples = 8;
const keptBytes = 128 * 2 ** 20;

export class KeptSamples {
  readonly samples: Feeds[] = [];
  readonly #total: number | undefined;
  #bytes = 0;
  #last = -1;

  constructor(total: number | undefined) {
    this.#total = total;
  }

  get isFull(): boolean {
    return this.samples.length >= keptSamples || this.#bytes >= keptBytes;
  }

  /** In the order of their numbers; those of a later pass are the same. */
  offer(feeds: Feeds, index: number): void {
    if (index <= this.#last) return;
    this.#last = index;
    const kept = this.samples.length;
    const total = this.#total;
    const due =
      total === undefined ||
      total <= keptSamples ||
      index >= Math.floor((kept * total) / keptSamples);
    const bytes = sampleBytes(feeds);
    if (!due || this.isFull || (kept > 0 && this.#bytes + bytes > keptBytes)) return;
    this.samples.push(copySample(feeds));
    this.#bytes += bytes;
  }
}
