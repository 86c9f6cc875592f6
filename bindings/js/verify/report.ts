// The report of a run: plain data, the same in the API, in --json and on the page.

import type { Stage } from '../base/run.js';
import type {
  Assumption,
  Diagnostic,
  OptionValues,
  PreprocessFinding,
  QuantizeReport,
  Repairs,
  TensorRanges,
} from '../base/types.js';

/** How close one output of the quantized model is to the float model's. */
export interface OutputQuality {
  name: string;
  /** Samples whose values were compared: those in which both models give the same shape. */
  compared: number;
  /** Whether every value that was compared is the same. */
  exact: boolean;
  /** Of float outputs: the quantized model gave NaN or infinity where the float model did not. */
  broken: boolean;
  /**
   * Of float outputs: signal to quantization noise in dB, 20 · log10(‖float‖ / ‖float − quantized‖)
   * over all samples. null where nothing was compared, and where it is exact or broken.
   */
  sqnr: number | null;
  /** The lowest and the highest of the same for a sample by itself. */
  spread: [lowest: number, highest: number] | null;
  /** Of other outputs (integers, truth values, strings): the share of values that differ. */
  different: number | null;
  /**
   * Where shapes differ, as they may in an output whose size depends on the data: in how many
   * samples, and the number of values in the first of them.
   */
  sizes: { samples: number; float: number; quantized: number } | null;
}

export interface QualityReport {
  /** Samples that went through both models; 0 where there were none (ranges from a cache). */
  samples: number;
  /** Whether these were held out of calibration. */
  heldOut: boolean;
  /**
   * Whether onnxruntime loaded the result; false only where it can't load the float model either.
   */
  loaded: boolean;
  /** That of the worst float output. null where none was measured, and where it is broken. */
  sqnr: number | null;
  /** Every output that was compared, in the model's order. */
  outputs: OutputQuality[];
  /**
   * Where the first output is class scores: how many rows have the same top class in both models.
   */
  top1: { output: string; agree: number; of: number } | null;
  /**
   * Milliseconds that one run takes here: medians of a few. null where nothing was run. Of the
   * result with exact integers, which take longer on x64 processors without VNNI.
   */
  latency: { float: number; quantized: number } | null;
}

/** What was done for a result; the same can be done again: see effort/recipe.ts. */
export interface Recipe {
  /** The version of this form. */
  recipe: number;
  repairs: Repairs;
  /** How it came to them, beginning with the plain result, each with what it gained. */
  steps: Pick<Tried, 'repairs' | 'sqnr'>[];
  /** What the nodes that stay float lose by 8 bits. */
  losses: PartLoss[];
}

/** A part of the model, and what it loses when nothing else is quantized. */
export interface PartLoss {
  nodes: string[];
  /** Power of noise to power of signal at the outputs. */
  noise: number;
}

interface Tried {
  repairs: Repairs;
  /** On the samples that decide, in dB; null where onnxruntime could not run the candidate. */
  sqnr: number | null;
  accepted: boolean;
}

/** Which repairs were tried on held-out samples, and which the result has. */
export interface EffortReport {
  /** The option effort; "recipe" where one was carried out. */
  level: string;
  /** Samples that were held out of calibration to decide with. */
  held: number;
  /** Further ones, which checked the result in the end. */
  checked: number;
  repairs: Repairs;
  /** In order, beginning with the plain result. */
  tried: Tried[];
  /** What was found to lose most: every part that was asked about, in the order of the model. */
  losses: PartLoss[];
  /** What was done, to be done again. */
  recipe: Recipe;
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
  weights: QuantizeReport['weights'];
  tensors: QuantizeReport['tensors'];
  calibration: {
    source: 'data' | 'cache';
    samples: number;
    /** One line about the samples, such as how images were preprocessed. */
    description: string;
    /** The same in parts: what was done, and what of it was assumed. */
    done: string;
    assumed: readonly Assumption[];
    /** What the model itself told about the preprocessing of pictures. */
    found?: PreprocessFinding;
  };
  /** Calibrated range of each tensor: [lowest, highest]. */
  ranges: TensorRanges;
  /**
   * Text of a calibration cache with these ranges, for calibrationCache of another run; not in
   * --json.
   */
  calibrationCache: string;
  quality: QualityReport;
  /** null with effort none. */
  effort: EffortReport | null;
  /** Milliseconds by stage. */
  timings: Partial<Record<Stage, number>> & { total: number };
  diagnostics: Diagnostic[];
}
