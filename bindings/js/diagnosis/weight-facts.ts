// What a quantized weight shows by itself: channels that one scale for all leaves few steps.
import type { QuantizedTensor } from '../core/probes.js';

export interface WeightFacts {
  tensor: QuantizedTensor;
  /** Channels, and how many of them use less than a sixteenth of the integers; the worse axis. */
  channels: number;
  narrow: number;
}

/** Of what the largest channel uses. */
const narrowShare = 1 / 16;

/** `values`: the integers. Of a weight with one scale for all; null for others. */
export function weightFacts(
  tensor: QuantizedTensor,
  dims: readonly number[],
  values: ArrayLike<number>,
): WeightFacts | null {
  if (tensor.scales.length !== 1 || dims.length < 2) return null;
  // Weights of Conv have their output channels first; of MatMul last, of Gemm as it is told.
  const axes = dims.length > 2 ? [0] : [0, 1];
  const zero = tensor.zeroPoints[0] ?? 0;
  const all = axes.map((axis): WeightFacts => {
    const largest = largestByChannel(dims, axis, values, zero);
    const most = Math.max(...largest);
    const narrow = largest.filter((value) => value < narrowShare * most).length;
    return { tensor, channels: largest.length, narrow };
  });
  return all.reduce((worst, one) =>
    one.narrow / one.channels > worst.narrow / worst.channels ? one : worst,
  );
}

function largestByChannel(
  dims: readonly number[],
  axis: number,
  values: ArrayLike<number>,
  zero: number,
): number[] {
  const count = dims[axis]!;
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const largest = new Array<number>(count).fill(0);
  for (let i = 0; i < values.length; i++) {
    const channel = Math.floor(i / inner) % count;
    const magnitude = Math.abs(values[i]! - zero);
    if (magnitude > largest[channel]!) largest[channel] = magnitude;
  }
  return largest;
}
