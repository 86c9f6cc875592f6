// extra_options.TensorQuantOverrides: quantization parameters by tensor name. Keys are the
// reference's. It stops checking after the first tensor; here the core checks every entry of every
// tensor (src/quantization).

import { checkOverridesInCore } from '../core/check-options.js';
import type { Core } from '../core/load.js';
import type { QuantType } from './quant-types.js';

/** One type for one tensor; what is left out is as without the override. */
export interface TensorParameters {
  quant_type?: QuantType;
  /** Only together with zero_point, and then without symmetric, reduce_range, rmin and rmax. */
  scale?: number;
  zero_point?: number;
  /** Mirror the range about 0. */
  symmetric?: boolean;
  /** Ends of the range, in place of the calibrated ones. */
  rmin?: number;
  rmax?: number;
}

export interface TensorQuantOverride extends TensorParameters {
  /** Per channel: the axis of the channels; negative ones count from the end. Initializers only. */
  axis?: number;
  /** Initializers only: one bit less. */
  reduce_range?: boolean;
  /**
   * Activations only: a second type, into which the first is converted for the nodes in recv_nodes
   * (absent: all).
   */
  convert?: TensorParameters & { quant_type: QuantType; recv_nodes?: string[] };
}

/**
 * One object for the tensor (per tensor, or `axis` for all channels), or as many as it has
 * channels.
 */
export type TensorQuantOverrides = Record<string, TensorQuantOverride[]>;

/**
 * Checks the form of overrides; returns a copy without keys that are null. `activationType` is what
 * an activation has without an override. Throws INVALID_OPTION with the tensor.
 */
export function checkTensorQuantOverrides(
  value: unknown,
  activationType: QuantType,
  core: Core,
): TensorQuantOverrides {
  checkOverridesInCore(core, value, activationType);
  return JSON.parse(JSON.stringify(value), (_, item) => item ?? undefined);
}

/** Every type that the overrides name, those of `convert` too. */
export function overrideTypes(overrides: TensorQuantOverrides): Set<QuantType> {
  const types = new Set<QuantType>();
  for (const { quant_type: type, convert } of Object.values(overrides).flat()) {
    if (type !== undefined) types.add(type);
    if (convert) types.add(convert.quant_type);
  }
  return types;
}
