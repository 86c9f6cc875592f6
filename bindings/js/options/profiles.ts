// Profiles: parameters that suit where a model will run, as data. Each field has its reason, each
// profile the published rules that it follows; docs/profiles.md is made from this table. A profile
// only fills in what was not given (validate.ts), so an explicit parameter always wins.

import type { ExtraOptions } from './extra-options.js';
import type { QuantFormat, QuantType } from './quant-types.js';

export const profileNames = [
  'x64',
  'x64-vnni',
  'arm64',
  'web-wasm',
  'webgpu',
  'webnn',
  'tensorrt',
  'qnn',
  'nnapi',
] as const;
export type ProfileName = (typeof profileNames)[number];

/** Parameters that a profile may set. */
interface ProfileParameters {
  quant_format: QuantFormat;
  activation_type: QuantType;
  weight_type: QuantType;
  per_channel: boolean;
  reduce_range: boolean;
}

type Fields<Values> = {
  readonly [Name in keyof Values]?: { readonly value: Values[Name]; readonly reason: string };
};

export type SixteenBits = 'integer' | 'float';

export interface Profile {
  /** Where the model will run. */
  readonly target: string;
  readonly parameters: Fields<ProfileParameters>;
  readonly extra_options: Fields<ExtraOptions>;
  /** false: what stays float does not run there, or not where the rest does. */
  readonly takesFloat?: false;
  /**
   * Activations of 16 bits: with kernels of their own, or computed in float between
   * QuantizeLinear and DequantizeLinear, as onnxruntime's CPU provider does; absent: refused.
   */
  readonly sixteenBits?: SixteenBits;
  /** What cannot be put in a parameter. */
  readonly note?: string;
  /** The published rules. */
  readonly sources: readonly { readonly title: string; readonly url: string }[];
}

const quantizationGuide = {
  title: 'onnxruntime: Quantize ONNX models',
  url: 'https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html',
};

const qdq = (reason: string) => ({ value: 'QDQ', reason }) as const;
const fusedByCpu = qdq("onnxruntime's CPU kernels are tuned for QDQ, which it fuses when loading");
const perChannel = {
  value: true,
  reason: 'channels of a convolution differ in range, those of depthwise ones most',
} as const;
const signedWeights = {
  value: 'QInt8',
  reason: 'symmetric weights need no correction for their zero point',
} as const;
const unsignedOnX64 = {
  value: 'QUInt8',
  reason: 'the x64 instructions multiply unsigned with signed bytes',
} as const;

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  x64: {
    target: 'onnxruntime on x64 processors with AVX2 or AVX-512 but without VNNI',
    parameters: {
      quant_format: fusedByCpu,
      activation_type: unsignedOnX64,
      weight_type: signedWeights,
      per_channel: perChannel,
      reduce_range: {
        value: true,
        reason: 'pairs of 8-bit products saturate in 16 bits there; weights of 7 bits do not',
      },
    },
    extra_options: {},
    sixteenBits: 'float',
    sources: [quantizationGuide],
  },
  'x64-vnni': {
    target: 'onnxruntime on x64 processors with VNNI (Intel from 2019, AMD from Zen 4)',
    parameters: {
      quant_format: fusedByCpu,
      activation_type: unsignedOnX64,
      weight_type: signedWeights,
      per_channel: perChannel,
      reduce_range: { value: false, reason: 'VNNI adds up in 32 bits: nothing saturates' },
    },
    extra_options: {},
    sixteenBits: 'float',
    sources: [quantizationGuide],
  },
  arm64: {
    target: 'onnxruntime on 64-bit ARM processors',
    parameters: {
      quant_format: fusedByCpu,
      activation_type: { value: 'QInt8', reason: 'ARM multiplies signed with signed bytes' },
      weight_type: signedWeights,
      per_channel: perChannel,
      reduce_range: { value: false, reason: 'products are added up in 32 bits' },
    },
    extra_options: {},
    sixteenBits: 'float',
    sources: [quantizationGuide],
  },
  'web-wasm': {
    target: 'onnxruntime-web on the processor (WebAssembly)',
    parameters: {
      quant_format: fusedByCpu,
      activation_type: {
        value: 'QUInt8',
        reason: 'as on x64, where most browsers run; values after Relu use all 8 bits',
      },
      weight_type: signedWeights,
      per_channel: perChannel,
      reduce_range: {
        value: false,
        reason: 'WebAssembly SIMD multiplies in 16 and adds up in 32 bits: nothing saturates',
      },
    },
    extra_options: {},
    sixteenBits: 'float',
    sources: [
      quantizationGuide,
      {
        title: 'WebAssembly SIMD: i32x4.dot_i16x8_s',
        url: 'https://github.com/WebAssembly/simd/blob/main/proposals/simd/SIMD.md',
      },
    ],
  },
  webgpu: {
    target: 'onnxruntime-web on the graphics processor (WebGPU)',
    parameters: {
      quant_format: qdq('the provider has DequantizeLinear, but none of the quantized operators'),
      activation_type: {
        value: 'QInt8',
        reason: 'its DequantizeLinear has given wrong results for uint8',
      },
      weight_type: signedWeights,
      per_channel: perChannel,
    },
    extra_options: {
      QuantizeBias: {
        value: false,
        reason: 'its DequantizeLinear refuses int32 with a zero point, which quantized biases have',
      },
    },
    note: 'QuantizeLinear is not among its operators and runs on the processor: a smaller download rather than a faster model.',
    sources: [
      {
        title: 'onnxruntime-web: WebGPU operators',
        url: 'https://github.com/microsoft/onnxruntime/blob/main/js/web/docs/webgpu-operators.md',
      },
      {
        title: 'the refusal of int32 with a zero point, reported',
        url: 'https://github.com/pipecat-ai/smart-turn/issues/33',
      },
      {
        title: 'wrong results for uint8, reported',
        url: 'https://github.com/microsoft/onnxruntime/issues/32578',
      },
    ],
  },
  webnn: {
    target: 'onnxruntime-web on the accelerators of the system (WebNN)',
    parameters: {
      quant_format: qdq(
        'WebNN has quantizeLinear and dequantizeLinear, the provider no QLinear operators',
      ),
      activation_type: {
        value: 'QUInt8',
        reason: 'int8 and uint8 are in the standard; values after Relu use all 8 bits',
      },
      weight_type: signedWeights,
    },
    extra_options: {
      UseQDQContribOps: {
        value: false,
        reason: 'the provider takes the operators of ai.onnx only',
      },
    },
    sources: [
      {
        title: 'onnxruntime-web: WebNN operators',
        url: 'https://github.com/microsoft/onnxruntime/blob/main/js/web/docs/webnn-operators.md',
      },
      {
        title: 'W3C: Web Neural Network API, dequantizeLinear',
        url: 'https://www.w3.org/TR/webnn/',
      },
    ],
  },
  tensorrt: {
    target: 'TensorRT, by itself or as an execution provider of onnxruntime',
    parameters: {
      quant_format: qdq('TensorRT reads explicit quantization as Q/DQ pairs'),
      activation_type: { value: 'QInt8', reason: 'TensorRT has signed 8-bit tensors only' },
      weight_type: { value: 'QInt8', reason: 'TensorRT has signed 8-bit tensors only' },
      per_channel: perChannel,
    },
    extra_options: {
      ActivationSymmetric: {
        value: true,
        reason: 'its parser refuses a zero point other than 0',
      },
      WeightSymmetric: { value: true, reason: 'its parser refuses a zero point other than 0' },
      AddQDQPairToWeight: {
        value: true,
        reason: 'it quantizes weights itself, from float ones behind a Q/DQ pair',
      },
      QuantizeBias: {
        value: false,
        reason: 'its DequantizeLinear takes no int32: biases stay float',
      },
      DedicatedQDQPair: {
        value: true,
        reason: "a pair for each reader, as in onnxruntime's example for TensorRT",
      },
    },
    sources: [
      quantizationGuide,
      {
        title: 'onnxruntime: example for TensorRT',
        url: 'https://github.com/microsoft/onnxruntime-inference-examples/blob/main/quantization/nlp/bert/trt/e2e_tensorrt_bert_example.py',
      },
      {
        title: 'TensorRT: the parser on zero points',
        url: 'https://github.com/NVIDIA/TensorRT/issues/2774',
      },
      {
        title: 'onnxruntime: biases behind DequantizeLinear in TensorRT',
        url: 'https://github.com/microsoft/onnxruntime/issues/14229',
      },
    ],
  },
  qnn: {
    target: "onnxruntime's QNN execution provider (Qualcomm)",
    parameters: {
      quant_format: qdq('the provider reads QDQ models'),
      activation_type: {
        value: 'QUInt8',
        reason: "the default of onnxruntime's helper for QNN; QUInt16 is supported, too",
      },
      weight_type: { value: 'QUInt8', reason: "the default of onnxruntime's helper for QNN" },
      per_channel: { value: false, reason: 'QNN has no per-channel MatMul' },
    },
    extra_options: {
      MinimumRealRange: {
        value: 0.0001,
        reason: "QNN wants ranges of some width; that of onnxruntime's helper",
      },
      DedicatedQDQPair: {
        value: false,
        reason: 'onnxruntime duplicates DequantizeLinear nodes itself',
      },
    },
    note: 'For 16 bits and mixed precision use getQnnQdqConfig (get_qnn_qdq_config), which also knows the fixed parameters of some operators.',
    takesFloat: false,
    sixteenBits: 'integer',
    sources: [
      {
        title: 'onnxruntime: QNN execution provider',
        url: 'https://onnxruntime.ai/docs/execution-providers/QNN-ExecutionProvider.html',
      },
    ],
  },
  nnapi: {
    target: "onnxruntime's NNAPI execution provider (Android)",
    parameters: {
      quant_format: qdq('the provider reads QDQ models'),
      activation_type: { value: 'QUInt8', reason: 'the provider refuses int8 activations' },
      weight_type: {
        value: 'QUInt8',
        reason: 'the provider takes int8 weights per channel only, and of convolutions only',
      },
      per_channel: { value: false, reason: 'NNAPI has uint8 tensors with one scale only' },
    },
    extra_options: {
      'extra.Sigmoid.nnapi': {
        value: true,
        reason: 'NNAPI wants scale 1/256 and zero point 0 for the output of LOGISTIC',
      },
    },
    takesFloat: false,
    sources: [
      {
        title: 'onnxruntime: NNAPI execution provider',
        url: 'https://onnxruntime.ai/docs/execution-providers/NNAPI-ExecutionProvider.html',
      },
      {
        title: 'onnxruntime: which input types the provider takes',
        url: 'https://github.com/microsoft/onnxruntime/issues/18571',
      },
      {
        title: 'Android: Neural Networks API, ANEURALNETWORKS_LOGISTIC',
        url: 'https://developer.android.com/ndk/reference/group/neural-networks',
      },
    ],
  },
};

/** Whether what a profile is for runs float nodes beside integer ones; null: no profile. */
export const profileTakesFloat = (profile: ProfileName | null): boolean =>
  profile === null || profiles[profile].takesFloat !== false;

/** What activations of 16 bits are where a model will run; null: no profile; onnxruntime's CPU. */
export const sixteenBitsOf = (profile: ProfileName | null): SixteenBits | null =>
  profile === null ? 'float' : (profiles[profile].sixteenBits ?? null);
