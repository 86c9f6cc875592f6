// Two models' outputs beside each other, sample by sample; sums are kept, no outputs.
import type { ValueSummary } from '../base/types.js';
import type { OutputTensor } from '../runtime/runtime.js';
import {
  addNoise,
  areScores,
  classCount,
  floatValues,
  type Numbers,
  noSums,
  signalToNoise,
  topClasses,
} from '../verify/metrics.js';
import type { ModelComparison, OutputComparison } from './report.js';
import { placeOf, shareOf } from './shares.js';

/** Rows that tell whether an output is class scores. */
const rowsToJudge = 256;

class OutputSums {
  readonly #all = noSums();
  #dot = 0;
  #squares: [number, number] = [0, 0];
  #compared = 0;
  #otherShapes = 0;
  #values = 0;
  #differing = 0;
  #isFloat = true;
  readonly #single = { count: 0, sum: 0, squares: 0, lowest: Infinity, highest: -Infinity };

  add(a: OutputTensor, b: OutputTensor): void {
    if (a.dims.length !== b.dims.length || a.dims.some((dim, i) => dim !== b.dims[i])) {
      this.#otherShapes++;
      return;
    }
    if (a.data.length === 0) return;
    this.#compared++;
    this.#values += a.data.length;
    const [x, y] = [floatValues(a), floatValues(b)];
    if (!x || !y) {
      this.#isFloat = false;
      for (let i = 0; i < a.data.length; i++) if (a.data[i] !== b.data[i]) this.#differing++;
      return;
    }
    const own = noSums();
    addNoise(own, x, y);
    this.#all.signal += own.signal;
    this.#all.noise += own.noise;
    this.#all.broken += own.broken;
    this.#addAngle(x, y);
    const db = signalToNoise(own);
    if (!Number.isFinite(db)) return;
    const single = this.#single;
    single.count++;
    single.sum += db;
    single.squares += db * db;
    single.lowest = Math.min(single.lowest, db);
    single.highest = Math.max(single.highest, db);
  }

  #addAngle(x: Numbers, y: Numbers): void {
    for (let i = 0; i < x.length; i++) {
      const [u, v] = [x[i]!, y[i]!];
      if (!Number.isFinite(u) || !Number.isFinite(v)) continue;
      this.#dot += u * v;
      this.#squares[0] += u * u;
      this.#squares[1] += v * v;
    }
  }

  result(name: string): OutputComparison {
    const broken = this.#all.broken > 0;
    const isEqual = this.#all.noise === 0 && this.#differing === 0;
    const exact = this.#compared > 0 && !broken && isEqual;
    const isFloat = this.#compared > 0 && this.#isFloat;
    const norms = Math.sqrt(this.#squares[0] * this.#squares[1]);
    return {
      name,
      compared: this.#compared,
      otherShapes: this.#otherShapes,
      exact,
      broken,
      sqnr: isFloat && !exact && !broken ? signalToNoise(this.#all) : null,
      spread: isFloat && !exact ? this.#spread() : null,
      cosine: isFloat && norms > 0 ? this.#dot / norms : null,
      different: this.#isFloat || this.#compared === 0 ? null : this.#differing / this.#values,
    };
  }

  #spread(): OutputComparison['spread'] {
    const { count, sum, squares, lowest, highest } = this.#single;
    if (count === 0) return null;
    const mean = sum / count;
    const variance = count > 1 ? Math.max(0, squares - count * mean * mean) / (count - 1) : 0;
    return { lowest, mean, highest, deviation: Math.sqrt(variance) };
  }
}

export class Comparison {
  readonly #outputs: { name: string; sums: OutputSums }[];
  /** Of the first output; null once it cannot be class scores. */
  #classes: { top1: number; top5: number; of: number; rows: Numbers[] } | null = {
    top1: 0,
    top5: 0,
    of: 0,
    rows: [],
  };
  samples = 0;

  constructor(outputs: readonly Pick<ValueSummary, 'name'>[]) {
    this.#outputs = outputs.map(({ name }) => ({ name, sums: new OutputSums() }));
  }

  add(a: Record<string, OutputTensor>, b: Record<string, OutputTensor>): void {
    this.samples++;
    for (const { name, sums } of this.#outputs) sums.add(a[name]!, b[name]!);
    const first = this.#outputs[0]?.name;
    if (first !== undefined) this.#addClasses(a[first]!, b[first]!);
  }

  #addClasses(a: OutputTensor, b: OutputTensor): void {
    const counts = this.#classes;
    if (!counts) return;
    const classes = classCount(a.dims);
    const [x, y] = [floatValues(a), floatValues(b)];
    if (classes === null || !x || !y || x.length !== y.length) {
      this.#classes = null;
      return;
    }
    for (const [row, best] of topClasses(x, classes).entries()) {
      const place = placeOf(y, row * classes, classes, best);
      counts.of++;
      if (place < 1) counts.top1++;
      if (place < 5) counts.top5++;
      if (counts.rows.length < rowsToJudge) {
        counts.rows.push(Array.prototype.slice.call(x, row * classes, (row + 1) * classes));
      }
    }
  }

  result(): Pick<ModelComparison, 'samples' | 'sqnr' | 'cosine' | 'outputs' | 'top1' | 'top5'> {
    const outputs = this.#outputs.map(({ name, sums }) => sums.result(name));
    const lowest = (values: readonly (number | null)[]) => {
      const known = values.filter((value) => value !== null);
      return known.length > 0 ? Math.min(...known) : null;
    };
    const counts = this.#classes;
    const scores = counts !== null && counts.rows.length > 0 && areScores(counts.rows);
    const broken = outputs.some((output) => output.broken);
    return {
      samples: this.samples,
      sqnr: broken ? Number.NEGATIVE_INFINITY : lowest(outputs.map(({ sqnr }) => sqnr)),
      cosine: lowest(outputs.map(({ cosine }) => cosine)),
      outputs,
      top1: scores ? shareOf(counts.top1, counts.of) : null,
      top5: scores ? shareOf(counts.top5, counts.of) : null,
    };
  }
}
