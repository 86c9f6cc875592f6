// What is kept of two tensors that should be alike: sums over channels, added up over samples, so
// that memory does not grow with them. Signal, noise and the part of the noise that is a shift of
// means follow from them.
import type { Numbers } from '../verify/metrics.js';

/**
 * The axis of the channels: 1 where there are places behind it (NCHW), else the last, as matrices
 * and sequences have it.
 */
export function channelAxis(dims: readonly number[]): number {
  return dims.length >= 4 ? 1 : Math.max(dims.length - 1, 0);
}

/** Channels beyond this many are not told apart. */
const mostChannels = 1 << 16;

export class Moments {
  signal = 0;
  noise = 0;
  /** Values that are finite in float and not in the other. */
  broken = 0;
  #shifts = new Float64Array(0);
  #counts = new Float64Array(0);

  /** Adds one sample; where lengths differ nothing is comparable, and it counts as broken. */
  add(dims: readonly number[], float: Numbers, other: Numbers): void {
    if (float.length !== other.length) {
      this.broken++;
      return;
    }
    const axis = channelAxis(dims);
    const count = Math.min(dims[axis] ?? 1, mostChannels);
    if (count > this.#shifts.length) {
      this.#shifts = grown(this.#shifts, count);
      this.#counts = grown(this.#counts, count);
    }
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    let channel = 0;
    for (let start = 0; start < float.length; start += inner) {
      const end = Math.min(start + inner, float.length);
      let [signal, noise, shift, finite] = [0, 0, 0, end - start];
      for (let i = start; i < end; i++) {
        const x = float[i] as number;
        const error = (other[i] as number) - x;
        signal += x * x;
        noise += error * error;
        shift += error;
      }
      // A value that is not finite leaves a sum that is none: again, and it is left out.
      if (!Number.isFinite(signal + noise)) {
        [signal, noise, shift, finite] = [0, 0, 0, 0];
        for (let i = start; i < end; i++) {
          const x = float[i] as number;
          if (!Number.isFinite(x)) continue;
          const error = (other[i] as number) - x;
          if (!Number.isFinite(error)) {
            this.broken++;
            continue;
          }
          finite++;
          signal += x * x;
          noise += error * error;
          shift += error;
        }
      }
      this.signal += signal;
      this.noise += noise;
      this.#shifts[channel]! += shift;
      this.#counts[channel]! += finite;
      channel = channel + 1 < count ? channel + 1 : 0;
    }
  }

  /** In dB; null before anything was added, and where it has no signal. */
  get sqnr(): number | null {
    if (this.broken > 0) return Number.NEGATIVE_INFINITY;
    if (this.signal === 0) return null;
    return 10 * Math.log10(this.signal / Math.max(this.noise, this.signal * leastNoise));
  }

  /** Noise to signal. */
  get ratio(): number {
    if (this.broken > 0) return Number.POSITIVE_INFINITY;
    return this.signal === 0 ? 0 : this.noise / this.signal;
  }

  /** Of the noise, the share that a constant a channel would take away, 0…1. */
  get meanShift(): number | null {
    if (this.noise === 0 || this.broken > 0) return null;
    let shifted = 0;
    for (let i = 0; i < this.#counts.length; i++) {
      if (this.#counts[i]! > 0) shifted += this.#shifts[i]! ** 2 / this.#counts[i]!;
    }
    return Math.min(1, shifted / this.noise);
  }
}

/** Equal to the last bit of a float32: 160 dB, so that the figure stays finite. */
const leastNoise = 1e-16;

function grown(values: Float64Array<ArrayBuffer>, count: number): Float64Array<ArrayBuffer> {
  const more = new Float64Array(count);
  more.set(values);
  return more;
}
