// What the first layer tells of the magnitude of the pictures that it was trained on: the
// statistics that a BatchNormalization kept, or biases beside the sums that they were added to.

import { median } from '../base/median.js';
import type { PreprocessCandidate } from '../base/types.js';
import type { Observed, Trials } from './trials.js';

/** Of one picture, by channel of a tensor: number of values, sum, and sum of squares. */
export interface ChannelSums {
  count: number;
  sum: Float64Array;
  squares: Float64Array;
}

/** The channels of a tensor [N,C,…]: axis 1, as ONNX's Conv and BatchNormalization have them. */
export function channelSums({ dims, values }: Observed): ChannelSums {
  const channels = dims[1] ?? 1;
  const inner = dims.slice(2).reduce((product, dim) => product * dim, 1);
  const sum = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let i = 0, at = 0; at < values.length; i++) {
    const channel = i % channels;
    for (const end = at + inner; at < end; at++) {
      const value = values[at]!;
      sum[channel]! += value;
      squares[channel]! += value * value;
    }
  }
  return { count: values.length / channels, sum, squares };
}

/** Mean and variance by channel over all pictures but number `without`. */
function moments(pictures: readonly ChannelSums[], without: number | null) {
  const taken = pictures.filter((_, i) => i !== without);
  const count = taken.reduce((total, picture) => total + picture.count, 0);
  const total = (of: 'sum' | 'squares', channel: number) =>
    taken.reduce((sum, picture) => sum + picture[of][channel]!, 0);
  return Array.from(pictures[0]!.sum, (_, channel) => {
    const mean = total('sum', channel) / count;
    const variance = Math.max(0, total('squares', channel) / count - mean * mean);
    return { mean, variance };
  });
}

/** Channels that hardly vary say nothing: their least deviation would count most. */
const leastVariance = 1e-3;

/**
 * How far the samples are from training: the divergence (Kullback-Leibler) of two normal
 * distributions, in nats, that of the channel in the middle. 0: the same.
 */
export function divergence(
  pictures: readonly ChannelSums[],
  trained: { mean: readonly number[]; variance: readonly number[] },
  without: number | null,
): number {
  const sorted = [...trained.variance].sort((a, b) => a - b);
  const usual = sorted[sorted.length >> 1]!;
  const all = moments(pictures, without).flatMap(({ mean, variance }, channel) => {
    const wanted = trained.variance[channel]!;
    if (!(wanted > leastVariance * usual)) return [];
    const ratio = (variance + 1e-12) / wanted;
    const shift = (mean - trained.mean[channel]!) ** 2 / wanted;
    return [(ratio + shift - 1 - Math.log(ratio)) / 2];
  });
  return median(all);
}

/** How many times larger biases are than the sums vary that they are added to. */
export function biasRatio(pictures: readonly ChannelSums[], bias: readonly number[]): number {
  const squares = bias.reduce((sum, value) => sum + value * value, 0) / bias.length;
  const all = moments(pictures, null);
  const variance = all.reduce((sum, channel) => sum + channel.variance, 0) / all.length;
  return Math.sqrt(squares / variance);
}

export type SumsByCandidate = Map<PreprocessCandidate, ChannelSums[]>;

/** Adds the sums of `tensor` for these pictures. The model is run no further than to it. */
export async function observeSums(
  trials: Trials,
  tensor: string,
  candidates: readonly PreprocessCandidate[],
  pictures: readonly number[],
  sums: SumsByCandidate = new Map(),
): Promise<SumsByCandidate> {
  const session = await trials.open([tensor]);
  try {
    for (const candidate of candidates) {
      const all = sums.get(candidate) ?? [];
      sums.set(candidate, all);
      for (const picture of pictures) {
        const [first] = await session.observe(candidate, picture, 0);
        all.push(channelSums(first!));
      }
    }
    return sums;
  } finally {
    await session.release();
  }
}
