// Changes the sample rate of a sound by a rational factor: a polyphase FIR filter (windowed sinc),
// which lets nothing above the lower of the two Nyquist frequencies through. The filter is that of
// scipy.signal.resample_poly: a sinc of 10 zero crossings each side at the lower rate, Kaiser
// window with beta 5 (scipy/signal/_signaltools.py; Oppenheim & Schafer, Discrete-Time Signal
// Processing, 7.5), so that Python gives the same values.

/** In Hz. Above it the filter for an odd ratio would take too much memory. */
export const highestRate = 384000;

const zeroCrossings = 10;
const beta = 5;

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

export class Resampler {
  /** The ratio in lowest terms: `up` values for `down`. */
  readonly #up: number;
  readonly #down: number;
  /** Coefficients on each side of the filter's middle, at `up` times the rate. */
  readonly #half: number;
  /** The filter by phase: phase p has coefficients p, p + up, p + 2 up, … side by side. */
  readonly #phases: Float64Array;
  readonly #taps: number;

  constructor(from: number, to: number) {
    const divisor = gcd(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    this.#half = zeroCrossings * Math.max(this.#up, this.#down);
    this.#taps = Math.floor((2 * this.#half) / this.#up) + 1;
    this.#phases = this.#up === this.#down ? new Float64Array() : this.#design();
  }

  /** Number of values that `count` become. */
  lengthOf(count: number): number {
    return Math.ceil((count * this.#up) / this.#down);
  }

  /** How many values it takes to know the first `count` of the result. */
  needed(count: number): number {
    return Math.floor(((count - 1) * this.#down + this.#half) / this.#up) + 1;
  }

  /** All values, or the first `count` of them. Beyond its ends the sound is silent. */
  run(values: Float64Array, count = this.lengthOf(values.length)): Float64Array {
    if (this.#up === this.#down) return values.slice(0, count);
    const up = this.#up;
    const out = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      // out[i] = sum over k of filter[half + i down - k up] values[k]
      const middle = this.#half + i * this.#down;
      const phase = middle % up;
      const newest = (middle - phase) / up;
      const row = phase * this.#taps;
      const first = Math.max(0, newest - values.length + 1);
      const last = Math.min(this.#taps - 1, newest);
      let sum = 0;
      for (let tap = first; tap <= last; tap++) {
        sum += this.#phases[row + tap]! * values[newest - tap]!;
      }
      out[i] = sum;
    }
    return out;
  }

  #design(): Float64Array {
    const half = this.#half;
    const width = Math.max(this.#up, this.#down); // from zero to zero of the sinc
    const filter = new Float64Array(2 * half + 1);
    const scale = besselI0(beta);
    let sum = 0;
    for (let n = -half; n <= half; n++) {
      const window = besselI0(beta * Math.sqrt(1 - (n / half) ** 2)) / scale;
      const value = (n === 0 ? 1 : sinPi(n, width) / ((Math.PI * n) / width)) * window;
      filter[half + n] = value;
      sum += value;
    }
    // A constant keeps its value: each phase sums to about 1.
    const gain = this.#up / sum;
    const phases = new Float64Array(this.#up * this.#taps);
    for (let n = 0; n < filter.length; n++) {
      phases[(n % this.#up) * this.#taps + Math.floor(n / this.#up)] = filter[n]! * gain;
    }
    return phases;
  }
}

/**
 * The modified Bessel function of the first kind and order 0, by its power series (Abramowitz &
 * Stegun 9.6.12).
 */
function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}

/**
 * sin(π n / m) from additions and products alone: Math.sin may differ in its last bit from engine
 * to engine.
 */
function sinPi(n: number, m: number): number {
  const turn = Math.abs(n) % (2 * m);
  const half = turn > m ? turn - m : turn;
  const x = (Math.PI * Math.min(half, m - half)) / m;
  let term = x;
  let sum = x;
  for (let k = 2; Math.abs(term) > 1e-18; k += 2) {
    term *= -(x * x) / (k * (k + 1));
    sum += term;
  }
  return (turn > m ? -sum : sum) * (n < 0 ? -1 : 1);
}
