// What compareModels() and evaluate() return: plain data, the same in the API and in --json.

/** One model of a comparison or an evaluation. */
export interface MeasuredModel {
  /** Its path, or "model 1" where it was given as bytes. */
  model: string;
  /** With its data files. */
  bytes: number;
  /** Milliseconds of one run on the first sample: the median of runs that take turns. */
  latency: number;
}

/** One output of two models, over all samples. */
export interface OutputComparison {
  name: string;
  /** Samples in which both have the same shape and at least one value. */
  compared: number;
  /** Samples in which shapes differ. */
  otherShapes: number;
  /** Whether all values that were compared are equal. */
  exact: boolean;
  /** Whether the second model gave NaN or infinity where the first did not. */
  broken: boolean;
  /** dB, over all samples; null where it is exact, broken or no float. */
  sqnr: number | null;
  /** Of samples by themselves: the lowest, the mean and the highest, and the standard deviation. */
  spread: { lowest: number; mean: number; highest: number; deviation: number } | null;
  /** Cosine of the angle between all values of both; of float outputs. */
  cosine: number | null;
  /** Of other outputs: the share of values that differ. */
  different: number | null;
}

/** How often, and how far that may be from the truth by chance: one standard error. */
export interface Share {
  hits: number;
  of: number;
  share: number;
  standardError: number;
}

export interface ModelComparison {
  samples: number;
  /** One line about the samples. */
  description: string;
  /** The one that is compared with, and the other. */
  models: MeasuredModel[];
  /** Of the worst float output, in dB; null where there is none or all are exact. */
  sqnr: number | null;
  /** The lowest cosine of an output. */
  cosine: number | null;
  outputs: OutputComparison[];
  /** Where the first output is class scores: rows with the same top class. */
  top1: Share | null;
  /** Rows whose top class in the first model is among the five best of the second. */
  top5: Share | null;
}

export interface ClassificationResult {
  top1: Share;
  top5: Share;
}

export interface DetectionResult {
  /** Mean average precision over IoU 0.50 to 0.95 in steps of 0.05, as COCO has it; and at 0.50. */
  map: number;
  map50: number;
  images: number;
  boxes: number;
}

export interface Evaluation {
  samples: number;
  description: string;
  /** What labels were taken to be. */
  labels: string;
  models: (MeasuredModel & {
    classification: ClassificationResult | null;
    detection: DetectionResult | null;
  })[];
}
