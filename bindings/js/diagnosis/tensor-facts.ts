// What a quantized activation is like in the float model, in constant memory: its ends, how large
// its values are and its channels, and what rounding to its type does to it by itself.
import type { QuantizedTensor } from '../core/probes.js';
import type { Numbers } from '../verify/metrics.js';
import { channelAxis } from './moments.js';

/** Ends of the integers by type. */
export function integerEnds(type: string): [number, number] {
  const bits = Number(/\d+$/.exec(type)?.[0] ?? 8);
  return type.startsWith('u') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/** The float values at the ends of the type, with the parameters of one channel. */
export function floatEnds({ type, scales, zeroPoints }: QuantizedTensor): [number, number] {
  const [lowest, highest] = integerEnds(type);
  const [scale, zero] = [scales[0] ?? 1, zeroPoints[0] ?? 0];
  return [(lowest - zero) * scale, (highest - zero) * scale];
}

const mostChannels = 1 << 16;

export class TensorFacts {
  lowest = Number.POSITIVE_INFINITY;
  highest = Number.NEGATIVE_INFINITY;
  count = 0;
  signal = 0;
  /** Squared errors of values inside the range, and beyond it. */
  roundingNoise = 0;
  clippingNoise = 0;
  clipped = 0;
  /** Values other than 0 that rounding makes 0. */
  vanished = 0;
  nonzero = 0;
  /** By channel the sum of squares; all have as many values. */
  energies = new Float64Array(0);
  /** Values by magnitude: half an octave a bin, the exponent and the first bit behind it. */
  readonly #bins = new Float64Array(1 << 10);
  readonly #ends: [number, number];
  readonly #scale: number;

  /** Of a tensor with one scale. */
  constructor(readonly tensor: QuantizedTensor) {
    this.#ends = floatEnds(tensor);
    this.#scale = tensor.scales[0] ?? 1;
  }

  add(dims: readonly number[], values: Numbers): void {
    const axis = channelAxis(dims);
    const channels = Math.min(dims[axis] ?? 1, mostChannels);
    if (channels > this.energies.length) {
      const more = new Float64Array(channels);
      more.set(this.energies);
      this.energies = more;
    }
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    // Locals: fields would be written to memory for each value.
    const { energies } = this;
    const bins = this.#bins;
    const [low, high] = this.#ends;
    const scale = this.#scale;
    let { count, signal, lowest, highest, roundingNoise, nonzero, vanished } = this;
    let channel = 0;
    for (let start = 0; start < values.length; start += inner) {
      const end = Math.min(start + inner, values.length);
      let energy = energies[channel]!;
      for (let i = start; i < end; i++) {
        const x = values[i] as number;
        if (!Number.isFinite(x)) continue;
        const square = x * x;
        energy += square;
        count++;
        signal += square;
        if (x < lowest) lowest = x;
        if (x > highest) highest = x;
        bits.float[0] = x;
        bins[(bits.integer[0]! & 0x7fffffff) >>> 22]!++;
        const inside = Math.min(Math.max(x, low), high);
        const rounded = Math.round(inside / scale) * scale;
        const error = rounded - inside;
        roundingNoise += error * error;
        if (inside !== x) {
          // Half a step beyond the end is rounding, too.
          if (Math.abs(inside - x) > scale) this.clipped++;
          this.clippingNoise += (inside - x) ** 2;
        }
        if (x !== 0) {
          nonzero++;
          if (rounded === 0) vanished++;
        }
      }
      energies[channel] = energy;
      channel = channel + 1 < channels ? channel + 1 : 0;
    }
    Object.assign(this, { count, signal, lowest, highest, roundingNoise, nonzero, vanished });
  }

  get sqnr(): number | null {
    const noise = this.roundingNoise + this.clippingNoise;
    if (this.signal === 0) return null;
    return 10 * Math.log10(this.signal / Math.max(noise, this.signal * 1e-16));
  }

  get largest(): number {
    return Math.max(Math.abs(this.lowest), Math.abs(this.highest));
  }

  /** Whether no value is between these magnitudes, a factor of 2 left out at both ends. */
  hasGap(low: number, high: number): boolean {
    const bin = (magnitude: number) => {
      bits.float[0] = magnitude;
      return bits.integer[0]! >>> 22;
    };
    return this.#bins.slice(bin(2 * low), bin(high / 2)).every((count) => count === 0);
  }

  /** A magnitude that `share` of the values do not exceed, within half an octave. */
  quantile(share: number): number {
    let below = 0;
    for (let bin = 0; bin < this.#bins.length; bin++) {
      below += this.#bins[bin]!;
      if (below >= share * this.count) {
        bits.integer[0] = (bin + 1) << 22;
        return Math.min(bits.float[0]!, this.largest);
      }
    }
    return this.largest;
  }
}

const buffer = new ArrayBuffer(4);
const bits = { float: new Float32Array(buffer), integer: new Uint32Array(buffer) };
