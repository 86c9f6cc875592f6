// Tells causes apart. Each rule looks at what was measured and names one tensor; the first that
// holds is the cause, the most certain first. Where a layer does no harm nothing is asked.
import type { GraphNode } from '../base/types.js';
import type { Layer } from './layers.js';
import type { Cause } from './report.js';
import type { TensorFacts } from './tensor-facts.js';
import type { WeightFacts } from './weight-facts.js';

/** What is known of a layer and of what it reads. */
export interface LayerFacts {
  layer: Layer;
  /** Of the tensors that it reads and makes, as far as they are quantized with one scale. */
  tensors: readonly TensorFacts[];
  /** Of what it reads alone, by the order of its inputs. */
  reads: readonly TensorFacts[];
  weights: readonly WeightFacts[];
  meanShift: number | null;
  /** Where exact and saturating arithmetic were compared: the share of its noise. */
  saturated: number;
  /** Nodes of the float model that read a tensor. */
  readers(tensor: string): readonly GraphNode[];
}

/** A constant that stands for minus infinity is at least this large. */
const leastMask = 1e4;
/** Between it and all other values there is nothing over this factor. */
const maskGap = 100;
/** Of the noise of a tensor, what clipping makes where it is the cause. */
const clippedShare = 0.5;
/** Of the values other than 0 before a logarithm, those that rounding takes away. */
const vanishedShare = 0.1;
/** Of the channels of a weight, those that one scale leaves few steps. */
const narrowShare = 0.1;
/** A channel so many times the median one, by root mean square. */
const outlierChannel = 16;
/** The range over what 99.5 % of the values take: of normal numbers it is 2. */
const rangeOverMost = 8;
/** Ranges that meet in one node, the largest over the smallest. */
const unlikeRanges = 16;
/** Of the noise of a layer, what a constant a channel would take away. */
const shiftedShare = 0.3;
/** A channel of median size that the scale of all holds this well is not harmed, in dB. */
const goodChannel = 25;

export function findCause(facts: LayerFacts): Cause | null {
  const { tensors } = facts;
  return (
    saturation(facts) ??
    mask(facts) ??
    clippedTails(tensors) ??
    frontEnd(facts) ??
    unlike(facts) ??
    weightChannels(facts) ??
    outlierChannels(tensors) ??
    fewValues(tensors) ??
    shiftedMean(facts)
  );
}

const times = (factor: number) => `${Number(factor.toPrecision(2))} times`;
const percent = (share: number) => `${Number((100 * share).toPrecision(2))} %`;
const floatNode = ({ node }: Layer) =>
  node.name === '' ? 'leave the node float' : `leave it float: --nodes_to_exclude ${node.name}`;

function saturation({ layer, saturated }: LayerFacts): Cause | null {
  if (saturated < 0.5) return null;
  return {
    code: 'SATURATION',
    tensor: layer.output.name,
    text: 'sums of products of 8 bits are cut off: this processor has no VNNI',
    remedy: '--reduce_range, or --weight_type QUInt8',
  };
}

function mask({ tensors, layer }: LayerFacts): Cause | null {
  for (const facts of tensors) {
    const { largest, tensor } = facts;
    if (largest < leastMask || !facts.hasGap(largest / maskGap, largest)) continue;
    return {
      code: 'RANGE_OF_MASK',
      tensor: tensor.name,
      text: `its range is that of a mask constant of ${Number(largest.toPrecision(2))}: all other values become one`,
      remedy: `keep what adds the mask float, as effort normal does, or ${floatNode(layer)}`,
    };
  }
  return null;
}

function clippedTails(tensors: readonly TensorFacts[]): Cause | null {
  for (const { clippingNoise, roundingNoise, clipped, count, tensor } of tensors) {
    if (clipped === 0 || clippingNoise < clippedShare * (clippingNoise + roundingNoise)) continue;
    return {
      code: 'CLIPPED_TAILS',
      tensor: tensor.name,
      text: `${percent(clipped / count)} of its values are beyond its range, and clipping them makes most of its error`,
      remedy: 'calibrate with more typical samples, or --calibrate_method MinMax',
    };
  }
  return null;
}

const amplifying = ['Log', 'Pow', 'Reciprocal', 'Sqrt', 'Div', 'ReduceL2', 'ReduceLogSum'];
/** What small values pass through on the way there. */
const passing = ['Abs', 'Add', 'Clip', 'Max', 'Mul', 'Relu', 'Reshape', 'Squeeze', 'Transpose'];
const moreSteps = 4;

function frontEnd(facts: LayerFacts): Cause | null {
  for (const { tensor, vanished, nonzero } of facts.tensors) {
    if (nonzero === 0 || vanished < vanishedShare * nonzero) continue;
    const reader = amplifyingReader(tensor.name, facts, moreSteps);
    if (reader === null) continue;
    return {
      code: 'FRONT_END',
      tensor: tensor.name,
      text: `${percent(vanished / nonzero)} of its values become 0, and ${reader} makes much of small ones`,
      remedy: `${floatNode(facts.layer)}, with the nodes up to ${reader}`,
    };
  }
  return null;
}

/**
 * The node of such a type that reads the tensor, through a few others; null where there is none.
 */
function amplifyingReader(tensor: string, facts: LayerFacts, steps: number): string | null {
  for (const node of facts.readers(tensor)) {
    // What is divided is not made more of, but what it is divided by.
    const counts = node.opType !== 'Div' || node.inputs[1] === tensor;
    if (amplifying.includes(node.opType) && counts) return `${node.opType} "${node.name}"`;
    if (steps === 0 || !passing.includes(node.opType)) continue;
    for (const output of node.outputs) {
      const found = amplifyingReader(output, facts, steps - 1);
      if (found !== null) return found;
    }
  }
  return null;
}

function weightChannels({ weights }: LayerFacts): Cause | null {
  for (const { tensor, channels, narrow } of weights) {
    if (narrow < narrowShare * channels) continue;
    return {
      code: 'CHANNELS_UNDER_ONE_SCALE',
      tensor: tensor.name,
      text: `${narrow} of its ${channels} channels use less than a sixteenth of the integers, because the largest sets the scale of all`,
      remedy: '--per_channel, or --effort, which equalizes channels',
    };
  }
  return null;
}

function outlierChannels(tensors: readonly TensorFacts[]): Cause | null {
  for (const { energies, tensor, count } of tensors) {
    const sorted = energies.slice().sort();
    const [median, largest] = [sorted[sorted.length >> 1] ?? 0, sorted.at(-1) ?? 0];
    const factor = Math.sqrt(largest / median);
    if (sorted.length < 3 || !(factor >= outlierChannel)) continue;
    // Rounding to steps of the scale has a variance of a twelfth of its square.
    const noise = (tensor.scales[0] ?? 1) ** 2 / 12;
    if ((median * sorted.length) / count > noise * 10 ** (goodChannel / 10)) continue;
    const which = energies.indexOf(largest);
    const than = Number.isFinite(factor)
      ? `is ${times(factor)} the median one`
      : 'alone has values';
    return {
      code: 'CHANNELS_UNDER_ONE_SCALE',
      tensor: tensor.name,
      text: `channel ${which} of ${energies.length} ${than}, and sets the scale of all`,
      remedy: '--effort, or 16 bits for it where the target has them (TensorQuantOverrides)',
    };
  }
  return null;
}

function fewValues(tensors: readonly TensorFacts[]): Cause | null {
  for (const facts of tensors) {
    const most = facts.quantile(0.995);
    const { largest, tensor } = facts;
    if (largest < rangeOverMost * most) continue;
    return {
      code: 'RANGE_OF_FEW_VALUES',
      tensor: tensor.name,
      text: `99.5 % of its values are within ${Number(most.toPrecision(2))}, and its range goes to ${Number(largest.toPrecision(2))}`,
      remedy: '--calibrate_method Percentile or Entropy, which leave such values out',
    };
  }
  return null;
}

function unlike({ layer, reads }: LayerFacts): Cause | null {
  if (!/^(QLinear)?(Add|Concat|Sub|Sum)$/.test(layer.node.opType) || reads.length < 2) return null;
  const sorted = [...reads].sort((a, b) => a.largest - b.largest);
  const [smallest, largest] = [sorted[0]!, sorted.at(-1)!];
  const factor = largest.largest / smallest.largest;
  if (!(factor >= unlikeRanges)) return null;
  return {
    code: 'UNLIKE_RANGES',
    tensor: smallest.tensor.name,
    text: `it meets "${largest.tensor.name}", which is ${times(factor)} as large, under one scale`,
    remedy: floatNode(layer),
  };
}

function shiftedMean({ layer, meanShift, weights }: LayerFacts): Cause | null {
  if (meanShift === null || meanShift < shiftedShare) return null;
  const from = layer.weights.length > 0 || weights.length > 0 ? 'of its weight ' : '';
  return {
    code: 'SHIFTED_MEAN',
    tensor: layer.output.name,
    text: `${percent(meanShift)} of its error is a shift of the mean of channels, which rounding ${from}makes`,
    remedy: '--effort, which corrects biases',
  };
}
