// The parameters of get_qdq_config and get_qnn_qdq_config.
import { calibrationMethods, quantTypes } from './quant-types.js';
import { type CheckedOf, groups, type OptionSpec } from './spec.js';

/** What a configuration carries along for its run. */
export const carriedOptions = [
  {
    name: 'model_output',
    kind: 'path',
    default: null,
    for: ['command'],
    group: groups.files,
    aliases: ['output_model', 'o'],
    help: 'written into the configuration: where the quantized model goes',
  },
  {
    name: 'calibrate_dataset',
    kind: 'paths',
    default: null,
    for: ['command'],
    group: groups.files,
    aliases: ['calibration_data'],
    help: 'written into the configuration: the samples of its run',
  },
  {
    name: 'preprocess',
    kind: 'preprocess',
    default: null,
    for: ['command'],
    group: groups.files,
    help: 'written into the configuration: how images become tensors',
  },
] as const satisfies readonly OptionSpec[];

const modelToConfigure = {
  name: 'model_input',
  kind: 'path',
  default: null,
  for: ['command'],
  group: groups.files,
  aliases: ['input_model', 'i'],
  help: 'the float model (.onnx); its external data need not be there',
} as const satisfies OptionSpec;

/** What get_qdq_config and get_qnn_qdq_config have in common. */
const configOptions = [
  {
    name: 'calibrate_method',
    kind: 'enum',
    values: calibrationMethods,
    default: 'MinMax',
    for: ['run'],
    group: groups.calibration,
    help: 'how a range is taken from the observed values',
  },
  {
    name: 'calibration_providers',
    kind: 'strings',
    default: null,
    for: ['run'],
    group: groups.calibration,
    help: 'execution providers for calibration',
  },
  {
    name: 'activation_type',
    kind: 'enum',
    values: quantTypes,
    default: 'QUInt8',
    for: ['run'],
    group: groups.types,
    help: 'type of activations',
  },
  {
    name: 'per_channel',
    kind: 'boolean',
    default: false,
    for: ['run'],
    group: groups.types,
    help: 'one scale per output channel of a weight',
  },
  {
    name: 'activation_symmetric',
    kind: 'boolean',
    default: false,
    for: ['run'],
    group: groups.types,
    help: 'activations: range mirrored about 0',
  },
  {
    name: 'weight_symmetric',
    kind: 'boolean',
    default: null,
    for: ['run'],
    group: groups.types,
    help: 'weights: range mirrored about 0; where not set, for signed types only',
  },
  {
    name: 'keep_removable_activations',
    kind: 'boolean',
    default: false,
    for: ['run'],
    group: groups.scope,
    help: 'keep Relu and Clip where the range already carries them out',
  },
  {
    name: 'op_types_to_quantize',
    kind: 'strings',
    default: [],
    for: ['run'],
    group: groups.scope,
    help: 'only operators of these types; empty: all in the model',
  },
  {
    name: 'nodes_to_exclude',
    kind: 'strings',
    default: [],
    for: ['run'],
    group: groups.scope,
    help: 'nodes that stay float, by name',
  },
] as const satisfies readonly OptionSpec[];

/** Parameters of get_qdq_config. */
export const qdqConfigOptions = [
  modelToConfigure,
  ...configOptions,
  {
    name: 'weight_type',
    kind: 'enum',
    values: quantTypes,
    default: 'QInt8',
    for: ['run'],
    group: groups.types,
    help: 'type of weights',
  },
  {
    name: 'reduce_range',
    kind: 'boolean',
    default: false,
    for: ['run'],
    group: groups.types,
    help: 'weights in one bit less, for x64 processors without VNNI',
  },
  {
    name: 'min_real_range',
    kind: 'number',
    default: null,
    for: ['run'],
    min: 0,
    group: groups.types,
    help: 'smallest width of a range',
  },
  {
    name: 'tensor_quant_overrides',
    kind: 'overrides',
    default: {},
    for: ['run'],
    group: groups.types,
    help: 'TensorQuantOverrides of the configuration',
  },
  {
    name: 'calibrate_args',
    kind: 'calibrate_args',
    default: {},
    for: ['run'],
    group: groups.calibration,
    help: 'symmetric, moving_average, averaging_constant, max_intermediate_outputs, percentile',
  },
  {
    name: 'extra_options',
    kind: 'extra_options',
    default: {},
    for: ['run'],
    group: groups.types,
    help: 'further extra_options; they win over what the other parameters set',
  },
] as const satisfies readonly OptionSpec[];

/** Parameters of get_qnn_qdq_config. */
export const qnnConfigOptions = [
  modelToConfigure,
  ...configOptions,
  {
    name: 'weight_type',
    kind: 'enum',
    values: quantTypes,
    default: 'QUInt8',
    for: ['run'],
    group: groups.types,
    help: 'type of weights',
  },
  {
    name: 'init_overrides',
    kind: 'overrides',
    default: {},
    for: ['run'],
    group: groups.types,
    help: 'TensorQuantOverrides to begin with, such as a few tensors of 16 bits',
  },
  {
    name: 'add_qtype_converts',
    kind: 'boolean',
    default: true,
    for: ['run'],
    group: groups.types,
    help: 'add the overrides and converts that follow from those, so that each node has one type',
  },
  {
    name: 'stride',
    kind: 'integer',
    default: null,
    for: ['run'],
    min: 1,
    group: groups.calibration,
    help: 'CalibStridedMinMax of the configuration',
  },
] as const satisfies readonly OptionSpec[];

export type CheckedQdqConfig = CheckedOf<typeof qdqConfigOptions>;
export type CheckedQnnConfig = CheckedOf<typeof qnnConfigOptions>;
