// What the core tells of a quantized model, and parts of a model that are run by themselves.

/** A tensor that a quantized model holds as integers; see src/quantization/quantized_tensors.h. */
export interface QuantizedTensor {
  name: string;
  /** '' where there is none. */
  before: string;
  quantized: string;
  after: string;
  constant: boolean;
  type: string;
  scales: number[];
  scaleDims: number[];
  zeroPoints: number[];
  axis: number;
}

/** See src/calibration/probe_model.h. */
export interface ProbeRequest {
  outputs: { tensor: string; after: boolean }[];
  fed?: string[];
  added?: string[];
  sizes?: boolean;
}

export interface ProbeModel {
  outputs: string[];
  files: string[];
  /** Of the model as given that are still read. */
  inputs: string[];
  /** The inputs for what was asked for; '' where nothing reads it. */
  fed: string[];
  added: string[];
}
