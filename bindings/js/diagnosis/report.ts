// What a diagnosis says: plain data, the same in the API, in --json and on the page.

/** Why a quantized tensor or layer is far from the float one. */
export type CauseCode =
  /** One scale for channels of which some are far larger than the others. */
  | 'CHANNELS_UNDER_ONE_SCALE'
  /** A few values are far from all others, and the range holds them. */
  | 'RANGE_OF_FEW_VALUES'
  /** The same, where it is a constant that stands for minus infinity. */
  | 'RANGE_OF_MASK'
  /** A logarithm, a root or a power makes much of small values, which rounding takes away. */
  | 'FRONT_END'
  /** Tensors of unlike ranges meet in one Concat or Add. */
  | 'UNLIKE_RANGES'
  /** Rounding moves the mean of channels. */
  | 'SHIFTED_MEAN'
  /** Values beyond the range are clipped. */
  | 'CLIPPED_TAILS'
  /** Sums of products of 8 bits that x64 processors without VNNI cut off. */
  | 'SATURATION';

export interface Cause {
  code: CauseCode;
  /** The tensor that shows it, as the float model names it. */
  tensor: string;
  /** For people: what was seen. */
  text: string;
  /** For people: what helps. */
  remedy: string;
}

/** One node of the quantized model that computes, and what is wrong with what it makes. */
export interface LayerDiagnosis {
  node: string;
  opType: string;
  /** What it makes, by its name in the float model. */
  tensor: string;
  /** Whether it or what it reads or makes is quantized. */
  isQuantized: boolean;
  /** Values of the tensor in one sample, and bytes of the quantized weights that the node reads. */
  elements: number;
  weightBytes: number;
  /**
   * Signal to noise in dB at this tensor, of the whole quantized model: what was lost on the way to
   * here. null where it was not measured.
   */
  accumulated: number | null;
  /** The same where this layer alone is quantized and reads what the float model makes. */
  own: number | null;
  /** The same layer alone, seen at the model's worst output. */
  alone: number | null;
  /** Of the layer's own noise, the share that is a shift of the mean of channels, 0…1. */
  meanShift: number | null;
  /** Whether the layer adds at least as much noise as reaches it. */
  enters: boolean;
  /** null where the layer does little harm, or does it without a cause that is told apart. */
  cause: Cause | null;
}

/** One quantized activation or weight. */
export interface TensorDiagnosis {
  tensor: string;
  kind: 'activation' | 'weight';
  quantType: string;
  /** Of the first channel where there are several. */
  scale: number;
  zeroPoint: number;
  channels: number;
  /** dB at this tensor in the quantized model; of activations (the reference's xmodel_err). */
  accumulated: number | null;
  /**
   * dB that rounding and clipping to its type alone leaves of the float model's values; null where
   * the float model has none of that name.
   */
  alone: number | null;
  /** The same of the values that the quantized model has before; with QDQ (its qdq_err). */
  rounding: number | null;
  /** What was observed in the float model, and the ends of the quantized range. */
  observed: [lowest: number, highest: number] | null;
  range: [lowest: number, highest: number];
  /** Share of values beyond the range. */
  clipped: number | null;
}

/** What diagnose() returns. */
export interface Diagnosis {
  /** Samples that went through both models, and those that single layers were asked with. */
  samples: number;
  aloneSamples: number;
  format: 'QDQ' | 'QOperator' | 'float';
  /** Of the worst output, in dB; null where none is float, or all are exact. */
  sqnr: number | null;
  outputs: { name: string; sqnr: number | null }[];
  /** In graph order. */
  layers: LayerDiagnosis[];
  tensors: TensorDiagnosis[];
  /** Layers with a cause, the one that does most harm first. */
  worst: { node: string; tensor: string; share: number; cause: Cause }[];
  /**
   * Where the result depends on the processor: dB between outputs with exact integers and as this
   * one computes them. null where they are the same, or another runtime ran.
   */
  saturation: number | null;
  /** Batches of tensors that the memory budget allowed for, and the largest in bytes. */
  batches: number;
  batchBytes: number;
}
