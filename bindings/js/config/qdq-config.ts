// getQdqConfig(): the reference's get_qdq_config, a configuration that quantizes all of a model to
// QDQ.

import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';
import type { GraphNode } from '../base/types.js';
import { type Core, loadCore } from '../core/load.js';
import { type ModelSource, modelSourceKeys } from '../options/api.js';
import { type CheckedQdqConfig, qdqConfigOptions } from '../options/configs.js';
import type { ExtraOptions } from '../options/extra-options.js';
import { is4Bit, is16Bit } from '../options/quant-types.js';
import type { ParametersOf } from '../options/spec.js';
import {
  checkTensorQuantOverrides,
  overrideTypes,
  type TensorQuantOverrides,
} from '../options/tensor-quant-overrides.js';
import {
  checkCalibrateArgs,
  checkExtraValues,
  checkOptions,
  readParameters,
} from '../options/validate.js';
import type { Platform } from '../platform/platform.js';
import {
  type ConfiguredModel,
  configure,
  needsExternalData,
  opsetOfAllTypes,
  type StaticQuantConfig,
  sorted,
} from './static-config.js';

/** Whether a node stays float. */
export type NodePredicate = (node: GraphNode) => boolean;

/**
 * The parameters of the reference's function (docs/options.md), without the reader, which
 * quantize() takes.
 */
export interface QdqConfigOptions
  extends ModelSource,
    Omit<ParametersOf<typeof qdqConfigOptions>, 'nodesToExclude'> {
  /** Names, or what decides for each node. */
  nodesToExclude?: readonly string[] | NodePredicate | null | undefined;
}

export async function qdqConfigOn(
  platform: Platform<unknown>,
  options: QdqConfigOptions,
): Promise<StaticQuantConfig> {
  const { nodesToExclude } = options;
  const predicate = typeof nodesToExclude === 'function' ? nodesToExclude : undefined;
  const checked = checkOptions(qdqConfigOptions, {
    ...readParameters(qdqConfigOptions, options, [...modelSourceKeys, 'nodesToExclude']),
    ...(!predicate && { nodes_to_exclude: nodesToExclude }),
  });
  return qdqConfigChecked(platform, options, checked, predicate);
}

/** The same for checked parameters. */
export async function qdqConfigChecked(
  platform: Platform<unknown>,
  source: ModelSource,
  checked: CheckedQdqConfig,
  predicate?: NodePredicate,
): Promise<StaticQuantConfig> {
  // What is wrong with the values is said before the model is read.
  const extra = extraOptionsOf(checked, await loadCore());
  return configure(platform, source, (model) => makeQdqConfig(model, checked, extra, predicate));
}

function makeQdqConfig(
  model: ConfiguredModel,
  checked: CheckedQdqConfig,
  { set, given, overrides }: CheckedExtraOptions,
  predicate?: NodePredicate,
): StaticQuantConfig {
  const only = checked.op_types_to_quantize;
  const excluded = new Set(checked.nodes_to_exclude);
  const opTypes = new Set<string>();
  for (const node of model.nodes) {
    if (only.length > 0 && !only.includes(node.opType)) continue;
    if (excluded.has(node.name)) continue;
    if (predicate?.(node)) excluded.add(nameOf(node));
    else opTypes.add(node.opType);
  }
  for (const opType of ['Cast', 'DequantizeLinear', 'QuantizeLinear']) opTypes.delete(opType);
  const contribOps = needsContribOps(checked, overrides, model.opset);
  const extraOptions = { ...set, ...(contribOps && { UseQDQContribOps: true }), ...given };
  if (extraOptions.TensorQuantOverrides) {
    model.checkOverrides(extraOptions.TensorQuantOverrides, checked.activation_type);
  }
  return {
    calibrate_method: checked.calibrate_method,
    quant_format: 'QDQ',
    activation_type: checked.activation_type,
    weight_type: checked.weight_type,
    op_types_to_quantize: only.length > 0 ? [...only] : sorted(opTypes),
    nodes_to_quantize: [],
    nodes_to_exclude: sorted(excluded),
    per_channel: checked.per_channel,
    reduce_range: checked.reduce_range,
    use_external_data_format: needsExternalData(model),
    calibration_providers: checked.calibration_providers && [...checked.calibration_providers],
    extra_options: extraOptions,
  };
}

function nameOf({ name, opType, outputs }: GraphNode): string {
  if (name !== '') return name;
  throw new QuantizeError(
    'UNSUPPORTED_MODEL',
    say`the ${opType} that makes "${outputs[0]}" has no name, so it cannot be excluded`,
    { hint: 'name the nodes of the model first, or exclude its op type' },
  );
}

interface CheckedExtraOptions {
  /** What the parameters set. */
  set: ExtraOptions;
  /** extra_options as given: they win. */
  given: ExtraOptions;
  overrides: TensorQuantOverrides;
}

function extraOptionsOf(checked: CheckedQdqConfig, core: Core): CheckedExtraOptions {
  const type = checked.activation_type;
  const overrides = checkTensorQuantOverrides(checked.tensor_quant_overrides, type, core);
  const set = {
    MinimumRealRange: checked.min_real_range,
    QDQKeepRemovableActivations: checked.keep_removable_activations,
    ActivationSymmetric: checked.activation_symmetric,
    WeightSymmetric: checked.weight_symmetric,
    ForceQuantizeNoInputCheck: true,
    TensorQuantOverrides: overrides,
    ...checkCalibrateArgs(checked.calibrate_args),
  };
  const given = checkExtraValues(checked.extra_options);
  if (given.TensorQuantOverrides) {
    given.TensorQuantOverrides = checkTensorQuantOverrides(given.TensorQuantOverrides, type, core);
  }
  return { set, given, overrides };
}

/**
 * Below opset 21 only the operators of com.microsoft have 4-bit types; where a 16-bit type raises
 * the opset to 21 anyway, they are not needed.
 */
function needsContribOps(
  { activation_type, weight_type }: CheckedQdqConfig,
  overrides: TensorQuantOverrides,
  opset: number,
): boolean {
  const types = [activation_type, weight_type, ...overrideTypes(overrides)];
  return opset < opsetOfAllTypes && !types.some(is16Bit) && types.some(is4Bit);
}
