// Every option in one place: name, kind, default, help. Validation (validate.ts), the command line
// (cli/args.ts), --help (cli/help.ts), the configuration file (config.ts), the types of the API
// (options.ts), the page's fields and docs/options.md are all made from these tables. Names and
// meaning are those of the reference, onnxruntime.quantization 1.32.
import { runtimeKinds } from '../platform/platform.js';
import type { PartialPreprocess } from '../samples/images/preprocess.js';
import { profileNames } from './profiles.js';
import {
  type CalibrationMethod,
  calibrationMethods,
  quantFormats,
  quantTypes,
} from './quant-types.js';
import type { TensorQuantOverrides } from './tensor-quant-overrides.js';

/** What a value of each kind is in TypeScript. */
interface KindTypes {
  boolean: boolean;
  enum: string; // one of the spec's `values`
  strings: readonly string[]; // a list of names
  path: string;
  paths: string | readonly string[]; // one path or several
  string: string;
  number: number;
  integer: number;
  preprocess: string | PartialPreprocess; // a preset's name or an object, see preprocess.ts
  extra_options: ExtraOptions;
  axes: Readonly<Record<string, number>>; // an axis by operator type
  overrides: TensorQuantOverrides; // see tensor-quant-overrides.ts
  calibrate_args: CalibrateArgs;
}

export type OptionKind = keyof KindTypes;

export interface OptionSpec {
  /** The reference's name: the key of a configuration file and the flag of the command line. */
  readonly name: string;
  readonly kind: OptionKind;
  /** null: not set, the rule in `help` decides. */
  readonly default: unknown;
  /** One line for --help. */
  readonly help: string;
  readonly group: string;
  /** Known values of an enum. */
  readonly values?: readonly string[];
  /** Those of `values` that this version carries out; absent: all. */
  readonly available?: readonly string[];
  /** Further flags with the same meaning. */
  readonly aliases?: readonly string[];
  /** The smallest number that is accepted. */
  readonly min?: number;
  /** The value of a flag that has none. */
  readonly bare?: true;
  /** Present where the option itself is known but not carried out yet: only its default is accepted. */
  readonly later?: true | 'SmoothQuant'; // the name of what it belongs to
}

const files = 'Files';
const types = 'Format and types';
const scope = 'What is quantized';
const calibration = 'Calibration';

/** Where calibrate and merge_ranges write. */
const rangeFiles = [
  {
    name: 'ranges',
    kind: 'path',
    default: null,
    group: files,
    aliases: ['o'],
    help: 'the calibration cache that is written: JSON of tensor ranges, for calibration_cache_path',
  },
  {
    name: 'tables',
    kind: 'path',
    default: null,
    group: files,
    help: 'folder for calibration.json, calibration.cache and calibration.flatbuffers',
  },
  {
    name: 'tensorrt_cache',
    kind: 'path',
    default: null,
    group: files,
    help: "the ranges as TensorRT's calibration cache",
  },
] as const satisfies readonly OptionSpec[];

/** Parameters of quantize_static, with `calibrate_dataset` and `preprocess` in place of a reader. */
export const quantizeStaticOptions = [
  {
    name: 'model_input',
    kind: 'path',
    default: null,
    group: files,
    aliases: ['input_model', 'input_model_path', 'i'],
    help: 'the float model (.onnx); its external data is looked for beside it',
  },
  {
    name: 'model_output',
    kind: 'path',
    default: null,
    group: files,
    aliases: ['output_model', 'output_quantized_model_path', 'o'],
    help: 'where the quantized model is written; it appears only when complete',
  },
  {
    name: 'calibrate_dataset',
    kind: 'paths',
    default: null,
    group: files,
    aliases: ['calibration_data'],
    help: 'folder, list or .zip of images (JPEG, PNG), of .npz, .npy, .wav or raw float32 files, or of test_data_set folders',
  },
  {
    name: 'preprocess',
    kind: 'preprocess',
    default: null,
    group: files,
    help: 'how images become tensors: a preset or JSON; guessed from the input shape where absent',
  },
  {
    name: 'sample_rate',
    kind: 'integer',
    default: null,
    min: 1,
    group: files,
    help: 'Hz that .wav samples are resampled to; 16000 where absent',
  },
  {
    name: 'use_external_data_format',
    kind: 'boolean',
    default: false,
    group: files,
    help: 'write the weights into one file "<model_output>.data" beside the model',
  },
  {
    name: 'profile',
    kind: 'enum',
    values: profileNames,
    default: null,
    group: types,
    help: 'parameters that suit where the model will run (docs/profiles.md); those that are given win',
  },
  {
    name: 'quant_format',
    kind: 'enum',
    values: quantFormats,
    default: 'QOperator',
    group: types,
    help: 'quantized operators, or float operators between QuantizeLinear/DequantizeLinear pairs',
  },
  {
    name: 'activation_type',
    kind: 'enum',
    values: quantTypes,
    default: 'QUInt8',
    group: types,
    help: 'type of activations; 16 and 4 bits in QDQ only',
  },
  {
    name: 'weight_type',
    kind: 'enum',
    values: quantTypes,
    default: 'QUInt8',
    group: types,
    help: 'type of weights; signed types are symmetric; 16 and 4 bits in QDQ only',
  },
  {
    name: 'per_channel',
    kind: 'boolean',
    default: false,
    group: types,
    help: 'one scale per output channel of a weight: better accuracy',
  },
  {
    name: 'reduce_range',
    kind: 'boolean',
    default: false,
    group: types,
    help: 'weights in 7 bits, for x64 processors without VNNI',
  },
  {
    name: 'op_types_to_quantize',
    kind: 'strings',
    default: [],
    group: scope,
    help: 'only operators of these types; empty: all that can be quantized',
  },
  {
    name: 'nodes_to_quantize',
    kind: 'strings',
    default: [],
    group: scope,
    help: 'only these nodes, by name; empty: all',
  },
  {
    name: 'nodes_to_exclude',
    kind: 'strings',
    default: [],
    group: scope,
    help: 'nodes that stay float, by name',
  },
  {
    name: 'optimize_model',
    kind: 'boolean',
    default: true,
    group: scope,
    help: 'fold constants and BatchNormalization and remove no-ops before quantizing',
  },
  {
    name: 'calibrate_method',
    kind: 'enum',
    values: calibrationMethods,
    default: 'MinMax',
    group: calibration,
    aliases: ['calibration_method'],
    help: 'how a range is taken from the observed values',
  },
  {
    name: 'calibration_cache_path',
    kind: 'path',
    default: null,
    group: calibration,
    aliases: ['calibration_cache'],
    help: 'JSON of tensor ranges: read if it exists (no samples needed then), else written',
  },
  {
    name: 'runtime',
    kind: 'enum',
    values: runtimeKinds,
    default: null,
    group: calibration,
    help: 'onnxruntime that runs the float model: web (WebAssembly), node (onnxruntime-node) or, in browsers, webgpu; where absent node if it is installed, else web',
  },
  {
    name: 'workers',
    kind: 'integer',
    default: null,
    min: 1,
    group: calibration,
    help: 'most workers that run samples at the same time; where absent one for each core; the result is the same',
  },
  {
    name: 'memory_budget',
    kind: 'integer',
    default: null,
    min: 1,
    group: calibration,
    help: 'MiB that calibration may take, kept by fewer workers and by reading the samples more often; 2048 where absent',
  },
  {
    name: 'calibration_providers',
    kind: 'strings',
    default: [],
    group: calibration,
    help: 'execution providers for calibration: CPUExecutionProvider; a GPU is asked for by runtime',
  },
  {
    name: 'calibration_state',
    kind: 'path',
    default: null,
    group: calibration,
    help: 'where a cancelled calibration is kept; "<model_output>.calibration_state" where absent',
  },
  {
    name: 'resume',
    kind: 'path',
    default: null,
    bare: true,
    group: calibration,
    help: 'go on from the calibration state, or from the one in FILE: the result is that of one run',
  },
  {
    name: 'extra_options',
    kind: 'extra_options',
    default: {},
    group: 'Extra options',
    help: "JSON object, or key=value; the keys below, spelled as the reference's",
  },
] as const satisfies readonly OptionSpec[];

const notOfCalibrate = [
  'model_output',
  'use_external_data_format',
  'calibration_cache_path',
  'calibration_state',
] as const;

/** Parameters of calibrate: those that ranges depend on, and where they go. */
export const calibrateOptions = [
  ...(quantizeStaticOptions.filter(
    ({ name }) => !(notOfCalibrate as readonly string[]).includes(name),
  ) as Exclude<
    (typeof quantizeStaticOptions)[number],
    { name: (typeof notOfCalibrate)[number] }
  >[]),
  ...rangeFiles,
  {
    name: 'calib_per_channel',
    kind: 'boolean',
    default: false,
    group: calibration,
    help: "MinMax: a range for each channel (axis 1), as the reference's create_calibrator gives with per_channel; for other tools",
  },
  {
    name: 'shard',
    kind: 'string',
    default: null,
    group: calibration,
    help: 'i/n: only every nth sample from number i on, one pass; merge-ranges puts the n states together',
  },
  {
    name: 'calibration_state',
    kind: 'path',
    default: null,
    group: calibration,
    help: 'where a shard or a cancelled run keeps what it collected; "<ranges>.calibration_state" where absent',
  },
] as const satisfies readonly OptionSpec[];

/** Parameters of merge_ranges. */
export const mergeRangesOptions = [
  {
    name: 'calibration_state',
    kind: 'paths',
    default: null,
    group: files,
    help: 'the calibration states of all shards',
  },
  ...rangeFiles,
] as const satisfies readonly OptionSpec[];

/** Parameters of quant_pre_process. */
export const preprocessOptions = [
  {
    name: 'model_input',
    kind: 'path',
    default: null,
    group: files,
    aliases: ['input_model', 'input_model_path', 'input', 'i'],
    help: 'the float model (.onnx)',
  },
  {
    name: 'model_output',
    kind: 'path',
    default: null,
    group: files,
    aliases: ['output_model', 'output_model_path', 'output', 'o'],
    help: 'where the prepared float model is written',
  },
  {
    name: 'skip_optimization',
    kind: 'boolean',
    default: false,
    group: 'Steps',
    help: 'do not fold constants and BatchNormalization, do not remove no-ops',
  },
  {
    name: 'skip_onnx_shape',
    kind: 'boolean',
    default: false,
    group: 'Steps',
    later: true,
    help: 'do not infer shapes',
  },
  {
    name: 'skip_symbolic_shape',
    kind: 'boolean',
    default: false,
    group: 'Steps',
    help: 'accepted: symbolic shape inference is never needed here',
  },
  {
    name: 'auto_merge',
    kind: 'boolean',
    default: false,
    group: 'Steps',
    later: true,
    help: 'symbolic shape inference: merge conflicting dimensions',
  },
  {
    name: 'int_max',
    kind: 'integer',
    default: 2147483647,
    group: 'Steps',
    later: true,
    help: 'symbolic shape inference: value that stands for "no limit"',
  },
  {
    name: 'guess_output_rank',
    kind: 'boolean',
    default: false,
    group: 'Steps',
    later: true,
    help: 'symbolic shape inference: guess unknown ranks',
  },
  {
    name: 'verbose',
    kind: 'integer',
    default: 0,
    group: 'Steps',
    later: true,
    help: 'log level of symbolic shape inference',
  },
  {
    name: 'save_as_external_data',
    kind: 'boolean',
    default: false,
    group: files,
    aliases: ['use_external_data_format'],
    help: 'write the weights into one data file beside the model',
  },
  {
    name: 'all_tensors_to_one_file',
    kind: 'boolean',
    default: false,
    group: files,
    help: 'accepted: external data is always one file here',
  },
  {
    name: 'external_data_location',
    kind: 'string',
    default: null,
    group: files,
    help: 'name of the data file; "<model_output>.data" where absent',
  },
  {
    name: 'external_data_size_threshold',
    kind: 'integer',
    default: 1024,
    group: files,
    later: true,
    help: 'smallest tensor (bytes) that goes to the data file',
  },
] as const satisfies readonly OptionSpec[];

export interface ExtraOptionSpec
  extends Pick<OptionSpec, 'default' | 'help' | 'later' | 'min' | 'values'> {
  readonly kind: 'boolean' | 'enum' | 'number' | 'integer' | 'strings' | 'axes' | 'overrides';
  /** Present where the option has an effect in one format only. */
  readonly format?: 'QDQ' | 'QOperator';
  /** Present where only these calibration methods heed it. */
  readonly methods?: readonly CalibrationMethod[];
}

// Every key of `extra_options` that the reference's static path reads.
const extraOptionTable = {
  ActivationSymmetric: {
    kind: 'boolean',
    default: false,
    help: 'activations: range mirrored about 0; keeps Relu and Clip',
  },
  WeightSymmetric: {
    kind: 'boolean',
    default: null,
    help: 'weights: range mirrored about 0; where not set, for signed types only',
  },
  ActivationRestrictedAsymmetric: {
    kind: 'boolean',
    default: false,
    help: 'QUInt8 activations: zero point 0 or 128 only',
  },
  MinimumRealRange: {
    kind: 'number',
    default: null,
    min: 0,
    help: 'smallest width of a range: its upper end is raised where it is narrower',
  },
  TensorQuantOverrides: {
    kind: 'overrides',
    default: {},
    help: 'type, scale, range, symmetry or axis by tensor: {"tensor": [{"quant_type": "QUInt16"}]}',
  },
  ForceQuantizeNoInputCheck: {
    kind: 'boolean',
    default: false,
    help: 'quantize Transpose, Reshape, MaxPool … even where their input is float',
  },
  MatMulConstBOnly: {
    kind: 'boolean',
    default: false,
    help: 'quantize MatMul only where B is constant',
  },
  EnableSubgraph: {
    kind: 'boolean',
    default: false,
    help: 'quantize the bodies of If, Loop and Scan too',
  },
  'extra.Sigmoid.nnapi': {
    kind: 'boolean',
    default: false,
    help: 'Sigmoid outputs with scale 1/256 and zero point 0, as NNAPI wants',
  },
  DefaultTensorType: {
    kind: 'integer',
    default: null,
    min: 1,
    help: 'TensorProto type (1: float32, 10: float16) of tensors whose type is unknown',
  },
  CalibTensorRangeSymmetric: {
    kind: 'boolean',
    default: null,
    help: 'mirror calibrated ranges about 0; Percentile: of magnitudes; where not set, for Percentile only',
  },
  CalibMovingAverage: {
    kind: 'boolean',
    default: false,
    methods: ['MinMax'],
    help: 'MinMax: mean of the minima and maxima of the samples',
  },
  CalibMovingAverageConstant: {
    kind: 'number',
    default: 0.01,
    min: 0,
    methods: ['MinMax'],
    help: 'weight of a new stride in the moving average, 0 to 1; of use with CalibStridedMinMax',
  },
  CalibMaxIntermediateOutputs: {
    kind: 'integer',
    default: null,
    min: 1,
    help: 'most samples to keep at a time; always held to, as none is kept',
  },
  CalibStridedMinMax: {
    kind: 'integer',
    default: null,
    min: 1,
    methods: ['MinMax'],
    help: 'MinMax: samples a stride; without CalibMovingAverage the result is the same',
  },
  scenario: {
    kind: 'enum',
    values: ['same', 'p3'],
    default: 'same',
    methods: ['Distribution'],
    help: 'Distribution: deviation of the values, or of their cube roots (p3)',
  },
  CalibPercentile: {
    kind: 'number',
    default: 99.999,
    min: 0,
    methods: ['Percentile'],
    help: 'Percentile: share of the values inside the range, 0 to 100',
  },
  num_bins: {
    kind: 'integer',
    default: null,
    min: 1,
    methods: ['Entropy', 'Percentile', 'Distribution'],
    help: 'Entropy, Percentile, Distribution: bins of a histogram; 2048 where not set',
  },
  num_quantized_bins: {
    kind: 'integer',
    default: 128,
    min: 1,
    methods: ['Entropy'],
    help: 'Entropy: bins that candidates are compared in',
  },
  AddQDQPairToWeight: {
    kind: 'boolean',
    default: false,
    format: 'QDQ',
    help: 'weights stay float, followed by a Q/DQ pair',
  },
  OpTypesToExcludeOutputQuantization: {
    kind: 'strings',
    default: [],
    format: 'QDQ',
    help: 'operator types whose outputs stay float',
  },
  DedicatedQDQPair: {
    kind: 'boolean',
    default: false,
    format: 'QDQ',
    help: 'one Q/DQ pair for each consumer of a tensor',
  },
  QDQOpTypePerChannelSupportToAxis: {
    kind: 'axes',
    default: {},
    format: 'QDQ',
    help: 'channel axis by operator type, such as {"MatMul": 1}; with per_channel',
  },
  QuantizeBias: {
    kind: 'boolean',
    default: true,
    format: 'QDQ',
    help: 'false: biases stay float',
  },
  UseQDQContribOps: {
    kind: 'boolean',
    default: false,
    format: 'QDQ',
    help: 'Q/DQ of domain com.microsoft: 16 and 4 bits without raising the opset',
  },
  QDQKeepRemovableActivations: {
    kind: 'boolean',
    default: false,
    format: 'QDQ',
    help: 'keep Relu and Clip where the range already carries them out',
  },
  QDQDisableWeightAdjustForInt32Bias: {
    kind: 'boolean',
    default: false,
    format: 'QDQ',
    help: 'do not enlarge weight scales for the sake of an int32 bias',
  },
  BlockSize: {
    kind: 'integer',
    default: 0,
    min: 0,
    format: 'QDQ',
    help: 'values that share a scale in a weight of rank 2 (opset 21); 0: one scale a tensor or channel',
  },
  SmoothQuant: {
    kind: 'boolean',
    default: false,
    later: 'SmoothQuant',
    help: 'move outliers from activations to weights first',
  },
  SmoothQuantAlpha: {
    kind: 'number',
    default: 0.5,
    later: 'SmoothQuant',
    help: 'its strength',
  },
  SmoothQuantFolding: {
    kind: 'boolean',
    default: true,
    later: 'SmoothQuant',
    help: 'fold its factors into the layers before',
  },
} as const satisfies Readonly<Record<string, ExtraOptionSpec>>;

export const extraOptions: Readonly<Record<string, ExtraOptionSpec>> = extraOptionTable;

/** The value of one option; null and undefined are its default. */
type ValueOf<Spec extends { readonly kind: OptionKind }> = Spec extends {
  readonly values: readonly (infer Value)[];
}
  ? Value
  : KindTypes[Spec['kind']];

/** extra_options as an object of the API; keys are spelled as the reference's. */
export type ExtraOptions = {
  -readonly [Name in keyof typeof extraOptionTable]?:
    | ValueOf<(typeof extraOptionTable)[Name]>
    | null
    | undefined;
};

/** The options of a table under the reference's names, all of them optional. */
export type ConfigOf<Table extends readonly OptionSpec[]> = {
  [Spec in Table[number] as Spec['name']]?: ValueOf<Spec> | null | undefined;
};

/** The options of a table as an object of the API: camelCase, all of them optional. */
export type OptionsOf<Table extends readonly OptionSpec[]> = {
  [Spec in Table[number] as CamelCase<Spec['name']>]?: ValueOf<Spec> | null | undefined;
};

/** What a configuration carries along for its run. */
const carriedOptions = [
  {
    name: 'model_output',
    kind: 'path',
    default: null,
    group: files,
    aliases: ['output_model', 'o'],
    help: 'written into the configuration: where the quantized model goes',
  },
  {
    name: 'calibrate_dataset',
    kind: 'paths',
    default: null,
    group: files,
    aliases: ['calibration_data'],
    help: 'written into the configuration: the samples of its run',
  },
  {
    name: 'preprocess',
    kind: 'preprocess',
    default: null,
    group: files,
    help: 'written into the configuration: how images become tensors',
  },
] as const satisfies readonly OptionSpec[];

const modelToConfigure = {
  name: 'model_input',
  kind: 'path',
  default: null,
  group: files,
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
    group: calibration,
    help: 'how a range is taken from the observed values',
  },
  {
    name: 'calibration_providers',
    kind: 'strings',
    default: null,
    group: calibration,
    help: 'execution providers for calibration',
  },
  {
    name: 'activation_type',
    kind: 'enum',
    values: quantTypes,
    default: 'QUInt8',
    group: types,
    help: 'type of activations',
  },
  {
    name: 'per_channel',
    kind: 'boolean',
    default: false,
    group: types,
    help: 'one scale per output channel of a weight',
  },
  {
    name: 'activation_symmetric',
    kind: 'boolean',
    default: false,
    group: types,
    help: 'activations: range mirrored about 0',
  },
  {
    name: 'weight_symmetric',
    kind: 'boolean',
    default: null,
    group: types,
    help: 'weights: range mirrored about 0; where not set, for signed types only',
  },
  {
    name: 'keep_removable_activations',
    kind: 'boolean',
    default: false,
    group: scope,
    help: 'keep Relu and Clip where the range already carries them out',
  },
  {
    name: 'op_types_to_quantize',
    kind: 'strings',
    default: [],
    group: scope,
    help: 'only operators of these types; empty: all in the model',
  },
  {
    name: 'nodes_to_exclude',
    kind: 'strings',
    default: [],
    group: scope,
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
    group: types,
    help: 'type of weights',
  },
  {
    name: 'reduce_range',
    kind: 'boolean',
    default: false,
    group: types,
    help: 'weights in one bit less, for x64 processors without VNNI',
  },
  {
    name: 'min_real_range',
    kind: 'number',
    default: null,
    min: 0,
    group: types,
    help: 'smallest width of a range',
  },
  {
    name: 'tensor_quant_overrides',
    kind: 'overrides',
    default: {},
    group: types,
    help: 'TensorQuantOverrides of the configuration',
  },
  {
    name: 'calibrate_args',
    kind: 'calibrate_args',
    default: {},
    group: calibration,
    help: 'symmetric, moving_average, averaging_constant, max_intermediate_outputs, percentile',
  },
  {
    name: 'extra_options',
    kind: 'extra_options',
    default: {},
    group: types,
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
    group: types,
    help: 'type of weights',
  },
  {
    name: 'init_overrides',
    kind: 'overrides',
    default: {},
    group: types,
    help: 'TensorQuantOverrides to begin with, such as a few tensors of 16 bits',
  },
  {
    name: 'add_qtype_converts',
    kind: 'boolean',
    default: true,
    group: types,
    help: 'add the overrides and converts that follow from those, so that each node has one type',
  },
  {
    name: 'stride',
    kind: 'integer',
    default: null,
    min: 1,
    group: calibration,
    help: 'CalibStridedMinMax of the configuration',
  },
] as const satisfies readonly OptionSpec[];

/** Keys of calibrate_args, and the extra options that they become. */
export const calibrateArgs = {
  symmetric: 'CalibTensorRangeSymmetric',
  moving_average: 'CalibMovingAverage',
  averaging_constant: 'CalibMovingAverageConstant',
  max_intermediate_outputs: 'CalibMaxIntermediateOutputs',
  percentile: 'CalibPercentile',
} as const satisfies Readonly<Record<string, keyof ExtraOptions>>;

export type CalibrateArgs = {
  -readonly [Name in keyof typeof calibrateArgs]?: ExtraOptions[(typeof calibrateArgs)[Name]];
};

/** The options of each command that is carried out. */
export const commandTables = {
  quantize_static: quantizeStaticOptions,
  calibrate: calibrateOptions,
  merge_ranges: mergeRangesOptions,
  preprocess: preprocessOptions,
  get_qdq_config: [...qdqConfigOptions, ...carriedOptions],
  get_qnn_qdq_config: [...qnnConfigOptions, ...carriedOptions],
} as const satisfies Readonly<Record<string, readonly OptionSpec[]>>;

export type Command = keyof typeof commandTables;

/** All commands; those without a table end with exit code 2 and "not available yet". */
export const commands: Readonly<Record<string, string>> = {
  quantize_static: 'quantize weights and activations, calibrated with samples (the default)',
  calibrate: 'write tensor ranges only, of all samples or of a shard of them',
  merge_ranges: 'put the calibration states of shards together',
  preprocess: 'write the float model as it is prepared for quantizing',
  quantize_dynamic: 'quantize without calibration',
  qnn_preprocess_model: 'prepare a model for QNN',
  get_qdq_config: 'write a configuration that quantizes a whole model to QDQ',
  get_qnn_qdq_config: 'write a configuration that suits the QNN execution provider',
  quantize_matmul_nbits: 'quantize MatMul weights to 2, 4 or 8 bits',
  quantize_matmul_bnb4: 'quantize MatMul weights to FP4 or NF4',
};

/** `calibration_cache_path` → `calibrationCachePath`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The same at the level of types. */
export type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;
