// How long a stage will still take: from the fourth sample on, by the median of the last intervals,
// so that one slow sample (the first loads everything) does not count for all.
const least = 4;
const kept = 32;

export class TimeLeft {
  #stage = '';
  #last: { done: number; at: number } | null = null;
  #intervals: number[] = [];

  /** Seconds; undefined until there is something to go by. */
  seen(stage: string, done: number, total: number | undefined, now: number): number | undefined {
    if (stage !== this.#stage || (this.#last && done < this.#last.done)) {
      this.#stage = stage;
      this.#last = null;
      this.#intervals = [];
    }
    if (this.#last && done > this.#last.done) {
      this.#intervals.push((now - this.#last.at) / (done - this.#last.done));
      if (this.#intervals.length > kept) this.#intervals.shift();
    }
    if (!this.#last || done > this.#last.done) this.#last = { done, at: now };
    if (total === undefined || this.#intervals.length < least) return undefined;
    const sorted = [...this.#intervals].sort((a, b) => a - b);
    return (sorted[sorted.length >> 1]! * (total - done)) / 1000;
  }
}
