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
 * The number of classes where an output looks like class scores: a batch of vectors, [N, C], [N, C,
 * 1, 1] or [N, 1, C] with C ≥ 2; else null.
 */
export function classCount(dims: readonly number[]): number | null {
  if (dims.length < 2 || dims[0] === 0) return null;
  const wide = dims.slice(1).filter((dim) => dim !== 1);
  return wide.length === 1 && (wide[0] as number) >= 2 ? (wide[0] as number) : null;
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
