// What both entries (index.ts, browser.ts) export: types, errors and the pieces without a platform.

export type { CalibrateResult } from './calibrate-model.js';
export { type MergedRanges, mergeRanges } from './calibration/merge-states.js';
export type { NodePredicate, QdqConfigOptions } from './config/qdq-config.js';
export type { QnnConfigOptions } from './config/qnn-config.js';
export type { QuantConfig, QuantizeOptions } from './config/run-config.js';
export type { StaticQuantConfig } from './config/static-config.js';
export { QuantizeError } from './errors.js';
export { guessPreprocess } from './guess-preprocess.js';
export type {
  CalibrateOptions,
  PreprocessOptions,
  Progress,
  QuantizeStaticOptions,
  RunOptions,
  Stage,
} from './options.js';
export type { ExternalData, ModelInput } from './platform/platform.js';
export { type PreprocessSpec, parsePreprocess, preprocessPresets } from './preprocess.js';
export type { PreprocessReport, PreprocessResult } from './preprocess-model.js';
export { type Profile, type ProfileName, profileNames, profiles } from './profiles.js';
export type { CalibrationMethod, QuantFormat, QuantType } from './quant-types.js';
export type { QuantizeResult } from './quantize-static.js';
export type { FileReaderOptions } from './readers/file-source.js';
export { type DatasetReaderOptions, datasetReader } from './readers/folder.js';
export { type ImageReaderOptions, imageReader } from './readers/images.js';
export { npyReader } from './readers/npy-reader.js';
export { type NpzReaderOptions, npzReader } from './readers/npz.js';
export { pbReader } from './readers/pb.js';
export { rawReader } from './readers/raw.js';
export { type WavReaderOptions, wavReader } from './readers/wav.js';
export type { QualityReport, QuantizationReport } from './report.js';
export type { SampleInput } from './samples.js';
export {
  type ExtraOptionSpec,
  type ExtraOptions,
  extraOptions,
  type OptionSpec,
  qdqConfigOptions,
  qnnConfigOptions,
  quantizeStaticOptions,
} from './schema.js';
export type { TensorQuantOverride, TensorQuantOverrides } from './tensor-quant-overrides.js';
export type * from './types.js';
