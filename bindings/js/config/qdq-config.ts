// getQdqConfig(): the reference's get_qdq_config, a configuration that quantizes all of a model to QDQ.
import { QuantizeError } from '../base/errors.js';
import type { GraphNode } from '../base/types.js';
import { type CalibrationMethod, is4Bit, is16Bit, type QuantType } from '../options/quant-types.js';
import { type ExtraOptions, type OptionsOf, qdqConfigOptions } from '../options/schema.js';
import {
  checkTensorQuantOverrides,
  overrideTypes,
  type TensorQuantOverrides,
} from '../options/tensor-quant-overrides.js';
import {
  checkCalibrateArgs,
  checkExtraValues,
  checkOptions,
  fromCamelCase,
  type OptionValues,
} from '../options/validate.js';
import type { ExternalData, ModelInput, Platform } from '../platform/platform.js';
import { checkOnModel } from './model-overrides.js';
import {
  type ConfiguredModel,
  needsExternalData,
  opsetOfAllTypes,
  readStructure,
  type StaticQuantConfig,
  sorted,
} from './static-config.js';

/** Whether a node stays float. */
export type NodePredicate = (node: GraphNode) => boolean;

/** The parameters of the reference's function (docs/options.md), without the reader, which quantize() takes. */
export interface QdqConfigOptions
  extends Omit<OptionsOf<typeof qdqConfigOptions>, 'modelInput' | 'nodesToExclude'> {
  modelInput: ModelInput;
  /** External data by name, where `modelInput` is not a path; it may be left out. */
  externalData?: ExternalData | undefined;
  /** Names, or what decides for each node. */
  nodesToExclude?: readonly string[] | NodePredicate | null | undefined;
}

const ownOptions = ['modelInput', 'externalData', 'nodesToExclude'];

export async function qdqConfigOn(
  platform: Platform<unknown>,
  options: QdqConfigOptions,
): Promise<StaticQuantConfig> {
  const { modelInput, externalData, nodesToExclude } = options;
  const predicate = typeof nodesToExclude === 'function' ? nodesToExclude : undefined;
  const checked = checkOptions(qdqConfigOptions, {
    ...fromCamelCase(qdqConfigOptions, options, ownOptions),
    ...(!predicate && { nodes_to_exclude: nodesToExclude }),
  });
  // What is wrong with the values is said before the model is read.
  makeExtraOptions(checked, 0);
  const model = await readStructure(platform, modelInput, externalData ?? {});
  return makeQdqConfig(model, checked, predicate);
}

/** `checked`: values for qdqConfigOptions. */
export function makeQdqConfig(
  model: ConfiguredModel,
  checked: OptionValues,
  predicate?: NodePredicate,
): StaticQuantConfig {
  const only = checked.op_types_to_quantize as string[];
  const excluded = new Set(checked.nodes_to_exclude as string[]);
  const opTypes = new Set<string>();
  for (const node of model.nodes) {
    if (only.length > 0 && !only.includes(node.opType)) continue;
    if (excluded.has(node.name)) continue;
    if (predicate?.(node)) excluded.add(nameOf(node));
    else opTypes.add(node.opType);
  }
  for (const opType of ['Cast', 'DequantizeLinear', 'QuantizeLinear']) opTypes.delete(opType);
  const extraOptions = makeExtraOptions(checked, model.opset);
  if (extraOptions.TensorQuantOverrides) checkOnModel(extraOptions.TensorQuantOverrides, model);
  return {
    calibrate_method: checked.calibrate_method as CalibrationMethod,
    quant_format: 'QDQ',
    activation_type: checked.activation_type as QuantType,
    weight_type: checked.weight_type as QuantType,
    op_types_to_quantize: only.length > 0 ? only : sorted(opTypes),
    nodes_to_quantize: [],
    nodes_to_exclude: sorted(excluded),
    per_channel: checked.per_channel as boolean,
    reduce_range: checked.reduce_range as boolean,
    use_external_data_format: needsExternalData(model),
    calibration_providers: checked.calibration_providers as string[] | null,
    extra_options: extraOptions,
  };
}

function nameOf({ name, opType, outputs }: GraphNode): string {
  if (name !== '') return name;
  throw new QuantizeError(
    'UNSUPPORTED_MODEL',
    `the ${opType} that makes "${outputs[0]}" has no name, so it cannot be excluded`,
    { hint: 'name the nodes of the model first, or exclude its op type' },
  );
}

function makeExtraOptions(checked: OptionValues, opset: number): ExtraOptions {
  const activationType = checked.activation_type as QuantType;
  const overrides = checkTensorQuantOverrides(checked.tensor_quant_overrides, activationType);
  return {
    MinimumRealRange: checked.min_real_range as number | null,
    QDQKeepRemovableActivations: checked.keep_removable_activations as boolean,
    ActivationSymmetric: checked.activation_symmetric as boolean,
    WeightSymmetric: checked.weight_symmetric as boolean | null,
    ForceQuantizeNoInputCheck: true,
    TensorQuantOverrides: overrides,
    ...checkCalibrateArgs(checked.calibrate_args as OptionValues),
    ...(needsContribOps(checked, overrides, opset) && { UseQDQContribOps: true }),
    ...checkExtraValues(checked.extra_options as OptionValues, activationType),
  };
}

/**
 * Below opset 21 only the operators of com.microsoft have 4-bit types; where a 16-bit type raises the opset to 21
 * anyway, they are not needed.
 */
function needsContribOps(
  { activation_type, weight_type }: OptionValues,
  overrides: TensorQuantOverrides,
  opset: number,
): boolean {
  const types = [activation_type as QuantType, weight_type as QuantType];
  types.push(...overrideTypes(overrides));
  return opset < opsetOfAllTypes && !types.some(is16Bit) && types.some(is4Bit);
}
