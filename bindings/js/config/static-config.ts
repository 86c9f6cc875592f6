// A configuration as plain data: what getQdqConfig() and getQnnQdqConfig() return, quantize() runs,
// and --config takes. It is the reference's StaticQuantConfig under its own names, without the
// calibration data reader.

import type { ModelStructure } from '../base/types.js';
import { checkOverridesInCore } from '../core/check-options.js';
import { loadCore } from '../core/load.js';
import { coreOf, withoutDataFiles } from '../jobs/inspect-model.js';
import type { ModelSource } from '../options/api.js';
import type { ExtraOptions } from '../options/extra-options.js';
import type { CalibrationMethod, QuantFormat, QuantType } from '../options/quant-types.js';
import type { TensorQuantOverrides } from '../options/tensor-quant-overrides.js';
import type { Platform } from '../platform/platform.js';

export interface StaticQuantConfig {
  calibrate_method: CalibrationMethod;
  quant_format: QuantFormat;
  activation_type: QuantType;
  weight_type: QuantType;
  op_types_to_quantize: string[];
  nodes_to_quantize: string[];
  nodes_to_exclude: string[];
  per_channel: boolean;
  reduce_range: boolean;
  use_external_data_format: boolean;
  calibration_providers: string[] | null;
  extra_options: ExtraOptions;
}

/** What a configuration depends on. */
export interface ConfiguredModel extends ModelStructure {
  /** Of the model file, without external data. */
  bytes: number;
  /**
   * Throws INVALID_OPTION for the first override that is wrong, or that the model has no tensor,
   * axis or role for.
   */
  checkOverrides(overrides: TensorQuantOverrides, activationType: QuantType): void;
}

/** A protobuf cannot be larger: weights then go to a file of their own. */
const largestModel = 2 ** 31;

export const needsExternalData = ({ hasExternalData, bytes }: ConfiguredModel): boolean =>
  hasExternalData || bytes >= largestModel;

/** The first opset whose QuantizeLinear and DequantizeLinear have 16-bit and 4-bit types. */
export const opsetOfAllTypes = 21;

/** Reads the graph and hands it to `make`; data files that are not there are not missed. */
export async function configure(
  platform: Platform<unknown>,
  { modelInput, externalData = {} }: ModelSource,
  make: (model: ConfiguredModel) => StaticQuantConfig,
): Promise<StaticQuantConfig> {
  const core = await loadCore();
  const input = await platform.openInput(modelInput, externalData);
  try {
    return await coreOf(withoutDataFiles(input), (session) => {
      session.open();
      return make({
        ...session.structure(),
        bytes: input.source('~model')?.size ?? 0,
        checkOverrides(overrides, activationType) {
          checkOverridesInCore(core, overrides, activationType);
          session.checkOverrides(overrides);
        },
      });
    });
  } finally {
    input.close();
  }
}

/** In the order of their characters, each once. */
export const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();
