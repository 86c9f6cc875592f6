// Every key of `extra_options` that the reference's static path reads.
import type { Row, ValueKinds, ValueOf } from './kinds.js';

export interface ExtraOptionSpec extends Row {
  readonly kind: keyof ValueKinds;
}

const extraOptionTable = {
  ActivationSymmetric: {
    kind: 'boolean',
    default: false,
    for: ['core', 'ranges', 'page'],
    help: 'activations: range mirrored about 0; keeps Relu and Clip',
  },
  WeightSymmetric: {
    kind: 'boolean',
    default: null,
    for: ['core', 'page'],
    help: 'weights: range mirrored about 0; where not set, for signed types only',
  },
  ActivationRestrictedAsymmetric: {
    kind: 'boolean',
    default: false,
    for: ['core', 'page'],
    help: 'QUInt8 activations: zero point 0 or 128 only',
  },
  MinimumRealRange: {
    kind: 'number',
    default: null,
    for: ['core', 'ranges', 'page'],
    min: 0,
    help: 'smallest width of a range: its upper end is raised where it is narrower',
  },
  TensorQuantOverrides: {
    kind: 'overrides',
    default: {},
    for: ['core', 'ranges', 'page'],
    help: 'type, scale, range, symmetry or axis by tensor: {"tensor": [{"quant_type": "QUInt16"}]}',
  },
  ForceQuantizeNoInputCheck: {
    kind: 'boolean',
    default: false,
    for: ['core', 'page'],
    help: 'quantize Transpose, Reshape, MaxPool … even where their input is float',
  },
  MatMulConstBOnly: {
    kind: 'boolean',
    default: false,
    for: ['core', 'page'],
    help: 'quantize MatMul only where B is constant',
  },
  EnableSubgraph: {
    kind: 'boolean',
    default: false,
    for: ['core', 'ranges', 'page'],
    help: 'quantize the bodies of If, Loop and Scan too',
  },
  'extra.Sigmoid.nnapi': {
    kind: 'boolean',
    default: false,
    for: ['core', 'page'],
    help: 'Sigmoid outputs with scale 1/256 and zero point 0, as NNAPI wants',
  },
  DefaultTensorType: {
    kind: 'integer',
    default: null,
    for: ['core', 'ranges', 'page'],
    min: 1,
    help: 'TensorProto type (1: float32, 10: float16) of tensors whose type is unknown',
  },
  CalibTensorRangeSymmetric: {
    kind: 'boolean',
    default: null,
    for: ['core', 'ranges', 'page'],
    help: 'mirror calibrated ranges about 0; Percentile: of magnitudes; where not set, for Percentile only',
  },
  CalibMovingAverage: {
    kind: 'boolean',
    default: false,
    for: ['core', 'ranges', 'page'],
    methods: ['MinMax'],
    help: 'MinMax: mean of the minima and maxima of the samples',
  },
  CalibMovingAverageConstant: {
    kind: 'number',
    default: 0.01,
    for: ['core', 'ranges', 'page'],
    min: 0,
    methods: ['MinMax'],
    help: 'weight of a new stride in the moving average, 0 to 1; of use with CalibStridedMinMax',
  },
  CalibMaxIntermediateOutputs: {
    kind: 'integer',
    default: null,
    for: ['core', 'page'],
    min: 1,
    help: 'most samples to keep at a time; always held to, as none is kept',
  },
  CalibStridedMinMax: {
    kind: 'integer',
    default: null,
    for: ['core', 'ranges', 'page'],
    min: 1,
    methods: ['MinMax'],
    help: 'MinMax: samples a stride; without CalibMovingAverage the result is the same',
  },
  scenario: {
    kind: 'enum',
    values: ['same', 'p3'],
    default: 'same',
    for: ['core', 'ranges', 'page'],
    methods: ['Distribution'],
    help: 'Distribution: deviation of the values, or of their cube roots (p3)',
  },
  CalibPercentile: {
    kind: 'number',
    default: 99.999,
    for: ['core', 'ranges', 'page'],
    min: 0,
    methods: ['Percentile'],
    help: 'Percentile: share of the values inside the range, 0 to 100',
  },
  num_bins: {
    kind: 'integer',
    default: null,
    for: ['core', 'ranges', 'page'],
    min: 1,
    methods: ['Entropy', 'Percentile', 'Distribution'],
    help: 'Entropy, Percentile, Distribution: bins of a histogram; 2048 where not set',
  },
  num_quantized_bins: {
    kind: 'integer',
    default: 128,
    for: ['core', 'ranges', 'page'],
    min: 1,
    methods: ['Entropy'],
    help: 'Entropy: bins that candidates are compared in',
  },
  AddQDQPairToWeight: {
    kind: 'boolean',
    default: false,
    for: ['core', 'page'],
    format: 'QDQ',
    help: 'weights stay float, followed by a Q/DQ pair',
  },
  OpTypesToExcludeOutputQuantization: {
    kind: 'strings',
    default: [],
    for: ['core', 'page'],
    format: 'QDQ',
    help: 'operator types whose outputs stay float',
  },
  DedicatedQDQPair: {
    kind: 'boolean',
    default: false,
    for: ['core', 'page'],
    format: 'QDQ',
    help: 'one Q/DQ pair for each consumer of a tensor',
  },
  QDQOpTypePerChannelSupportToAxis: {
    kind: 'axes',
    default: {},
    for: ['core', 'page'],
    format: 'QDQ',
    help: 'channel axis by operator type, such as {"MatMul": 1}; with per_channel',
  },
  QuantizeBias: {
    kind: 'boolean',
    default: true,
    for: ['core', 'page'],
    format: 'QDQ',
    help: 'false: biases stay float',
  },
  UseQDQContribOps: {
    kind: 'boolean',
    default: false,
    for: ['core', 'page'],
    format: 'QDQ',
    help: 'Q/DQ of domain com.microsoft: 16 and 4 bits without raising the opset',
  },
  QDQKeepRemovableActivations: {
    kind: 'boolean',
    default: false,
    for: ['core', 'page'],
    format: 'QDQ',
    help: 'keep Relu and Clip where the range already carries them out',
  },
  QDQDisableWeightAdjustForInt32Bias: {
    kind: 'boolean',
    default: false,
    for: ['core', 'page'],
    format: 'QDQ',
    help: 'do not enlarge weight scales for the sake of an int32 bias',
  },
  BlockSize: {
    kind: 'integer',
    default: 0,
    for: ['core', 'page'],
    min: 0,
    format: 'QDQ',
    help: 'values that share a scale in a weight of rank 2 (opset 21); 0: one scale a tensor or channel',
  },
  SmoothQuant: {
    kind: 'boolean',
    default: false,
    for: ['core', 'page'],
    later: 'SmoothQuant',
    help: 'move outliers from activations to weights first',
  },
  SmoothQuantAlpha: {
    kind: 'number',
    default: 0.5,
    for: ['core', 'page'],
    later: 'SmoothQuant',
    help: 'its strength',
  },
  SmoothQuantFolding: {
    kind: 'boolean',
    default: true,
    for: ['core', 'page'],
    later: 'SmoothQuant',
    help: 'fold its factors into the layers before',
  },
} as const satisfies Readonly<Record<string, ExtraOptionSpec>>;

export const extraOptions: Readonly<Record<string, ExtraOptionSpec>> = extraOptionTable;

/** extra_options as an object of the API; keys are spelled as the reference's. */
export type ExtraOptions = {
  -readonly [Name in keyof typeof extraOptionTable]?:
    | ValueOf<(typeof extraOptionTable)[Name]>
    | null
    | undefined;
};

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
