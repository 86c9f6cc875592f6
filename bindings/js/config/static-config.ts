// A configuration as plain data: what getQdqConfig() and getQnnQdqConfig() return, quantize() runs, and --config
// takes. It is the reference's StaticQuantConfig under its own names, without the calibration data reader.

import type { ModelStructure } from '../base/types.js';
import { coreOf, withoutDataFiles } from '../jobs/inspect-model.js';
import type { CalibrationMethod, QuantFormat, QuantType } from '../options/quant-types.js';
import type { ExtraOptions } from '../options/schema.js';
import type { ExternalData, ModelInput, Platform } from '../platform/platform.js';

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
}

/** A protobuf cannot be larger: weights then go to a file of their own. */
const largestModel = 2 ** 31;

export const needsExternalData = ({ hasExternalData, bytes }: ConfiguredModel): boolean =>
  hasExternalData || bytes >= largestModel;

/** The first opset whose QuantizeLinear and DequantizeLinear have 16-bit and 4-bit types. */
export const opsetOfAllTypes = 21;

/** Reads the graph; data files that are not there are not missed. */
export async function readStructure(
  platform: Platform<unknown>,
  model: ModelInput,
  externalData: ExternalData,
): Promise<ConfiguredModel> {
  const input = await platform.openInput(model, externalData);
  try {
    return await coreOf(withoutDataFiles(input), (core) => {
      core.open();
      return { ...core.structure(), bytes: input.source('~model')?.size ?? 0 };
    });
  } finally {
    input.close();
  }
}

/** In the order of their characters, each once. */
export const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();
