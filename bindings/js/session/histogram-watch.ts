// Histograms of a few tensors while a calibration runs, for people to look at: now and then a
// sample goes through the float model once more, with these tensors as outputs. No range is made
// from them.

import type { CalibratedTensor, Feeds } from '../base/types.js';
import { type PassModel, startSession } from '../calibration/runner.js';
import type { Runtime } from '../platform/platform.js';
import { runSample } from '../runtime/run-sample.js';
import type { RuntimeSession } from '../runtime/runtime.js';
import type { TensorHistogram } from './types.js';

const bins = 64;
/** Milliseconds between two looks. */
const interval = 250;
const mostTensors = 24;

/** Numbers of the tensors to watch, spread over the model. */
export function watchedTensors(tensors: readonly CalibratedTensor[]): number[] {
  const count = Math.min(mostTensors, tensors.length);
  return Array.from({ length: count }, (_, i) => Math.floor((i * tensors.length) / count));
}

/** Counts of equal bins; ends that are too near move outwards, by joining pairs of bins. */
class GrowingHistogram {
  readonly counts: number[] = new Array(bins).fill(0);
  lowest = Number.POSITIVE_INFINITY;
  highest = Number.NEGATIVE_INFINITY;
  #begin = 0;
  #width = 0;

  add(values: Float32Array): void {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (low > high) return;
    if (this.#width === 0) {
      this.#begin = low;
      this.#width = (high - low || 1) / bins;
    }
    while (low < this.#begin) this.#double(true);
    while (high > this.#begin + bins * this.#width) this.#double(false);
    this.lowest = Math.min(this.lowest, low);
    this.highest = Math.max(this.highest, high);
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      const bin = Math.floor((value - this.#begin) / this.#width);
      this.counts[Math.min(bins - 1, Math.max(0, bin))]!++;
    }
  }

  get ends(): [number, number] {
    return [this.#begin, this.#begin + bins * this.#width];
  }

  #double(downwards: boolean): void {
    const half = bins / 2;
    const joined = Array.from(
      { length: half },
      (_, i) => this.counts[2 * i]! + this.counts[2 * i + 1]!,
    );
    const empty = new Array(half).fill(0);
    const next = downwards ? [...empty, ...joined] : [...joined, ...empty];
    this.counts.splice(0, bins, ...next);
    if (downwards) this.#begin -= bins * this.#width;
    this.#width *= 2;
  }
}

export class HistogramWatch {
  readonly #session: RuntimeSession;
  readonly #outputs: readonly string[];
  readonly #names: readonly string[];
  readonly #show: (histograms: TensorHistogram[]) => void;
  readonly #histograms: GrowingHistogram[];
  /** Share of the values to either side that the method cuts off. */
  readonly #clipped: number;
  #next = 0;

  private constructor(
    session: RuntimeSession,
    outputs: readonly string[],
    names: readonly string[],
    clipped: number,
    show: (histograms: TensorHistogram[]) => void,
  ) {
    this.#session = session;
    this.#outputs = outputs;
    this.#names = names;
    this.#clipped = clipped;
    this.#show = show;
    this.#histograms = names.map(() => new GrowingHistogram());
  }

  /** `pass`: a model with the tensors of these names as outputs. */
  static async start(
    runtime: Runtime,
    pass: PassModel,
    names: readonly string[],
    clipped: number,
    show: (histograms: TensorHistogram[]) => void,
  ): Promise<HistogramWatch> {
    const session = await startSession(runtime, pass, 'basic');
    return new HistogramWatch(session, pass.outputs, names, clipped, show);
  }

  /** Looks at a sample, if it is time. */
  async look(feeds: Feeds): Promise<void> {
    const now = performance.now();
    if (now < this.#next) return;
    const outputs = await runSample(this.#session, feeds, this.#outputs, 0);
    for (const [i, name] of this.#outputs.entries()) {
      this.#histograms[i]!.add(outputs[name]!.data as Float32Array);
    }
    this.#show(this.#histograms.map((histogram, i) => this.#shown(this.#names[i]!, histogram)));
    // What it takes is no more than a fifth of the time.
    this.#next = performance.now() + Math.max(interval, 4 * (performance.now() - now));
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  #shown(tensor: string, histogram: GrowingHistogram): TensorHistogram {
    const [lowest, highest] = histogram.ends;
    return { tensor, lowest, highest, counts: [...histogram.counts], clip: this.#clip(histogram) };
  }

  #clip({ counts, ends: [begin, end], lowest, highest }: GrowingHistogram): [number, number] {
    const all = counts.reduce((sum, count) => sum + count, 0);
    const width = (end - begin) / bins;
    const inside = (order: readonly number[]) => {
      let sum = 0;
      const first = order.findIndex((count) => {
        sum += count;
        return sum > this.#clipped * all;
      });
      return Math.max(0, first);
    };
    const [low, high] = [inside(counts), inside([...counts].reverse())];
    return [Math.max(lowest, begin + low * width), Math.min(highest, end - high * width)];
  }
}
