// Which repairs are tried, and in what order: the cheapest and the likeliest first, each on top of
// what was accepted before. What was asked for is never changed: formats, types and an explicit
// choice of nodes stay.
import type { Repairs } from '../base/types.js';
import { profileTakesFloat } from '../options/profiles.js';
import type { CheckedStatic } from '../options/quantize-static.js';

type Asked = Pick<
  CheckedStatic,
  | 'quant_format'
  | 'per_channel'
  | 'calibrate_method'
  | 'op_types_to_quantize'
  | 'nodes_to_quantize'
  | 'profile'
  | 'max_float_nodes'
  | 'extra_options'
>;

/** Shares of the difficulty that SmoothQuant moves into weights: what its authors found good. */
const alphas = [0.5, 0.65, 0.8];

/** Steps to try one after the other: what each adds to the repairs accepted until then. */
export function repairSteps(asked: Asked): Partial<Repairs>[] {
  return [
    { correctBiases: true },
    ...(mayEqualize(asked) ? [{ equalize: true, correctBiases: true }] : []),
    ...(mayLeaveFloat(asked) ? [{ layerIo: true, correctBiases: true }, ...smoothing(asked)] : []),
    { round: true, correctBiases: true },
  ];
}

/** Whether a step makes sense on top of what was accepted: smoothing adds a Mul, a float one. */
export const fits = ({ smooth }: Partial<Repairs>, accepted: Repairs): boolean =>
  smooth === undefined || accepted.layerIo;

const smoothing = (asked: Asked): Partial<Repairs>[] =>
  isPlainMinMax(asked) ? alphas.map((smooth) => ({ smooth })) : [];

/** Whether ranges are those of the values. */
export const isPlainMinMax = ({
  calibrate_method,
  extra_options,
}: Pick<Asked, 'calibrate_method' | 'extra_options'>): boolean =>
  calibrate_method === 'MinMax' && extra_options.CalibMovingAverage !== true;

/** With one scale for all channels of a weight, and ranges that are those of the values. */
const mayEqualize = (asked: Asked): boolean => !asked.per_channel && isPlainMinMax(asked);

/**
 * Whether nodes may stay float that the reference quantizes. In the QOperator format each of them
 * stands between two conversions of its own.
 */
export function mayLeaveFloat(asked: Asked): boolean {
  const { quant_format, op_types_to_quantize, nodes_to_quantize, profile, extra_options } = asked;
  if (asked.max_float_nodes === 0) return false;
  const chosen = op_types_to_quantize.length > 0 || nodes_to_quantize.length > 0;
  const overridden = Object.keys(extra_options.TensorQuantOverrides ?? {}).length > 0;
  return quant_format === 'QDQ' && !chosen && !overridden && profileTakesFloat(profile);
}
