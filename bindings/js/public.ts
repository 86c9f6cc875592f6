// What both entries (index.ts, browser.ts) export: types, errors and the pieces without a platform.

export type { ExternalData, ModelInput } from './base/bytes.js';
export { type ErrorData, errorFromData, errorToData, QuantizeError } from './base/errors.js';
export type { Progress, RunOptions, Stage } from './base/run.js';
export {
  type Sentence,
  type TextParam,
  type TextParts,
  type Translations,
  translate,
} from './base/text.js';
export type * from './base/types.js';
export { heldOutOf } from './calibration/held-samples.js';
export { type MergedRanges, mergeRanges } from './calibration/merge-states.js';
export type { NodePredicate, QdqConfigOptions } from './config/qdq-config.js';
export type { QnnConfigOptions } from './config/qnn-config.js';
export type { QuantConfig, QuantizeOptions } from './config/run-config.js';
export type { StaticQuantConfig } from './config/static-config.js';
export type {
  Cause,
  CauseCode,
  Diagnosis,
  LayerDiagnosis,
  TensorDiagnosis,
} from './diagnosis/report.js';
export type { WeightChannels } from './diagnosis/weight-channels.js';
export type {
  ClassificationResult,
  DetectionResult,
  Evaluation,
  MeasuredModel,
  ModelComparison,
  OutputComparison,
  Share,
} from './evaluation/report.js';
export type { CalibrateResult } from './jobs/calibrate-model.js';
export type { CompareModelsOptions } from './jobs/compare-models.js';
export type { DiagnoseOptions } from './jobs/diagnose.js';
export type { EvaluateOptions } from './jobs/evaluate.js';
export type { FindPreprocessOptions } from './jobs/find-preprocess.js';
export type { ModelInspection } from './jobs/inspect-model.js';
export {
  type ActivationMatching,
  type Activations,
  type CollectActivationsOptions,
  computeActivationError,
  computeWeightError,
  createActivationMatching,
  type WeightMatching,
  type WeightMatchingOptions,
} from './jobs/loss-debug.js';
export type { PreprocessReport, PreprocessResult } from './jobs/preprocess-model.js';
export type { QuantizeResult } from './jobs/quantize-static.js';
export type {
  CalibrateOptions,
  InspectOptions,
  PreprocessOptions,
  QuantizeStaticOptions,
} from './options/api.js';
export { qdqConfigOptions, qnnConfigOptions } from './options/configs.js';
export { quantizeStaticDefaults } from './options/defaults.js';
export { type ExtraOptionSpec, type ExtraOptions, extraOptions } from './options/extra-options.js';
export { type Profile, type ProfileName, profileNames, profiles } from './options/profiles.js';
export type {
  CalibrationMethod,
  EffortLevel,
  QuantFormat,
  QuantType,
} from './options/quant-types.js';
export { quantizeStaticOptions } from './options/quantize-static.js';
export type { OptionSpec } from './options/spec.js';
export type {
  TensorQuantOverride,
  TensorQuantOverrides,
} from './options/tensor-quant-overrides.js';
export { npyReader } from './samples/arrays/npy-reader.js';
export { type NpzReaderOptions, npzReader } from './samples/arrays/npz.js';
export { pbReader } from './samples/arrays/pb.js';
export { rawReader } from './samples/arrays/raw.js';
export { type DatasetReaderOptions, datasetReader } from './samples/dataset.js';
export { sampleExtensions } from './samples/files/extensions.js';
export type { FileReaderOptions } from './samples/files/file-source.js';
export { byName, isHidden } from './samples/files/files.js';
export { guessPreprocess } from './samples/images/guess-preprocess.js';
export { type ImageReaderOptions, imageReader } from './samples/images/images.js';
export {
  type PartialPreprocess,
  type PreprocessSpec,
  parsePreprocess,
  preprocessPresets,
} from './samples/images/preprocess.js';
export type { SampleInput } from './samples/samples.js';
export { type WavReaderOptions, wavReader } from './samples/sounds/wav.js';
export type * from './session/types.js';
export type { OutputQuality, QualityReport, QuantizationReport } from './verify/report.js';
