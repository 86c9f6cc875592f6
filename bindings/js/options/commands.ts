// The commands and the options of each.
import { calibrateOptions, mergeRangesOptions } from './calibrate.js';
import { carriedOptions, qdqConfigOptions, qnnConfigOptions } from './configs.js';
import { inspectOptions } from './inspect.js';
import { compareOptions, debugOptions, evaluateOptions } from './measuring.js';
import { preprocessOptions } from './preprocess.js';
import { quantizeStaticOptions } from './quantize-static.js';
import type { OptionSpec } from './spec.js';

/** The options of each command that is carried out. */
export const commandTables = {
  quantize_static: quantizeStaticOptions,
  calibrate: calibrateOptions,
  merge_ranges: mergeRangesOptions,
  preprocess: preprocessOptions,
  inspect: inspectOptions,
  debug: debugOptions,
  compare: compareOptions,
  evaluate: evaluateOptions,
  get_qdq_config: [...qdqConfigOptions, ...carriedOptions],
  get_qnn_qdq_config: [...qnnConfigOptions, ...carriedOptions],
} as const satisfies Readonly<Record<string, readonly OptionSpec[]>>;

/** The options that words without a flag are for, in order; the last may take several. */
export const commandWords: Partial<Record<keyof typeof commandTables, readonly string[]>> = {
  debug: ['model_input', 'quantized_model'],
  compare: ['model_a', 'model_b'],
  evaluate: ['models'],
};

export type Command = keyof typeof commandTables;

/** All commands; those without a table end with exit code 2 and "not available yet". */
export const commands: Readonly<Record<string, string>> = {
  quantize_static: 'quantize weights and activations, calibrated with samples (the default)',
  calibrate: 'write tensor ranges only, of all samples or of a shard of them',
  merge_ranges: 'put the calibration states of shards together',
  preprocess: 'write the float model as it is prepared for quantizing',
  inspect: 'say what a model is and which of its nodes would be quantized, before any work',
  debug: 'say where a quantized model goes wrong, layer by layer, and why',
  compare: 'say how far the outputs of two models are apart, and how fast both are',
  evaluate: 'say how often models are right, on samples with labels',
  quantize_dynamic: 'quantize without calibration',
  qnn_preprocess_model: 'prepare a model for QNN',
  get_qdq_config: 'write a configuration that quantizes a whole model to QDQ',
  get_qnn_qdq_config: 'write a configuration that suits the QNN execution provider',
  quantize_matmul_nbits: 'quantize MatMul weights to 2, 4 or 8 bits',
  quantize_matmul_bnb4: 'quantize MatMul weights to FP4 or NF4',
};
