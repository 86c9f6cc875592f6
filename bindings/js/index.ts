// onnx-ptq in Node: models and samples by path or in memory.
import './set-up-node.js';

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
import { type NodeModel, nodePlatform } from './platform/node.js';
import { Session } from './session/session.js';
import type { QuantizeSession, SessionOptions } from './session/types.js';

export { type Version, version } from './core/version.js';
export type { NodeModel } from './platform/node.js';
export * from './public.js';

/**
 * Static post-training quantization: the reference's `quantize_static`, same parameters in
 * camelCase, same meaning.
 *
 * @example
 * const { report } = await quantizeStatic({
 *   modelInput: 'model.onnx',
 *   modelOutput: 'model.quant.onnx',
 *   calibrationDataReader: datasetReader('images/', { preprocess: 'imagenet' }),
 *   perChannel: true,
 *   weightType: 'QInt8',
 * });
 *
 * `model` of the result is the path, where `modelOutput` is given, else the bytes. The file appears
 * only when it is complete and onnxruntime has loaded it.
 * @throws QuantizeError with a `code` (docs/errors.md); the signal's reason where the run was
 * aborted.
 */
export function quantizeStatic(options: QuantizeStaticOptions): Promise<QuantizeResult<NodeModel>> {
  return quantizeOn(nodePlatform, options);
}

/**
 * Tensor ranges by themselves: of all samples, or what a shard of them collects for mergeRanges().
 * @throws QuantizeError as quantizeStatic(); INVALID_CALIBRATION_STATE where `resume` belongs to
 * another run.
 */
export function calibrate(options: CalibrateOptions): Promise<CalibrateResult> {
  return calibrateOn(nodePlatform, options);
}

/**
 * What a model is (inputs, outputs, opset, operators, weights, memory) and which of its nodes each
 * format would quantize, with the reasons for the others. Nothing is run and nothing written; data
 * files need not be there.
 */
export function inspectModel(
  model: ModelInput,
  options: InspectOptions = {},
): Promise<ModelInspection> {
  return inspectOn(nodePlatform, model, options);
}

/**
 * How pictures have to be preprocessed, as far as the model itself tells: it is run on a few of
 * them under each usual normalization. null where nothing is open. quantizeStatic() and calibrate()
 * do the same where nobody says it.
 * @throws QuantizeError as quantizeStatic()
 */
export function findPreprocess(options: FindPreprocessOptions): Promise<PreprocessFinding | null> {
  return findPreprocessOn(nodePlatform, options);
}

/**
 * Where a quantized model goes wrong: every layer beside the float model's, with all that was lost
 * on the way and by itself, and why, as far as that is told apart.
 * @throws QuantizeError as quantizeStatic()
 */
export function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  return diagnoseOn(nodePlatform, options);
}

/**
 * Two models on the same samples: signal to noise and cosine of each output, top-1 and top-5
 * agreement, latency of both, sizes.
 * @throws QuantizeError as quantizeStatic()
 */
export function compareModels(options: CompareModelsOptions): Promise<ModelComparison> {
  return compareModelsOn(nodePlatform, options);
}

/**
 * Models on samples with labels: top-1 and top-5 with their standard error, or mean average
 * precision of boxes.
 * @throws QuantizeError as quantizeStatic()
 */
export function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  return evaluateOn(nodePlatform, options);
}

/** The reference's `create_weight_matching`: each weight of both models. */
export function createWeightMatching(options: WeightMatchingOptions): Promise<WeightMatching> {
  return createWeightMatchingOn(nodePlatform, options);
}

/**
 * The reference's `modify_model_output_intermediate_tensors` and `collect_activations` in one:
 * every float tensor of every sample, all in memory. diagnose() needs no more for more samples.
 */
export function collectActivations(options: CollectActivationsOptions): Promise<Activations> {
  return collectActivationsOn(nodePlatform, options);
}

/**
 * The reference's `quant_pre_process`: writes the float model as it is prepared for quantizing:
 * constants folded, BatchNormalization
 * folded, opset ≥ 13.
 */
export function quantPreProcess(options: PreprocessOptions): Promise<PreprocessResult<NodeModel>> {
  return preprocessOn(nodePlatform, options);
}

/**
 * A session: one model and its samples, from which results with any settings follow without
 * calibrating again (docs/session.md).
 * @throws QuantizeError as quantizeStatic()
 */
export function openSession(options: SessionOptions): Promise<QuantizeSession<NodeModel>> {
  return Session.open(nodePlatform, options);
}

/** Runs a configuration: the reference's `quantize`. */
export function quantize(options: QuantizeOptions): Promise<QuantizeResult<NodeModel>> {
  return runConfigOn(nodePlatform, options);
}

/**
 * A configuration that quantizes a whole model to QDQ: the reference's `get_qdq_config`, same
 * parameters and rules. No samples are needed; quantize() takes them.
 * @throws QuantizeError INVALID_OPTION where an option or a tensor override does not fit.
 */
export function getQdqConfig(options: QdqConfigOptions): Promise<StaticQuantConfig> {
  return qdqConfigOn(nodePlatform, options);
}

/**
 * A configuration for onnxruntime's QNN execution provider: the reference's `get_qnn_qdq_config`.
 * `initOverrides` may give a few tensors another type; what follows for the nodes around them is
 * added (`addQtypeConverts`).
 * @throws QuantizeError INVALID_OPTION where overrides contradict each other or do not fit the
 * model.
 */
export function getQnnQdqConfig(options: QnnConfigOptions): Promise<StaticQuantConfig> {
  return qnnConfigOn(nodePlatform, options);
}
