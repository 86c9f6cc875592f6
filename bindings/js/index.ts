// onnx-ptq in Node: models and samples by path or in memory.
import { setDecodePlatform } from './decode/decode.js';
import { nodeDecodePlatform } from './decode/node.js';
import { inspectOn } from './inspect-model.js';
import type { PreprocessOptions, QuantizeStaticOptions } from './options.js';
import { type NodeModel, nodePlatform } from './platform/node.js';
import type { ModelInput } from './platform/platform.js';
import { type PreprocessResult, preprocessOn } from './preprocess-model.js';
import { type QuantizeResult, quantizeOn } from './quantize-static.js';
import { setFileLister } from './readers/files.js';
import { listNodeFiles } from './readers/node-files.js';
import type { ModelSummary } from './types.js';

export type { NodeModel } from './platform/node.js';
export * from './public.js';

// What browsers have by themselves.
setFileLister(listNodeFiles);
setDecodePlatform(nodeDecodePlatform);

/**
 * Static post-training quantization: the reference's `quantize_static`, same parameters in camelCase, same meaning.
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
 * `model` of the result is the path, where `modelOutput` is given, else the bytes. The file appears only when it is
 * complete and onnxruntime has loaded it.
 * @throws QuantizeError with a `code` (docs/errors.md); the signal's reason where the run was aborted.
 */
export function quantizeStatic(options: QuantizeStaticOptions): Promise<QuantizeResult<NodeModel>> {
  return quantizeOn(nodePlatform, options);
}

/** What a model is: inputs, outputs, opset, operators. Reads the graph, not the weights. */
export function inspectModel(model: ModelInput): Promise<ModelSummary> {
  return inspectOn(nodePlatform, model);
}

/** Writes the float model as it is prepared for quantizing: constants folded, BatchNormalization folded, opset ≥ 13. */
export function preprocessModel(options: PreprocessOptions): Promise<PreprocessResult<NodeModel>> {
  return preprocessOn(nodePlatform, options);
}
