// How far the outputs of a quantized model are from the float model's, one number a sample, and
// whether another model is closer: compared sample by sample, because samples differ more from each
// other than models do.

import type { Outputs } from '../verify/compare.js';
import { addNoise, floatValues, noSums } from '../verify/metrics.js';

/** Decibels as a natural logarithm of powers. */
export const asLog = (decibels: number): number => (decibels * Math.LN10) / 10;

/** Power of noise to power of signal; below it all is rounding, beyond it all is noise. */
const leastNoise = 1e-12;
const mostNoise = 1e6;
/** A gain of less than half a percent is none; in one sample alone it takes a decibel. */
const leastGain = 0.005;
const leastGainOfOne = asLog(1);

/**
 * By output: the mean over samples of the power of its values, Σ x², which noise is compared with:
 * so that the SQNR of all samples together is the one that the report states. A sample with hardly
 * any signal would decide alone if it were compared with its own.
 */
export function meanSignals(floats: readonly Outputs[]): Record<string, number> {
  const signals: Record<string, number> = {};
  for (const outputs of floats) {
    for (const [name, output] of Object.entries(outputs)) {
      const values = floatValues(output);
      if (!values) continue;
      const sums = noSums();
      addNoise(sums, values, values);
      signals[name] = (signals[name] ?? 0) + sums.signal / floats.length;
    }
  }
  return signals;
}

/**
 * The logarithm of noise to `signals` of one sample: of the worst output, and the mean of all.
 */
export function logNoise(
  float: Outputs,
  quantized: Outputs,
  signals: Readonly<Record<string, number>>,
): number {
  const noises = Object.keys(float).map((name) =>
    noiseOf(float[name]!, quantized[name]!, signals[name] ?? 0),
  );
  if (noises.length === 0) return Math.log(leastNoise);
  const mean = noises.reduce((sum, noise) => sum + noise, 0) / noises.length;
  return Math.log(Math.min(mostNoise, Math.max(leastNoise, (Math.max(...noises) + mean) / 2)));
}

function noiseOf(float: Outputs[string], quantized: Outputs[string], signal: number): number {
  if (float.data.length !== quantized.data.length) return 1;
  const [x, y] = [floatValues(float), floatValues(quantized)];
  if (!x || !y) return float.data.length === 0 ? 0 : differing(float, quantized);
  const sums = noSums();
  addNoise(sums, x, y);
  if (sums.broken > 0) return mostNoise;
  return signal === 0 ? (sums.noise === 0 ? 0 : mostNoise) : sums.noise / signal;
}

/** Of integers and truth values: the share that differs. */
function differing(float: Outputs[string], quantized: Outputs[string]): number {
  let count = 0;
  for (let i = 0; i < float.data.length; i++) if (float.data[i] !== quantized.data[i]) count++;
  return count / float.data.length;
}

/** The same in decibels, over all samples: 10 · log10 of signal to noise, by its geometric mean. */
export const decibels = (logNoises: readonly number[]): number =>
  0 - (10 * meanOf(logNoises)) / Math.LN10;

/** By the mean of the noise itself: with meanSignals() the SQNR of all samples together. */
export const pooledDecibels = (logNoises: readonly number[]): number =>
  0 - 10 * Math.log10(meanOf(logNoises.map(Math.exp)));

/**
 * Whether the noise falls, paired per sample: by more than half a percent, and by more than so many
 * standard errors of its mean. Samples without any (an empty picture, in which nothing is found
 * either way) tell nothing.
 */
export function fallsBelow(
  after: readonly number[],
  before: readonly number[],
  standardErrors = 1,
): boolean {
  const tells = (_: number, i: number) => Math.max(before[i]!, after[i]!) > Math.log(leastNoise);
  const falls = before.map((noise, i) => noise - after[i]!).filter(tells);
  const count = falls.length;
  if (count < 2) return count === 1 && falls[0]! > leastGainOfOne;
  const mean = meanOf(falls);
  const variance = falls.reduce((sum, fall) => sum + (fall - mean) ** 2, 0) / (count - 1);
  return mean > Math.max(leastGain, standardErrors * Math.sqrt(variance / count));
}

/**
 * Whether all noise together falls by a decibel, and in no sample does it rise beyond the mean of
 * what is left: what is clipped in a single sample is mended in that one only, which is never more
 * than one standard error.
 */
export function mends(after: readonly number[], before: readonly number[]): boolean {
  const left = Math.log(meanOf(after.map(Math.exp)));
  const isHarmless = after.every((noise, i) => noise <= Math.max(left, before[i]! + leastGain));
  return isHarmless && pooledDecibels(after) >= pooledDecibels(before) + 1;
}

const meanOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
