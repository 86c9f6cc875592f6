// The report of a run: plain data, the same in the API, in --json and on the page.

import type { Stage } from '../base/run.js';
import type { Diagnostic, OptionValues, QuantizeReport, TensorRanges } from '../base/types.js';

export interface QualityReport {
  /** Samples that went through both models; 0 where there were none (ranges from a cache). */
  samples: number;
  /**
   * Whether onnxruntime loaded the result; false only where it can't load the float model either.
   */
  loaded: boolean;
  /**
   * Signal to quantization noise of all float outputs together, in dB: 20 · log10(‖float‖ / ‖float
   * − quantized‖). null where nothing was compared or where the quantized model gave NaN or
   * infinity.
   */
  sqnr: number | null;
  /** The same by output. */
  outputs: { name: string; sqnr: number | null }[];
  /**
   * Where an output looks like class scores: how many rows have the same top class in both models.
   */
  top1: { output: string; agree: number; of: number } | null;
}

export interface QuantizationReport {
  /** Name of the model that was read. */
  modelInput: string;
  /** Where the result was written; null where it was returned. */
  modelOutput: string | null;
  /** Model and external data, in bytes. */
  bytesBefore: number;
  bytesAfter: number;
  opsetBefore: number;
  opsetAfter: number;
  /** Every option with its value, under the reference's names. */
  options: OptionValues;
  /** What optimize_model and the preparation did: pass and number of places. */
  passes: { name: string; changes: number }[];
  nodesQuantized: QuantizeReport['nodesQuantized'];
  nodesLeftFloat: QuantizeReport['nodesLeftFloat'];
  tensors: QuantizeReport['tensors'];
  calibration: {
    source: 'data' | 'cache';
    samples: number;
    /** One line about the samples, such as how images were preprocessed. */
    description: string;
    /** The same without what was assumed. */
    summary: string;
  };
  /** Calibrated range of each tensor: [lowest, highest]. */
  ranges: TensorRanges;
  /**
   * Text of a calibration cache with these ranges, for calibrationCache of another run; not in
   * --json.
   */
  calibrationCache: string;
  quality: QualityReport;
  /** Milliseconds by stage. */
  timings: Partial<Record<Stage, number>> & { total: number };
  diagnostics: Diagnostic[];
}
