// The types that cross between the parts of the library: what a model is, what a sample is, what a
// run reports. The JSON ones are written by bindings/wasm/session_json.cc under the same names.

import type { QuantizeError } from './errors.js';
import type { TextParts } from './text.js';

/**
 * Element types of tensors that a sample may hold (ONNX names in lower case, as onnxruntime uses
 * them).
 */
export type TensorType =
  | 'float32'
  | 'float16'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'
  | 'string';

/**
 * Typed arrays by element type: float16 as Uint16Array of bits, bool as Uint8Array, 64-bit as
 * BigInt arrays, string as an array of strings.
 */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | string[];

/** One tensor of a sample. An onnxruntime Tensor on the CPU fits this type as it is. */
export interface SampleTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** One sample: a tensor for every input of the model, by input name. */
export type Feeds = Record<string, SampleTensor>;

/** One graph input or output; a dimension is a number, a name, or null where unknown. */
export interface ValueSummary {
  /** Whether a node reads it; inputs only. */
  isRead?: boolean;
  name: string;
  type: TensorType | string;
  shape: (number | string | null)[] | null;
}

/** What Session.open() returns. */
export interface ModelSummary {
  inputs: ValueSummary[]; // without initializers
  outputs: ValueSummary[];
  opset: number;
  irVersion: number;
  producer: string;
  nodes: number;
  opTypes: Record<string, number>;
  parameters: number;
  /** Names of external-data files that the model refers to. */
  externalFiles: string[];
  alreadyQuantized: boolean;
}

/** One node of the graph. */
export interface GraphNode {
  name: string; // may be ''
  opType: string;
  domain: string;
  /** Tensor names; '' where an optional one is left out. */
  inputs: string[];
  outputs: string[];
}

/** What Session.structure() returns: the graph as given, subgraphs apart. */
export interface ModelStructure {
  nodes: GraphNode[];
  /** Element type of every tensor after shape inference; 'unknown' where that found none. */
  tensors: Record<string, TensorType | string>;
  /** Dimensions by name. */
  initializers: Record<string, number[]>;
  opset: number;
  /** Whether any weight is in a file of its own. */
  hasExternalData: boolean;
}

/** A note about the run: nodes left in float, odd ranges, lossy steps. */
export interface Diagnostic {
  severity: 'info' | 'warning';
  code: string;
  message: string;
  node?: string;
  tensor?: string;
  hint?: string;
  /** For translations, where they have parameters. */
  messageText?: TextParts;
  hintText?: TextParts;
}

/** What Session.prepare() returns. */
export interface PrepareReport {
  nodesBefore: number;
  nodesAfter: number;
  opsetBefore: number;
  opsetAfter: number;
  /** Passes that changed something, in order: name and how many places. */
  passes: { name: string; changes: number }[];
  diagnostics: Diagnostic[];
}

/** A node that is quantized or not, in Session.inspect() and in reports. */
export interface ForecastNode {
  name: string;
  opType: string;
}

/** Why a node stays float: see docs/errors.md. */
export interface FloatReason {
  code: string;
  /** For people. */
  reason: string;
  /** For translations, where it has parameters. */
  reasonText?: TextParts;
}

/** What quantizing to one format would make of a model, at the default options. */
export interface FormatForecast {
  /** Of the output. */
  opset: number;
  nodesQuantized: ForecastNode[];
  nodesLeftFloat: (ForecastNode & FloatReason)[];
  /** Why the format cannot be written at all. */
  refused?: string;
}

/** What Session.inspect() returns. */
export interface ModelForecast {
  formats: { QOperator: FormatForecast; QDQ: FormatForecast };
  /** Nodes before and after optimize_model. */
  nodesBefore: number;
  nodesAfter: number;
  weightBytes: number;
  /** Of activations that are alive at the same time, at most; free dimensions count as 1. */
  activationBytes: number;
  /** Whether every shape was known for that. */
  allShapesKnown: boolean;
  /** What the graph itself does to its inputs with constants: samples must not have it done. */
  inputSteps: { input: string; node: string; opType: string; values: number[] }[];
  diagnostics: Diagnostic[];
}

/** A tensor whose range is wanted. */
export interface CalibratedTensor {
  name: string;
  /** float16 in the model; its values are collected as float32. */
  half: boolean;
  /**
   * With calib_per_channel the length of axis 1, where it is known; with an effort, of what linear
   * layers read, the number of input channels; absent: 1.
   */
  channels?: number;
  /** With an effort: the mean of each channel is collected, too. */
  means?: true;
  /**
   * It holds the values of the tensor of this number, clipped where there are ends: the core counts
   * them from those.
   */
  derived?: { tensor: number; low?: number; high?: number };
}

/** What Session.estimateMemory() returns, in bytes. */
export interface MemoryEstimate {
  weights: number;
  /** Of the tensors that are alive at the same time, at most. */
  activations: number;
  /** By tensor whose range is wanted, as float32; 0 where its shape is unknown. */
  tensors: number[];
  /** Whether all shapes were known. */
  allKnown: boolean;
}

/** What Session.writeReductionModel() and writeTensorModel() return. */
export interface CalibrationModel {
  /**
   * What to fetch: the one vector of all reductions, or the tensors; nothing where there is nothing
   * to observe.
   */
  outputs: string[];
  /**
   * Names of all files that '~calibration' refers to ('~model', '~scratch', the model's own data
   * files).
   */
  files: string[];
  /** Of reductions: whether sums are left out of tensors whose NaN shows in others. */
  lacksSums: boolean;
}

/** Which weights the result still holds as floats. Weights are float tensors of the model. */
export interface WeightsReport {
  /** Of all weights before quantizing, and of those that are still floats. */
  bytes: number;
  floatBytes: number;
  /**
   * Those, the largest first, each with the node that keeps it float and the reason; `code` as in
   * nodesLeftFloat, "" where that node is quantized.
   */
  left: ({ name: string; bytes: number; node: string } & FloatReason)[];
}

/** Which repairs a quantized model is made with; see src/repair/repairs.h. */
export interface Repairs {
  /** Only linear layers are quantized, nothing between them. */
  layerIo: boolean;
  /** Channels of neighbouring layers are scaled against each other (cross-layer equalization). */
  equalize: boolean;
  /** Biases take the mean error of rounded weights (bias correction). */
  correctBiases: boolean;
  /** Weights are rounded adaptively, and biases corrected for that. */
  round: boolean;
  /** Alpha of SmoothQuant, by which channels of inputs are scaled against weights; 0: not. */
  smooth: number;
  /**
   * Nodes that stay float, by name (or first output, where they have none), and with them the
   * layers that read what these write.
   */
  floatNodes: readonly string[];
  /** Ranges of tensors in place of those that were calibrated. */
  ranges: Readonly<Record<string, readonly [lowest: number, highest: number]>>;
}

/** A part of the model that is asked about as a whole; what Session.units() returns. */
export interface ModelUnit {
  /** Names, or first outputs. */
  nodes: string[];
  /** Multiplications of its layer for one sample; dimensions that are not known count as 1. */
  products: number;
  /** Of its weight, as floats. */
  weightBytes: number;
}

/** What Session.plan() returns. */
export interface PlanReport {
  nodesQuantized: QuantizeReport['nodesQuantized'];
  nodesLeftFloat: QuantizeReport['nodesLeftFloat'];
  weights: WeightsReport;
  /** Bytes of the weights of the model as given. */
  givenWeights: number;
  /** Bytes that weights take which become integers. */
  integerWeights: number;
  /** Of the model that would be written, roughly. */
  bytes: number;
  opset: number;
  /** Whether the ranges were set; else all are assumed to be [0, 1]. */
  withRanges: boolean;
  diagnostics: Diagnostic[];
}

/** What Session.beginMoments() returns. */
export interface MomentsToCollect {
  /** The tensors that observeMoments() is to be given. */
  inputs: string[];
  /** Multiplications that this and the rounding take. */
  products: number;
}

/** What Session.quantize() returns. */
export interface QuantizeReport {
  /**
   * `weight`: how the file holds the weight of a Conv, ConvTranspose, Gemm, MatMul or Gather.
   * 'float' and 'computed' (made of constants by nodes that could not be evaluated) are quantized
   * at every inference and make the file no smaller. Absent where the inputs depend on the data.
   */
  nodesQuantized: {
    name: string;
    opType: string;
    weight?: 'quantized' | 'float' | 'computed';
  }[];
  /** `code` is stable, `reason` is for people; see docs/errors.md. */
  nodesLeftFloat: ({ name: string; opType: string } & FloatReason)[];
  weights: WeightsReport;
  tensors: {
    name: string;
    kind: 'activation' | 'weight';
    quantType: string;
    axis?: number;
    /** Per-tensor scale and zero point; of the first channel where per-channel. */
    scale: number;
    zeroPoint: number;
    lowest?: number;
    highest?: number;
  }[];
  opset: number;
  bytesWritten: number;
  /**
   * What the repairs did: pairs of layers that were equalized, biases that were
   * corrected, tensors that were smoothed, weights that were rounded adaptively.
   */
  repaired: { equalized: number; corrected: number; smoothed: number; rounded: number };
  diagnostics: Diagnostic[];
}

/**
 * Samples for calibration. `getNext` has the reference's contract: a sample, or null (or undefined)
 * at the end. Any async iterable of Feeds is accepted in its place.
 */
export interface CalibrationDataReader {
  getNext(): Promise<Feeds | null | undefined> | Feeds | null | undefined;
  /**
   * Begins anew: called before a second pass. A reader without it is read once; its samples are
   * kept in memory where the method needs two passes.
   */
  rewind?(): Promise<unknown> | unknown;
}

/** Which samples of a source: numbers first, first + step, first + 2 × step, … counted from 0. */
export interface SampleSlice {
  readonly first: number;
  readonly step: number;
}

/**
 * A shipped reader: knows the model's inputs only when it is opened, can be opened again (second
 * pass, verification), and says what it does.
 */
export interface SampleSource {
  /**
   * Samples, each with arrays of its own, in a fixed order (by name), or every `slice.step`th of
   * them from number `slice.first` on: shards, and runs that are resumed, skip samples without
   * decoding them. Throws QuantizeError for data that does not fit the inputs.
   */
  open(model: ModelSummary, slice?: SampleSlice): AsyncIterable<Feeds>;
  /**
   * The same, with null in the place of each sample whose file cannot be used; `unusable` is told
   * which and why.
   */
  openUsable?(
    model: ModelSummary,
    slice: SampleSlice,
    unusable: (file: string, error: QuantizeError) => void,
  ): AsyncIterable<Feeds | null>;
  /** Number of samples where known without reading them. */
  readonly length?: number;
  /**
   * One line for people, for example "100 images, 224x224, RGB, (x - 127.5) / 127.5". Valid after
   * open().
   */
  describe(): string;
  /** The same in parts; absent where nothing is assumed. Valid after open(). */
  about?(): SamplesAbout;
  /** The files that are read, where there are files. */
  readonly files?: readonly SampleFile[];
  /** What is open about how pictures are preprocessed; absent where they are none. */
  readonly openPreprocess?: OpenPreprocess;
}

/** One way in which pictures may be preprocessed. */
export interface PreprocessCandidate {
  /** The option `preprocess` that says it: "imagenet", "zero-to-255 order=BGR". */
  option: string;
  /** The preset in it: candidates that differ in the order alone have the same. */
  preset: string;
  order: 'RGB' | 'BGR' | 'Y';
  /** (pixel − mean) ÷ std with pixels 0…255, by channel in this order. */
  mean: [number, number, number];
  std: [number, number, number];
}

/** A few pictures as the model's input takes them, but for normalization and order: RGB, 0…255. */
export interface TrialPictures {
  input: ValueSummary;
  /** Of one sample, its batch included. */
  dims: number[];
  /** Whether the channels are the last dimension. */
  channelsLast: boolean;
  /** By picture: the whole picture, then parts of it that show the same. Without the batch. */
  views: Float32Array[][];
}

/** The preprocessing of a source of pictures, where nobody said it in full. */
export interface OpenPreprocess {
  /** What was found before, by whoever made the source. */
  known?(): Promise<PreprocessFinding | undefined>;
  /** What may be meant, the assumed one first; one or none where nothing is open. */
  candidates(model: ModelSummary): Promise<PreprocessCandidate[]>;
  /** `count` of the pictures, from the whole set, as far as they can be read. */
  pictures(model: ModelSummary, count: number): Promise<TrialPictures>;
  /** From now on this is how pictures are preprocessed for this model. */
  settle(model: ModelSummary, finding: PreprocessFinding): void;
}

/** What tells how pictures are preprocessed. */
export type PreprocessEvidence =
  | 'graph' // nodes at the beginning that normalize
  | 'statistics' // of the first BatchNormalization: nats from training, less is better
  | 'biases' // of the first Conv: the sums that they are added to, in biases
  | 'scores' // of classes: how well they tell pictures apart, 0…1
  | 'probabilities' // of boxes, of masks: the same in nats
  | 'pictures'; // that come out: how like they are to those that were put in

/** What spoke for the chosen candidate, and for the best with another normalization or order. */
export interface PreprocessReason {
  by: PreprocessEvidence;
  value: number;
  other: { option: string; value: number } | null;
}

/** How pictures are preprocessed, as far as the model itself tells. */
export interface PreprocessFinding {
  chosen: PreprocessCandidate;
  runnerUp: PreprocessCandidate;
  /** In the order in which they were asked; none where nothing told. */
  reasons: PreprocessReason[];
  /** The same for people. */
  why: string;
  /** Whether it is clear, each by itself. */
  decided: { normalization: boolean; order: boolean };
  /** Samples take turns with these, so that ranges hold for all of them; the chosen one first. */
  plausible: PreprocessCandidate[];
}

/** A file that samples come from. */
export interface SampleFile {
  readonly name: string;
  /** What it is on the disk, whatever its names (Node). */
  readonly identity?: string;
}

/** What of the preprocessing nobody said, so that it was assumed. */
export type Assumption = 'normalization' | 'fit' | 'size' | 'channel order';

export interface SamplesAbout {
  /** What is done: "100 images, 224x224, RGB, (x - 127.5) / 127.5". */
  done: string;
  assumed: readonly Assumption[];
  /** What the model itself told about it. */
  found?: PreprocessFinding;
}

/**
 * Ranges by tensor: [lowest, highest], with Distribution [lowest, highest, standard deviation,
 * mean].
 */
export type TensorRanges = Record<string, [number, number] | [number, number, number, number]>;

/** By tensor: the lowest values of its channels, and the highest. */
export type RangesByChannel = Record<string, [number[], number[]]>;

/**
 * The magnitude that a BatchNormalization's parameters promise; see
 * src/calibration/expected_magnitude.h.
 */
export interface ExpectedMagnitude {
  tensor: string;
  largest: number;
}

/** What Session.inputFacts() returns; see src/calibration/input_facts.h. */
export interface InputFacts {
  /** x * scale + offset, of one value or of one a channel, by these nodes. */
  normalization: { scale: number[]; offset: number[]; opTypes: string[] } | null;
  /** What the first BatchNormalization kept of training, by channel of the tensor that it reads. */
  statistics: { tensor: string; mean: number[]; variance: number[] } | null;
  /** By channel, the biases in the first tensor that a Conv makes. */
  sums: { tensor: string; bias: number[] } | null;
}

/** Option values under the reference's names. */
export type OptionValues = Record<string, unknown>;
