// A session: one model, opened once, and samples, calibrated once, from which any number of results
// with other settings are made, compared and diagnosed. The same interface in the calling thread
// (session.ts) and in a worker (worker/session-client.ts). docs/session.md explains it by examples.

import type { ErrorData } from '../base/errors.js';
import type { RunOptions } from '../base/run.js';
import type {
  Diagnostic,
  Feeds,
  FloatReason,
  GraphNode,
  ModelSummary,
  PreprocessFinding,
  QuantizeReport,
} from '../base/types.js';
import type { Diagnosis } from '../diagnosis/report.js';
import type { WeightChannels } from '../diagnosis/weight-channels.js';
import type { QuantizeResult } from '../jobs/quantize-static.js';
import type { ModelSource } from '../options/api.js';
import type { CalibrationMethod } from '../options/quant-types.js';
import type { quantizeStaticOptions } from '../options/quantize-static.js';
import type { ParametersOf } from '../options/spec.js';
import type { RuntimeKind } from '../platform/platform.js';
import type { SampleInput } from '../samples/samples.js';
import type { OutputQuality, QualityReport } from '../verify/report.js';

/** What stays the same for the life of a session; samples may be replaced by setSamples(). */
export interface SessionOptions extends ModelSource {
  /** As of quantizeStatic(); may be given later. */
  calibrationDataReader?: SampleInput | null | undefined;
  /** At most so many samples are kept aside from calibration, and no more than a third; 16. */
  holdOut?: number | undefined;
  /** Which onnxruntime runs the models; absent: the fastest that is there. */
  runtime?: RuntimeKind | undefined;
  /** As the options of quantizeStatic(). */
  workers?: number | undefined;
  memoryBudget?: number | undefined;
  strict?: boolean | undefined;
}

/** Parameters that are the session's own, or that only a run by itself has. */
type NotSettings =
  | 'calibrationCachePath'
  | 'calibrationProviders'
  | 'dumpPasses'
  | 'holdOut'
  | 'memoryBudget'
  | 'runtime'
  | 'strict'
  | 'workers';

/** How a result is quantized: the parameters of quantizeStatic(), and what it is called. */
export interface SessionSettings
  extends Omit<ParametersOf<typeof quantizeStaticOptions>, NotSettings> {
  /** What the data file of the result is named after. */
  name?: string | undefined;
  /**
   * Ranges to use in place of calibrated ones: the text of a calibration cache. No samples are
   * needed then.
   */
  calibrationCache?: string | undefined;
}

/** Something that stands in the way: a QuantizeError as data. */
export type Blocker = ErrorData;

/** What must be collected from the samples before quantize() can go on without it. */
export interface CalibrationNeed {
  /** Passes over the samples. */
  passes: number;
  /**
   * NO_SAMPLES: none are given. FIRST: nothing was collected yet. METHOD: the method needs
   * statistics that no other has needed until now. PREPARED: the float model is prepared
   * differently, so its tensors are others. SETTINGS: of what the statistics themselves depend on
   * (`names`).
   */
  why: 'NO_SAMPLES' | 'FIRST' | 'METHOD' | 'PREPARED' | 'SETTINGS';
  /** The settings that are to blame, under the reference's names. */
  names: string[];
  /** Samples that were collected of it before it was cancelled. */
  done: number;
}

/** Nodes that stay float for the same reason; its words are those of the first of them. */
export interface FloatGroup extends FloatReason {
  nodes: string[];
  opTypes: Record<string, number>;
}

/** What quantize() would do with these settings. */
export interface SessionPlan {
  nodesQuantized: QuantizeReport['nodesQuantized'];
  nodesLeftFloat: QuantizeReport['nodesLeftFloat'];
  /** The latter by reason, the most frequent first. */
  leftFloat: FloatGroup[];
  /**
   * Nodes of the model that preparing takes away: folded into others, evaluated, without effect.
   */
  nodesFolded: number;
  /** Bytes of weights: of the model as given, and what becomes of them. */
  weights: {
    given: number;
    /** Of those that become integers: before and after. */
    quantized: number;
    quantizedAfter: number;
    /** Folded into others, or needless. */
    folded: number;
    float: number;
    left: QuantizeReport['weights']['left'];
  };
  bytesBefore: number;
  /** Of the result, estimated. */
  bytesAfter: number;
  /** Bytes that calibrating takes, at most, roughly; the model itself included. */
  memory: number;
  opsetBefore: number;
  opsetAfter: number;
  /**
   * Whether it was made with calibrated ranges; else nodes whose range matters may still differ.
   */
  isExact: boolean;
  /** null: nothing has to be collected. */
  calibration: CalibrationNeed | null;
  /** What keeps quantize() from being done at all. */
  blockers: Blocker[];
  diagnostics: Diagnostic[];
}

/** 64 bins over what one tensor held until now. */
export interface TensorHistogram {
  tensor: string;
  lowest: number;
  highest: number;
  counts: number[];
  /** What the method would clip to now; the ends of all values where it clips nothing. */
  clip: [lowest: number, highest: number];
}

export interface SessionCalibrateOptions extends RunOptions {
  /**
   * Further methods whose statistics are collected; 'all': so that no method needs the samples
   * again.
   */
  methods?: readonly CalibrationMethod[] | 'all' | undefined;
  /** A few tensors, at most four times a second. */
  onHistograms?: ((histograms: TensorHistogram[]) => void) | undefined;
}

/** One tensor of the float model, on a few of the samples. */
export interface TensorObservation {
  tensor: string;
  samples: number;
  lowest: number;
  highest: number;
  /** Of 128 equal bins between them. */
  counts: number[];
  /** What each calibration method makes of these samples. */
  ranges: Partial<Record<CalibrationMethod, [lowest: number, highest: number]>>;
}

export interface SessionQuantizeOptions extends RunOptions {
  /**
   * Compares on 8 of the samples that were held out (on a slow machine on 4 or more, as many as it
   * runs in 0.4 s), measures no time and looks for no causes; verify(), latency() and diagnose() do
   * so when they are asked.
   */
  quick?: boolean | undefined;
}

export interface SessionDiagnoseOptions extends RunOptions {
  /** As of diagnose(): how many samples at most, those that were held out first. */
  samples?: number | undefined;
  aloneSamples?: number | undefined;
}

export interface CalibrationSummary {
  /** Samples that ranges are made from, and those that were kept aside. */
  samples: number;
  heldOut: number;
  /** One line about them. */
  description: string;
  /** What the model itself told about the preprocessing of pictures. */
  found?: PreprocessFinding;
  /** Methods that need the samples no more, with the other settings as they are. */
  methods: CalibrationMethod[];
  diagnostics: Diagnostic[];
}

export interface SessionResult<Model> extends QuantizeResult<Model> {
  /** Of the model file, in hexadecimal. */
  sha256: string;
}

/** A result to run: what quantize() gave, or one that was kept from it. */
export type RunnableResult<Model> = Pick<QuantizeResult<Model>, 'model' | 'externalData'> & {
  /** Where it is given, the loaded model is kept for the next call. */
  sha256?: string | undefined;
};

/** An output of both models. */
export interface ComparedOutput {
  name: string;
  dims: number[];
  /** float16 as float32, 64-bit integers as numbers. */
  float: Float32Array;
  quantized: Float32Array;
}

/** One sample through the float and the quantized model. */
export interface Comparison {
  /** The file that it comes from, where it comes from one. */
  file: string | null;
  /** What both models were given. */
  feeds: Feeds;
  outputs: ComparedOutput[];
  quality: OutputQuality[];
}

/** Which sample: one of those kept aside, by number, or the first that a reader gives. */
export type SampleChoice = { heldOut: number } | { reader: SampleInput };

export interface Latency {
  /** Median of the runs, in milliseconds. */
  float: number;
  quantized: number;
  runs: number;
  runtime: RuntimeKind;
}

/**
 * Every call may be cancelled by its signal, and nothing that was collected or made before is lost
 * by it, or by an error. What makes results waits for each other; plan(), compare(), channels() and
 * diagnose() do not wait for it, nor it for them.
 * @throws QuantizeError as quantizeStatic()
 */
export interface QuantizeSession<Model> {
  readonly model: ModelSummary;
  /** The nodes of the model as it was given, in its order, for drawings. */
  graph(): Promise<GraphNode[]>;
  /** Other samples, or others ways to read them: what was collected of the former is forgotten. */
  setSamples(reader: SampleInput | null, options?: { holdOut?: number | undefined }): Promise<void>;
  plan(settings?: SessionSettings): Promise<SessionPlan>;
  /** Collects what `settings` need and is not there yet. */
  calibrate(
    settings?: SessionSettings,
    options?: SessionCalibrateOptions,
  ): Promise<CalibrationSummary>;
  /**
   * The same bytes as quantizeStatic() with the same settings and holdOut. Calibrates where plan()
   * says that it must.
   */
  quantize(
    settings?: SessionSettings,
    options?: SessionQuantizeOptions,
  ): Promise<SessionResult<Model>>;
  /** Compares a result with the float model on all samples that were held out. */
  verify(result: RunnableResult<Model>, options?: RunOptions): Promise<QualityReport>;
  /** Runs one sample through the float model and a result. */
  compare(result: RunnableResult<Model>, sample: SampleChoice): Promise<Comparison>;
  /** Where a result goes wrong and why: as diagnose(). */
  diagnose(result: RunnableResult<Model>, options?: SessionDiagnoseOptions): Promise<Diagnosis>;
  /** Of the quantized weight of a node of a result; null where it reads none. */
  channels(result: RunnableResult<Model>, node: string): Promise<WeightChannels | null>;
  /** What a tensor that is calibrated holds, and the range of each method. */
  observe(tensor: string, settings?: SessionSettings): Promise<TensorObservation>;
  latency(
    result: RunnableResult<Model>,
    options?: { runs?: number | undefined; signal?: AbortSignal | undefined },
  ): Promise<Latency>;
  /** Of a file, in hexadecimal. */
  sha256(data: Model | Uint8Array | Blob): Promise<string>;
  dispose(): void;
}
