// The options of the JavaScript API: the parameters of the reference's quantize_static in camelCase,
// with their defaults from schema.ts, and what only a library needs (signal, progress, external data).
import type { ExternalData, ModelInput } from './platform/platform.js';
import type { SampleInput } from './samples.js';
import type { CamelCase, quantizeStaticOptions } from './schema.js';
import type { Diagnostic } from './types.js';

export type QuantFormat = 'QOperator' | 'QDQ';
export type QuantType =
  | 'QInt8'
  | 'QUInt8'
  | 'QFLOAT8E4M3FN'
  | 'QInt16'
  | 'QUInt16'
  | 'QInt4'
  | 'QUInt4';
export type CalibrationMethod = 'MinMax' | 'Entropy' | 'Percentile' | 'Distribution';

/** What a run is doing. */
export type Stage = 'load' | 'prepare' | 'calibrate' | 'quantize' | 'verify';

export interface Progress {
  stage: Stage;
  /** Samples done, where the stage goes through samples; else 0 at its beginning and 1 at its end. */
  done: number;
  /** Of how many; absent where that is not known. */
  total?: number;
  /** Estimate for the rest of this stage, in seconds; absent until there is something to go by. */
  secondsLeft?: number;
}

/** What every run may be given. */
export interface RunOptions {
  /** Ends the run: within one sample, and without leaving a file. It rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Each diagnostic as it arises; all of them are in the report too. */
  onDiagnostic?: ((diagnostic: Diagnostic) => void) | undefined;
}

export interface QuantizeStaticOptions extends RunOptions {
  /** The float model: a path (Node), its bytes, or a File or Blob. */
  modelInput: ModelInput;
  /** Where the result is written (Node); in a browser only the name that its data file is named after. */
  modelOutput?: string | undefined;
  /** External data by name, where `modelInput` is not a path. */
  externalData?: ExternalData | undefined;
  /**
   * Samples: imageReader(), npzReader() or datasetReader(), any object with getNext(), any (async) iterable
   * of `{inputName: tensor}`. May be left out where `calibrationCachePath` exists or `calibrationCache` is given.
   */
  calibrationDataReader?: SampleInput | null | undefined;
  /** Quantized operators, or float operators between QuantizeLinear and DequantizeLinear. Default 'QOperator'. */
  quantFormat?: QuantFormat | undefined;
  /** Only operators of these types. Default []: all that can be quantized. */
  opTypesToQuantize?: readonly string[] | undefined;
  /** One scale per output channel of a weight. Default false. */
  perChannel?: boolean | undefined;
  /** Weights in 7 bits, for x64 processors without VNNI. Default false. */
  reduceRange?: boolean | undefined;
  /** Default 'QUInt8'. */
  activationType?: QuantType | undefined;
  /** Default 'QUInt8'. */
  weightType?: QuantType | undefined;
  /** Only these nodes. Default []: all. */
  nodesToQuantize?: readonly string[] | undefined;
  /** Nodes that stay float. Default []. */
  nodesToExclude?: readonly string[] | undefined;
  /** Fold constants and BatchNormalization and remove no-ops first. Default true. */
  optimizeModel?: boolean | undefined;
  /** Weights in one file `<modelOutput>.data` beside the model. Default false. */
  useExternalDataFormat?: boolean | undefined;
  /** How a range is taken from the observed values. Default 'MinMax'. */
  calibrateMethod?: CalibrationMethod | undefined;
  /** Accepted at its default only. */
  calibrationProviders?: readonly string[] | undefined;
  /** JSON of ranges (Node): read if it exists, else written. The same format as the reference's. */
  calibrationCachePath?: string | undefined;
  /** The text of such a cache, where there are no files; the report has `calibrationCache` to keep. */
  calibrationCache?: string | undefined;
  /** The reference's extra_options, keys spelled as there. Default {}. */
  extraOptions?: Readonly<Record<string, unknown>> | undefined;
}

export interface PreprocessOptions extends RunOptions {
  modelInput: ModelInput;
  modelOutput?: string | undefined;
  externalData?: ExternalData | undefined;
  /** Do not fold constants and BatchNormalization, do not remove no-ops. Default false. */
  skipOptimization?: boolean | undefined;
  /** Accepted: symbolic shape inference is never needed here. */
  skipSymbolicShape?: boolean | undefined;
  /** Weights in one data file beside the model. Default false. */
  saveAsExternalData?: boolean | undefined;
  /** Accepted: external data is always one file here. */
  allTensorsToOneFile?: boolean | undefined;
  /** Name of the data file. Default `<modelOutput>.data`. */
  externalDataLocation?: string | undefined;
}

/** Options of QuantizeStaticOptions that schema.ts does not have. */
export const libraryOptions = [
  'externalData',
  'calibrationDataReader',
  'calibrationCache',
  'signal',
  'onProgress',
  'onDiagnostic',
] as const;

// Compile-time check that the interface and the schema name the same options.
type SchemaKeys = CamelCase<(typeof quantizeStaticOptions)[number]['name']>;
type OwnKeys = (typeof libraryOptions)[number];
type CommandOnly = 'calibrateDataset' | 'preprocess';
type Same<A, B> = [A, B] extends [B, A] ? true : never;
export const schemaMatches: Same<
  Exclude<SchemaKeys, CommandOnly>,
  Exclude<keyof QuantizeStaticOptions, OwnKeys>
> = true;
