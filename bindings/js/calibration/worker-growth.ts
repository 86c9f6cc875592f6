// How many calibration workers there are, where nobody said: as many as are faster. Where the
// memory bus is busy, more of them only take memory. So a few run some samples, then twice as many
// do, and so on as long as that gains enough.

import { asMessage, say } from '../base/text.js';
import type { Diagnostic } from '../base/types.js';

/** So many start at once: they are hardly ever too many, and a short run is over soon. */
const first = 4;
/** Twice as many workers that run this share more samples are worth their memory. */
const worthwhile = 0.15;
/** Samples by worker that are timed. */
const timed = 2;
/** In milliseconds: workers take about a second to start and warm up. */
export const worthWorkers = 2000;

export class WorkerGrowth {
  /** Workers that samples are given to. */
  size: number;
  /** Why there are no more; null while more would be tried, or where all are there. */
  note: Diagnostic | null = null;
  readonly #most: number;
  readonly #now: () => number;
  /** What was measured with fewer, in samples a second. */
  #fewer: { size: number; rate: number } | null = null;
  /** Samples that were handed over since these workers are there; null while others start. */
  #handed: number | null = null;
  #since = 0;

  constructor(most: number, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#now = now;
    this.size = Math.min(first, most);
  }

  /** `size` workers are there. What was measured in another pass does not count. */
  begin(size = this.size): void {
    if (size === this.size) this.#fewer = null;
    this.size = size;
    this.#handed = 0;
  }

  /**
   * A sample was handed over, which means that another one is done. `rest`: how many are left.
   * Returns how many workers shall be there where more may be faster; begin() says that they are.
   */
  handedOver(rest: number): number | null {
    if (this.#handed === null || this.note) return null;
    this.#handed++;
    // The first of each takes longer. With the second it is over.
    const begins = 2 * this.size;
    if (this.#handed === begins) this.#since = this.#now();
    if (this.#handed !== begins + timed * this.size) return null;
    const rate = (1000 * timed * this.size) / (this.#now() - this.#since);
    if (this.#fewer) this.#compare(this.#fewer, rate);
    if (this.note || this.size === this.#most || (1000 * rest) / rate < worthWorkers) return null;
    this.#fewer = { size: this.size, rate };
    this.#handed = null;
    return Math.min(2 * this.size, this.#most);
  }

  /** Stops where it did not gain enough, and takes back what was slower. */
  #compare(fewer: { size: number; rate: number }, rate: number): void {
    const { size } = this;
    if (rate >= fewer.rate * (1 + worthwhile * (size / fewer.size - 1))) return;
    if (rate < fewer.rate) this.size = fewer.size;
    const [more, less] = [rate, fewer.rate].map((each) => each.toPrecision(3)) as [string, string];
    this.note = {
      severity: 'info',
      code: 'CALIBRATION_WORKERS',
      ...asMessage(
        say`${this.size} of up to ${this.#most} workers calibrate: ${fewer.size} run ${less} samples a second, ${size} run ${more}`,
      ),
    };
  }
}
