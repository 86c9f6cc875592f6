// getQnnQdqConfig(): the reference's get_qnn_qdq_config, a QDQ configuration that onnxruntime's QNN
// execution provider takes. What QNN asks for becomes tensor overrides: fixed parameters for 16-bit
// Sigmoid and Tanh outputs, and the weight type for constants of MatMul and LayerNormalization,
// which would get that of activations.

import type { GraphNode } from '../base/types.js';
import { loadCore } from '../core/load.js';
import { type ModelSource, modelSourceKeys } from '../options/api.js';
import { type CheckedQnnConfig, qnnConfigOptions } from '../options/configs.js';
import { is4Bit, is16Bit, isInteger8Bit, type QuantType } from '../options/quant-types.js';
import type { ParametersOf } from '../options/spec.js';
import {
  checkTensorQuantOverrides,
  overrideTypes,
  type TensorParameters,
  type TensorQuantOverride,
  type TensorQuantOverrides,
} from '../options/tensor-quant-overrides.js';
import { checkOptions, readParameters } from '../options/validate.js';
import type { Platform } from '../platform/platform.js';
import { fixMixedPrecision } from './mixed-precision.js';
import {
  type ConfiguredModel,
  configure,
  needsExternalData,
  opsetOfAllTypes,
  type StaticQuantConfig,
  sorted,
} from './static-config.js';

/**
 * The parameters of the reference's function (docs/options.md), without the reader, which
 * quantize() takes.
 */
export interface QnnConfigOptions extends ModelSource, ParametersOf<typeof qnnConfigOptions> {}

export async function qnnConfigOn(
  platform: Platform<unknown>,
  options: QnnConfigOptions,
): Promise<StaticQuantConfig> {
  const given = readParameters(qnnConfigOptions, options, modelSourceKeys);
  return qnnConfigChecked(platform, options, checkOptions(qnnConfigOptions, given));
}

/** The same for checked parameters. */
export async function qnnConfigChecked(
  platform: Platform<unknown>,
  source: ModelSource,
  checked: CheckedQnnConfig,
): Promise<StaticQuantConfig> {
  // What is wrong with the values is said before the model is read.
  const { init_overrides, activation_type } = checked;
  const initial = checkTensorQuantOverrides(init_overrides, activation_type, await loadCore());
  return configure(platform, source, (model) => makeQnnConfig(model, checked, initial));
}

function makeQnnConfig(
  model: ConfiguredModel,
  checked: CheckedQnnConfig,
  initial: TensorQuantOverrides,
): StaticQuantConfig {
  const activationType = checked.activation_type;
  const weightType = checked.weight_type;
  const activationSymmetric = checked.activation_symmetric;
  const weightSymmetric =
    checked.weight_symmetric ?? (weightType === 'QInt8' || weightType === 'QInt16');

  let overrides = initial;
  model.checkOverrides(overrides, activationType);
  if (Object.keys(overrides).length > 0 && checked.add_qtype_converts) {
    overrides = fixMixedPrecision(overrides, model, activationType, activationSymmetric);
  }
  const compatible = new QnnCompatibility(overrides, model, {
    activationType,
    weightType,
    weightSymmetric,
    perChannel: checked.per_channel,
  });
  const only = new Set(checked.op_types_to_quantize);
  const excluded = new Set(checked.nodes_to_exclude);
  const opTypes = new Set<string>();
  for (const node of model.nodes) {
    if (only.size > 0 && !only.has(node.opType)) continue;
    if (excluded.has(node.name)) continue;
    opTypes.add(node.opType);
    compatible.add(node);
  }
  opTypes.delete('Cast');
  overrides = compatible.overrides();

  const types = [activationType, weightType, ...overrideTypes(overrides)];
  const contribOps =
    model.opset < opsetOfAllTypes && types.some((type) => is16Bit(type) || is4Bit(type));
  return {
    calibrate_method: checked.calibrate_method,
    quant_format: 'QDQ',
    activation_type: activationType,
    weight_type: weightType,
    op_types_to_quantize: only.size > 0 ? [...checked.op_types_to_quantize] : sorted(opTypes),
    nodes_to_quantize: [],
    nodes_to_exclude: [...checked.nodes_to_exclude],
    per_channel: checked.per_channel,
    reduce_range: false,
    use_external_data_format: needsExternalData(model),
    calibration_providers: checked.calibration_providers && [...checked.calibration_providers],
    extra_options: {
      MinimumRealRange: 0.0001,
      DedicatedQDQPair: false,
      QDQKeepRemovableActivations: checked.keep_removable_activations,
      TensorQuantOverrides: overrides,
      ActivationSymmetric: activationSymmetric,
      WeightSymmetric: weightSymmetric,
      CalibStridedMinMax: checked.stride,
      ...(contribOps && { UseQDQContribOps: true }),
    },
  };
}

interface Defaults {
  activationType: QuantType;
  weightType: QuantType;
  weightSymmetric: boolean;
  perChannel: boolean;
}

type FixedParameters = Required<Pick<TensorParameters, 'scale' | 'zero_point'>>;

// QNN's documentation of its operators: 16-bit outputs have these parameters and no others.
const fixedOutputs: Readonly<Record<string, Partial<Record<QuantType, FixedParameters>>>> = {
  Sigmoid: {
    QUInt16: { scale: 1 / 65536, zero_point: 0 },
    QInt16: { scale: 1 / 32768, zero_point: 0 },
  },
  Tanh: {
    QUInt16: { scale: 1 / 32768, zero_point: 32768 },
    QInt16: { scale: 1 / 32768, zero_point: 0 },
  },
};

/** Adds what QNN needs to the overrides, node by node. */
class QnnCompatibility {
  readonly #overrides: Map<string, TensorQuantOverride[]>;
  readonly #model: ConfiguredModel;
  readonly #defaults: Defaults;

  constructor(overrides: TensorQuantOverrides, model: ConfiguredModel, defaults: Defaults) {
    this.#overrides = new Map(Object.entries(overrides));
    this.#model = model;
    this.#defaults = defaults;
  }

  overrides(): TensorQuantOverrides {
    return Object.fromEntries(this.#overrides);
  }

  add(node: GraphNode): void {
    const { opType } = node;
    const { perChannel } = this.#defaults;
    if (opType === 'Sigmoid' || opType === 'Tanh') this.#fixOutput(node);
    else if (opType === 'MatMul' && perChannel) this.#keepPerTensor(node);
    else if (opType === 'MatMul' || opType === 'LayerNormalization') {
      if (!perChannel) this.#useWeightType(node);
    }
  }

  #fixOutput({ opType, outputs }: GraphNode): void {
    const tensor = outputs[0] as string;
    const entries = this.#entries(tensor);
    const type = entries[0]?.quant_type ?? this.#defaults.activationType;
    const fixed = fixedOutputs[opType]?.[type];
    if (!fixed) return;
    // The reference leaves a range or a symmetry beside them, with which they are invalid.
    const rest = entries.map(({ symmetric: _, rmin: __, rmax: ___, ...entry }) => entry);
    this.#overrides.set(
      tensor,
      (rest.length > 0 ? rest : [{}]).map((entry) => ({ ...entry, quant_type: type, ...fixed })),
    );
  }

  /** QNN has no per-channel MatMul, which per_channel would make. */
  #keepPerTensor({ inputs }: GraphNode): void {
    for (const tensor of inputs) {
      if (this.#isConstant(tensor) && !this.#overrides.has(tensor)) {
        this.#overrides.set(tensor, [this.#weight()]);
      }
    }
  }

  /** A constant beside a 16-bit activation: the 8-bit weight type in place of the activation's. */
  #useWeightType(node: GraphNode): void {
    if (!isInteger8Bit(this.#defaults.weightType)) return;
    let weight: string | undefined;
    let beside16Bit = false;
    for (const tensor of node.inputs.slice(0, 2)) {
      if (tensor === '') continue;
      const entry = this.#entries(tensor)[0];
      if (entry?.axis !== undefined) return; // per channel: as the user wants it
      if (this.#isConstant(tensor)) weight = tensor;
      else if (is16Bit(this.#readType(tensor, node.name))) beside16Bit = true;
    }
    if (weight === undefined || !beside16Bit) return;
    const entries = this.#entries(weight);
    const own = entries.some((entry) => 'quant_type' in entry || 'symmetric' in entry);
    if (own) return; // as the user wants it
    const merged = entries.map((entry) => ({ ...entry, ...this.#weight() }));
    this.#overrides.set(weight, merged.length > 0 ? merged : [this.#weight()]);
  }

  #weight(): TensorQuantOverride {
    const { weightType, weightSymmetric } = this.#defaults;
    return { quant_type: weightType, symmetric: weightSymmetric };
  }

  /** The type that a node reads an activation in. */
  #readType(tensor: string, node: string): QuantType {
    const { quant_type: type = this.#defaults.activationType, convert } =
      this.#entries(tensor)[0] ?? {};
    if (!convert) return type;
    return convert.recv_nodes && !convert.recv_nodes.includes(node) ? type : convert.quant_type;
  }

  #entries(tensor: string): TensorQuantOverride[] {
    return this.#overrides.get(tensor) ?? [];
  }

  #isConstant(tensor: string): boolean {
    return Object.hasOwn(this.#model.initializers, tensor);
  }
}
