// Messages between the page and the worker: plain data, so that a run is one message in and a few
// out.

import type { ModelInput } from '../base/bytes.js';
import type { ErrorData } from '../base/errors.js';
import type { Progress } from '../base/run.js';
import type { Diagnostic, ModelSummary, PreprocessFinding } from '../base/types.js';
import type { QuantizeResult } from '../jobs/quantize-static.js';
import type { ModelSource, QuantizeStaticOptions } from '../options/api.js';
import type { WorkerAlive } from '../platform/worker-life.js';
import type { PartialPreprocess } from '../samples/images/preprocess.js';
import type {
  RunnableResult,
  SessionCalibrateOptions,
  SessionOptions,
  SessionSettings,
  TensorHistogram,
} from '../session/types.js';

/** Samples as data: files of one kind or a zip of them (datasetReader's), and how they are read. */
export interface DatasetDescription {
  files: readonly File[];
  /** A preset's name, key=value pairs or an object; found by running the model where absent. */
  preprocess?: string | PartialPreprocess | undefined;
  /** What findPreprocessInWorker() found for these files: it is not looked for again. */
  preprocessFinding?: PreprocessFinding | undefined;
  /** Of the model, in Hz: what .wav files are resampled to. */
  sampleRate?: number | undefined;
  /** Reads at most this many samples, the first in order. */
  limit?: number | undefined;
}

/** Options of quantizeStatic that can be sent to a worker, with the samples as data. */
export type WorkerOptions = Omit<
  QuantizeStaticOptions,
  'calibrationDataReader' | 'signal' | 'onProgress' | 'onDiagnostic' | 'onCalibrationState'
> & { calibrateDataset?: DatasetDescription | undefined };

/** What findPreprocess is given, with the samples as data. */
export interface WorkerFindOptions extends ModelSource {
  calibrateDataset: DatasetDescription;
}

/** Options of openSession() that can be sent to a worker, with the samples as data. */
export type WorkerSessionOptions = Omit<SessionOptions, 'calibrationDataReader'> & {
  calibrateDataset?: DatasetDescription | null | undefined;
};

/** Which sample, as data: one of those kept aside, or the first of some files. */
export type WorkerSampleChoice = { heldOut: number } | { dataset: DatasetDescription };

/** What a session is asked, by the names of QuantizeSession. `id` numbers the calls. */
export type SessionRequest = { kind: 'call'; id: number } & (
  | { method: 'setSamples'; dataset: DatasetDescription | null; holdOut?: number | undefined }
  | { method: 'graph' }
  | { method: 'plan'; settings: SessionSettings }
  | {
      method: 'calibrate';
      settings: SessionSettings;
      methods?: SessionCalibrateOptions['methods'];
      histograms: boolean;
    }
  | { method: 'quantize'; settings: SessionSettings; quick?: boolean | undefined }
  | { method: 'verify'; result: RunnableResult<Blob> }
  | { method: 'compare'; result: RunnableResult<Blob>; sample: WorkerSampleChoice }
  | {
      method: 'diagnose';
      result: RunnableResult<Blob>;
      samples?: number | undefined;
      aloneSamples?: number | undefined;
    }
  | { method: 'channels'; result: RunnableResult<Blob>; node: string }
  | { method: 'observe'; tensor: string; settings: SessionSettings }
  | { method: 'latency'; result: RunnableResult<Blob>; runs?: number | undefined }
  | { method: 'sha256'; data: Uint8Array | Blob }
);

/** Stops one call. */
export interface SessionCancel {
  kind: 'cancel-call';
  id: number;
}

export type SessionResponse = { kind: 'session'; id: number } & (
  | { event: 'progress'; progress: Progress }
  | { event: 'diagnostic'; diagnostic: Diagnostic }
  | { event: 'histograms'; histograms: TensorHistogram[] }
  | { event: 'result'; result: unknown }
  | { event: 'error'; error: ErrorData }
  /** The call was cancelled. */
  | { event: 'aborted' }
);

/** Wasm files that the page compiled ahead: workers then start faster and need no network. */
export interface CompiledModules {
  /** dist/wasm/ptq_core.wasm */
  core?: WebAssembly.Module;
  /** @jsquash/jpeg/codec/dec/mozjpeg_dec.wasm */
  jpegDecoder?: WebAssembly.Module;
}

export type WorkerRequest = {
  /** See setRuntimePaths() in browser.ts; URLs must be absolute. */
  runtimePaths?: string | Record<string, string> | undefined;
  modules?: CompiledModules | undefined;
  /** See platform/worker-life.ts. */
  life?: string | undefined;
} & (
  | { kind: 'quantize'; options: WorkerOptions }
  | { kind: 'inspect'; model: ModelInput }
  | { kind: 'find-preprocess'; options: WorkerFindOptions }
  | { kind: 'open-session'; options: WorkerSessionOptions }
);

/** Stops the run of the request before. */
export interface WorkerCancel {
  kind: 'cancel';
}

export type WorkerResponse =
  | WorkerAlive
  | { kind: 'progress'; progress: Progress }
  | { kind: 'diagnostic'; diagnostic: Diagnostic }
  | { kind: 'samples'; description: string }
  /** Of a calibration that was cancelled. */
  | { kind: 'state'; state: string }
  | { kind: 'result'; result: QuantizeResult<Blob> | ModelSummary | PreprocessFinding | null }
  | { kind: 'error'; error: ErrorData };
