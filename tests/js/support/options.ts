// Validation with the core loaded, as it is before any work.
import '#dist/set-up-node.js';
import type { OptionValues } from '#dist/base/types.js';
import { loadCore } from '#dist/core/load.js';
import * as overrides from '#dist/options/tensor-quant-overrides.js';
import * as validate from '#dist/options/validate.js';

const core = await loadCore();

export const checkQuantizeStatic = (given: OptionValues) =>
  validate.checkQuantizeStatic(given, core);

export const checkTensorQuantOverrides = (value: unknown, activationType: 'QUInt8') =>
  overrides.checkTensorQuantOverrides(value, activationType, core);
