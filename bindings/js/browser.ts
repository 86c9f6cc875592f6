// onnx-ptq in the browser: models and samples are Files, results are Blobs. Nothing in here or
// below imports from Node.

import type { ModelInput } from './base/bytes.js';
import type { PreprocessFinding } from './base/types.js';
import { type QdqConfigOptions, qdqConfigOn } from './config/qdq-config.js';
import { type QnnConfigOptions, qnnConfigOn } from './config/qnn-config.js';
import { type QuantizeOptions, runConfigOn } from './config/run-config.js';
import type { StaticQuantConfig } from './config/static-config.js';
import type { Diagnosis } from './diagnosis/report.js';
import type { Evaluation, ModelComparison } from './evaluation/report.js';
import { type CalibrateResult, calibrateOn } from './jobs/calibrate-model.js';
import { type CompareModelsOptions, compareModelsOn } from './jobs/compare-models.js';
import { type DiagnoseOptions, diagnoseOn } from './jobs/diagnose.js';
import { type EvaluateOptions, evaluateOn } from './jobs/evaluate.js';
import { type FindPreprocessOptions, findPreprocessOn } from './jobs/find-preprocess.js';
import { inspectOn, type ModelInspection } from './jobs/inspect-model.js';
import {
  type Activations,
  type CollectActivationsOptions,
  collectActivationsOn,
  createWeightMatchingOn,
  type WeightMatching,
  type WeightMatchingOptions,
} from './jobs/loss-debug.js';
import { type PreprocessResult, preprocessOn } from './jobs/preprocess-model.js';
import { type QuantizeResult, quantizeOn } from './jobs/quantize-static.js';
import type {
  CalibrateOptions,
  InspectOptions,
  PreprocessOptions,
  QuantizeStaticOptions,
} from './options/api.js';
import { browserPlatform, openInput } from './platform/browser.js';
import { Session } from './session/session.js';
import type { QuantizeSession, SessionOptions } from './session/types.js';

export { loadCore, setCoreModule } from './core/load.js';
export { type Version, version } from './core/version.js';
export { setRuntimePaths, setWebGpuRuntime } from './platform/browser.js';
export * from './public.js';
export { loadDecoders, setDecodePlatform } from './samples/images/decode.js';
export { browserDecodePlatform } from './samples/images/decode-browser.js';
export {
  findPreprocessInWorker,
  inspectInWorker,
  type QuantizeInWorkerOptions,
  quantizeInWorker,
  type WorkerHost,
} from './worker/client.js';
export type {
  CompiledModules,
  DatasetDescription,
  WorkerOptions,
  WorkerSampleChoice,
  WorkerSessionOptions,
} from './worker/protocol.js';
export {
  type OpenSessionInWorkerOptions,
  openSessionInWorker,
  type WorkerSession,
} from './worker/session-client.js';

/**
 * Static post-training quantization in the calling thread: for workers. In a page use
 * quantizeInWorker(), which leaves the page responsive. Parameters as in Node, but `modelInput` is
 * a File, a Blob or bytes.
 * @throws QuantizeError with a `code` (docs/errors.md); the signal's reason where the run was
 * aborted.
 */
export function quantizeStatic(options: QuantizeStaticOptions): Promise<QuantizeResult<Blob>> {
  return quantizeOn(browserPlatform, options);
}

/**
 * Tensor ranges by themselves: of all samples, or what a shard of them collects for mergeRanges().
 * @throws QuantizeError as quantizeStatic(); INVALID_CALIBRATION_STATE where `resume` belongs to
 * another run.
 */
export function calibrate(options: CalibrateOptions): Promise<CalibrateResult> {
  return calibrateOn(browserPlatform, options);
}

/**
 * What a model is and which of its nodes each format would quantize. For workers; in a page
 * inspectInWorker() says what a model is.
 */
export function inspectModel(
  model: ModelInput,
  options: InspectOptions = {},
): Promise<ModelInspection> {
  return inspectOn({ openInput }, model, options);
}

/**
 * How pictures have to be preprocessed, as far as the model itself tells. For workers; in a page
 * use findPreprocessInWorker().
 */
export function findPreprocess(options: FindPreprocessOptions): Promise<PreprocessFinding | null> {
  return findPreprocessOn(browserPlatform, options);
}

/**
 * Where a quantized model goes wrong: every layer beside the float model's, with all that was lost
 * on the way and by itself, and why, as far as that is told apart.
 * @throws QuantizeError as quantizeStatic()
 */
export function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  return diagnoseOn(browserPlatform, options);
}

/**
 * Two models on the same samples: signal to noise and cosine of each output, top-1 and top-5
 * agreement, latency of both, sizes.
 * @throws QuantizeError as quantizeStatic()
 */
export function compareModels(options: CompareModelsOptions): Promise<ModelComparison> {
  return compareModelsOn(browserPlatform, options);
}

/**
 * Models on samples with labels: top-1 and top-5 with their standard error, or mean average
 * precision of boxes.
 * @throws QuantizeError as quantizeStatic()
 */
export function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  return evaluateOn(browserPlatform, options);
}

/** The reference's `create_weight_matching`: each weight of both models. */
export function createWeightMatching(options: WeightMatchingOptions): Promise<WeightMatching> {
  return createWeightMatchingOn(browserPlatform, options);
}

/**
 * The reference's `modify_model_output_intermediate_tensors` and `collect_activations` in one:
 * every float tensor of every sample, all in memory. diagnose() needs no more for more samples.
 */
export function collectActivations(options: CollectActivationsOptions): Promise<Activations> {
  return collectActivationsOn(browserPlatform, options);
}

/** The float model as it is prepared for quantizing. */
export function quantPreProcess(options: PreprocessOptions): Promise<PreprocessResult<Blob>> {
  return preprocessOn(browserPlatform, options);
}

/**
 * A session: one model and its samples, from which results with any settings follow without
 * calibrating again (docs/session.md). For workers; in a page use
 * openSessionInWorker().
 * @throws QuantizeError as quantizeStatic()
 */
export function openSession(options: SessionOptions): Promise<QuantizeSession<Blob>> {
  return Session.open(browserPlatform, options);
}

/** Runs a configuration: the reference's `quantize`. */
export function quantize(options: QuantizeOptions): Promise<QuantizeResult<Blob>> {
  return runConfigOn(browserPlatform, options);
}

/**
 * A configuration that quantizes a whole model to QDQ: the reference's `get_qdq_config`, same
 * parameters and rules. No samples are needed; quantize() takes them.
 * @throws QuantizeError INVALID_OPTION where an option or a tensor override does not fit.
 */
export function getQdqConfig(options: QdqConfigOptions): Promise<StaticQuantConfig> {
  return qdqConfigOn(browserPlatform, options);
}

/**
 * A configuration for onnxruntime's QNN execution provider: the reference's `get_qnn_qdq_config`.
 * `initOverrides` may give a few tensors another type; what follows for the nodes around them is
 * added (`addQtypeConverts`).
 * @throws QuantizeError INVALID_OPTION where overrides contradict each other or do not fit the
 * model.
 */
export function getQnnQdqConfig(options: QnnConfigOptions): Promise<StaticQuantConfig> {
  return qnnConfigOn(browserPlatform, options);
}
