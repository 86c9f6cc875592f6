// Quantized constants as floats again, as numpy computes them: integers of 8 bits times a float32
// are float32, of 32 bits float64.
import type { QuantizedTensor } from '../core/probes.js';

/**
 * `integers`: those of a tensor of these `dims` from element `first` on. null where the scales fit
 * no axis of the tensor, as those of blocks do not.
 */
export function dequantize(
  { scales, zeroPoints, axis }: Pick<QuantizedTensor, 'scales' | 'zeroPoints' | 'axis'>,
  type: string,
  dims: readonly number[],
  integers: ArrayLike<number>,
  first = 0,
): Float32Array | Float64Array | null {
  const count = scales.length;
  const along = axis < 0 ? axis + dims.length : axis;
  if (count > 1 && dims[along] !== count) return null;
  const inner = dims.slice(along + 1).reduce((product, dim) => product * dim, 1);
  const isWide = /32$|64$/.test(type);
  const floats = isWide ? new Float64Array(integers.length) : new Float32Array(integers.length);
  for (let i = 0; i < integers.length; i++) {
    const channel = count > 1 ? Math.floor((first + i) / inner) % count : 0;
    floats[i] = (integers[i]! - (zeroPoints[channel] ?? zeroPoints[0] ?? 0)) * scales[channel]!;
  }
  return floats;
}
