// Checks of options that need no model: which go together, and the form of tensor overrides.
import type { OptionValues } from '../base/types.js';
import { type Core, callCore } from './load.js';

/**
 * `options`: the reference's names, see coreOptions(). Throws INVALID_OPTION, UNSUPPORTED_OPTION.
 */
export function checkOptionsInCore(core: Core, options: OptionValues): void {
  callCore(core, () => core.checkOptions(toJson(options)));
}

/**
 * The form of TensorQuantOverrides; `activationType` is what an activation has without an override.
 * Throws INVALID_OPTION with the tensor.
 */
export function checkOverridesInCore(core: Core, overrides: unknown, activationType: string): void {
  callCore(core, () => core.checkOverrides(toJson(overrides), activationType));
}

/** JSON would write infinity and NaN as null; as text the core refuses them. */
const toJson = (value: unknown) =>
  JSON.stringify(value, (_, item) =>
    typeof item === 'number' && !Number.isFinite(item) ? String(item) : item,
  );
