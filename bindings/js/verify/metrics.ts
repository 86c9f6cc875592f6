// How close two outputs are: signal to quantization noise and top-1 agreement.
import { fromFloat16 } from '../base/float16.js';
import type { OutputTensor } from '../runtime/runtime.js';

/** Sums over the values of one output, added up over samples; the ratio follows from them. */
export interface NoiseSums {
  /** Σ x² of the float values. */
  signal: number;
  /** Σ (x − y)². */
  noise: number;
  /** Values that are finite in float and not in the quantized model. */
  broken: number;
}

export const noSums = (): NoiseSums => ({ signal: 0, noise: 0, broken: 0 });

/**
 * Adds one sample. Values that are not finite in float are left out. Throws RangeError for unequal
 * lengths.
 */
export function addNoise(sums: NoiseSums, float: Numbers, quantized: Numbers): void {
  if (float.length !== quantized.length) {
    throw new RangeError(`${float.length} values against ${quantized.length}`);
  }
  for (let i = 0; i < float.length; i++) {
    const x = float[i] as number;
    const y = quantized[i] as number;
    if (!Number.isFinite(x)) continue;
    if (!Number.isFinite(y)) {
      sums.broken++;
      continue;
    }
    sums.signal += x * x;
    sums.noise += (x - y) * (x - y);
  }
}

/**
 * Floor of both norms, as the reference's qdq_loss_debug has it: equal values give a finite figure.
 */
const epsilon = Number.EPSILON;

/** 20 · log10(‖x‖ / ‖x − y‖) in dB; −Infinity where values broke (NaN or infinite). */
export function signalToNoise({ signal, noise, broken }: NoiseSums): number {
  if (broken > 0) return Number.NEGATIVE_INFINITY;
  const norm = (sum: number) => Math.max(Math.sqrt(sum), epsilon);
  return 20 * Math.log10(norm(signal) / norm(noise));
}

export type Numbers = ArrayLike<number>;

/** The values of a float output as numbers; null for other types. */
export function floatValues(tensor: OutputTensor): Numbers | null {
  if (tensor.type === 'float32' || tensor.type === 'float64') return tensor.data as Numbers;
  if (tensor.type !== 'float16') return null;
  // Newer engines hand out a Float16Array, whose elements are numbers already.
  if (!(tensor.data instanceof Uint16Array)) return tensor.data as unknown as Numbers;
  return Float32Array.from(tensor.data, fromFloat16);
}

/**
 * The number of classes where an output may be class scores: rows [N, C], or [N, C, 1, 1] as a
 * global pooling leaves them, with C ≥ 2; else null.
 */
export function classCount(dims: readonly number[]): number | null {
  const [rows = 0, classes = 0, ...rest] = dims;
  const isPooled = rest.length === 2 && rest.every((dim) => dim === 1);
  return (rest.length === 0 || isPooled) && rows > 0 && classes >= 2 ? classes : null;
}

/** How far from 1 the sum of a row of probabilities may be: they are rounded, in float16 too. */
const sumTolerance = 0.02;
/** In standard deviations of a row: how far ahead of the second the winner is, usually. */
const leadOfWinner = 0.5;

/**
 * Whether rows of values are class scores rather than the numbers of a regression or an embedding:
 * probabilities, or logits with one winner, half a standard deviation ahead in most rows. (Of
 * normal numbers the largest of 10 is ahead by less in most rows, and of more numbers by less
 * still.)
 */
export function areScores(rows: readonly Numbers[]): boolean {
  if (rows.every(isDistribution)) return true;
  const leads = rows.map(leadOf).sort((a, b) => a - b);
  return (leads[Math.floor((leads.length - 1) / 2)] ?? 0) >= leadOfWinner;
}

function isDistribution(row: Numbers): boolean {
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    const value = row[i] as number;
    if (!(value >= 0)) return false;
    sum += value;
  }
  return Math.abs(sum - 1) <= sumTolerance;
}

/** The largest value less the second largest, in standard deviations of the row. */
function leadOf(row: Numbers): number {
  let [first, second, sum, squares] = [-Infinity, -Infinity, 0, 0];
  for (let i = 0; i < row.length; i++) {
    const value = row[i] as number;
    if (value > first) [first, second] = [value, first];
    else if (value > second) second = value;
    sum += value;
    squares += value * value;
  }
  const mean = sum / row.length;
  const deviation = Math.sqrt(Math.max(0, squares / row.length - mean * mean));
  return deviation > 0 ? (first - second) / deviation : 0;
}

/** Index of the largest value of each row of `classes` values; the first of equal ones. */
export function topClasses(values: Numbers, classes: number): number[] {
  const rows: number[] = [];
  for (let start = 0; start + classes <= values.length; start += classes) {
    let best = 0;
    for (let i = 1; i < classes; i++) {
      if ((values[start + i] as number) > (values[start + best] as number)) best = i;
    }
    rows.push(best);
  }
  return rows;
}
