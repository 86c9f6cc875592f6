// Every option in one place: name, kind, default, help. Validation (validate.ts), the command line
// (cli/args.ts), --help (cli/help.ts) and the configuration file (config.ts) read these tables;
// options.ts is checked against them at compile time. Names and meaning are those of the reference,
// onnxruntime.quantization 1.32; defaults are DESIGN.md section 2.

export type OptionKind =
  | 'boolean'
  | 'enum'
  | 'strings' // a list of names
  | 'path'
  | 'paths' // one path or several
  | 'string'
  | 'number'
  | 'integer'
  | 'object'
  | 'preprocess'; // a preset's name or an object, see preprocess.ts

export interface OptionSpec {
  /** The reference's name: the key of a configuration file and the flag of the command line. */
  readonly name: string;
  readonly kind: OptionKind;
  /** null: not set. */
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
  /** Present where the option itself is known but not carried out yet: only its default is accepted. */
  readonly later?: true;
}

const files = 'Files';
const types = 'Format and types';
const scope = 'What is quantized';
const calibration = 'Calibration';

export const quantTypes = [
  'QInt8',
  'QUInt8',
  'QFLOAT8E4M3FN',
  'QInt16',
  'QUInt16',
  'QInt4',
  'QUInt4',
] as const;
export const quantFormats = ['QOperator', 'QDQ'] as const;
export const calibrationMethods = ['MinMax', 'Entropy', 'Percentile', 'Distribution'] as const;
const availableTypes = ['QInt8', 'QUInt8'] as const;

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
    help: 'folder or list of images (JPEG, PNG) or of .npz files with one array per input',
  },
  {
    name: 'preprocess',
    kind: 'preprocess',
    default: null,
    group: files,
    help: 'how images become tensors: a preset or JSON; guessed from the input shape where absent',
  },
  {
    name: 'use_external_data_format',
    kind: 'boolean',
    default: false,
    group: files,
    help: 'write the weights into one file "<model_output>.data" beside the model',
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
    available: availableTypes,
    default: 'QUInt8',
    group: types,
    help: 'type of activations',
  },
  {
    name: 'weight_type',
    kind: 'enum',
    values: quantTypes,
    available: availableTypes,
    default: 'QUInt8',
    group: types,
    help: 'type of weights; QInt8 is symmetric',
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
    available: ['MinMax'],
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
    name: 'calibration_providers',
    kind: 'strings',
    default: [],
    group: calibration,
    later: true,
    help: 'execution providers for calibration',
  },
  {
    name: 'extra_options',
    kind: 'object',
    default: {},
    group: 'Extra options',
    help: "JSON object, or key=value; the keys below, spelled as the reference's",
  },
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

export interface ExtraOptionSpec {
  readonly kind: 'boolean' | 'number' | 'integer' | 'strings' | 'object';
  /** null: not set, the rule in `help` decides. */
  readonly default: unknown;
  /** Present where the option has an effect in one format only. */
  readonly format?: 'QDQ' | 'QOperator';
  /** Present where this version carries out the default only. */
  readonly later?: true;
  readonly help: string;
}

/** Every key of `extra_options` that the reference's static path reads (ort-reference.md 2.1). */
export const extraOptions: Readonly<Record<string, ExtraOptionSpec>> = {
  ActivationSymmetric: {
    kind: 'boolean',
    default: false,
    help: 'activations: range mirrored about 0',
  },
  WeightSymmetric: {
    kind: 'boolean',
    default: null,
    help: 'weights: range mirrored about 0; by default for signed types only',
  },
  ActivationRestrictedAsymmetric: {
    kind: 'boolean',
    default: false,
    help: 'QUInt8 activations: zero point 0 or 128 only',
  },
  MinimumRealRange: {
    kind: 'number',
    default: null,
    help: 'smallest width of a range',
  },
  ForceQuantizeNoInputCheck: {
    kind: 'boolean',
    default: false,
    help: 'quantize Transpose, Reshape, MaxPool … even where their input is float',
  },
  CalibTensorRangeSymmetric: {
    kind: 'boolean',
    default: false,
    help: 'mirror calibrated ranges about 0',
  },
  CalibMovingAverage: {
    kind: 'boolean',
    default: false,
    later: true,
    help: 'MinMax: mean of the minima and maxima of the samples',
  },
  CalibMovingAverageConstant: {
    kind: 'number',
    default: 0.01,
    later: true,
    help: 'factor of the moving average',
  },
  CalibMaxIntermediateOutputs: {
    kind: 'integer',
    default: null,
    later: true,
    help: 'how many samples are kept at a time; never needed here: none is kept',
  },
  CalibStridedMinMax: {
    kind: 'integer',
    default: null,
    later: true,
    help: 'samples per stride',
  },
  CalibPercentile: {
    kind: 'number',
    default: 99.999,
    later: true,
    help: 'Percentile: share of the values inside the range',
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
    kind: 'object',
    default: {},
    format: 'QDQ',
    help: 'channel axis by operator type, such as {"MatMul": 1}',
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
    help: 'Q/DQ of domain com.microsoft',
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
    format: 'QDQ',
    later: true,
    help: 'values per block of a blockwise quantized weight; 0: off',
  },
  MatMulConstBOnly: {
    kind: 'boolean',
    default: false,
    format: 'QOperator',
    help: 'quantize MatMul only where B is constant',
  },
  EnableSubgraph: {
    kind: 'boolean',
    default: false,
    format: 'QOperator',
    later: true,
    help: 'quantize the bodies of If and Loop',
  },
  'extra.Sigmoid.nnapi': {
    kind: 'boolean',
    default: false,
    format: 'QOperator',
    help: 'Sigmoid output with scale 1/256 and zero point 0, as NNAPI wants',
  },
  DefaultTensorType: {
    kind: 'integer',
    default: null,
    later: true,
    help: 'TensorProto type of tensors whose type is unknown',
  },
  TensorQuantOverrides: {
    kind: 'object',
    default: {},
    later: true,
    help: 'quantization parameters by tensor name',
  },
  SmoothQuant: {
    kind: 'boolean',
    default: false,
    later: true,
    help: 'move outliers from activations to weights first',
  },
  SmoothQuantAlpha: { kind: 'number', default: 0.5, later: true, help: 'its strength' },
  SmoothQuantFolding: {
    kind: 'boolean',
    default: true,
    later: true,
    help: 'fold its factors into the layers before',
  },
};

/** Commands of COMMAND.md; those that are not `available` end with exit code 2 and "not available yet". */
export const commands: Readonly<Record<string, { available: boolean; help: string }>> = {
  quantize_static: {
    available: true,
    help: 'quantize weights and activations, calibrated with samples (the default)',
  },
  preprocess: { available: true, help: 'write the float model as it is prepared for quantizing' },
  quantize_dynamic: { available: false, help: 'quantize without calibration' },
  qnn_preprocess_model: { available: false, help: 'prepare a model for QNN' },
  get_qdq_config: { available: false, help: 'write a configuration for QDQ' },
  get_qnn_qdq_config: { available: false, help: 'write a configuration for QDQ on QNN' },
  quantize_matmul_nbits: { available: false, help: 'quantize MatMul weights to 2, 4 or 8 bits' },
  quantize_matmul_bnb4: { available: false, help: 'quantize MatMul weights to FP4 or NF4' },
};

/** `calibration_cache_path` → `calibrationCachePath`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The same at the level of types. */
export type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;
