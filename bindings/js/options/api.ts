// The options of the JavaScript API: the parameters of the reference in camelCase, typed by the
// tables (their meaning and defaults: docs/options.md), and what only a library is given (model,
// samples, signal, progress).
import type { ExternalData, ModelInput } from '../base/bytes.js';
import type { RunOptions } from '../base/run.js';
import type { SampleInput } from '../samples/samples.js';
import type { calibrateOptions } from './calibrate.js';
import type { inspectOptions } from './inspect.js';
import type { preprocessOptions } from './preprocess.js';
import type { quantizeStaticOptions } from './quantize-static.js';
import type { ParametersOf } from './spec.js';

/** A model to read. */
export interface ModelSource {
  /** The float model: a path (Node), its bytes, or a File or Blob. */
  modelInput: ModelInput;
  /** External data by name, where `modelInput` is not a path. */
  externalData?: ExternalData | undefined;
}

/** A model to read, and where another is written. */
export interface ModelPair extends ModelSource, RunOptions {
  /**
   * Where the result is written (Node); in a browser only the name that its data file is named
   * after.
   */
  modelOutput?: string | undefined;
}

/** How a cancelled calibration is kept and resumed. */
interface Resumable {
  /** The text of a calibration state: goes on from there, with the same result as one run. */
  resume?: string | undefined;
  /** Called where calibration is cancelled, with the calibration state to resume from. */
  onCalibrationState?: ((state: string) => void) | undefined;
}

/** What quantizeStatic() is given beside parameters. */
export interface QuantizeSource extends ModelPair, Resumable {
  /**
   * Samples: datasetReader() or the reader of one kind (imageReader(), npzReader(), …), any object
   * with getNext(), any (async) iterable of `{inputName: tensor}`. May be left out where
   * `calibrationCachePath` exists or `calibrationCache` is given.
   */
  calibrationDataReader?: SampleInput | null | undefined;
  /**
   * The text of a calibration cache, where there are no files; the report has `calibrationCache` to
   * keep.
   */
  calibrationCache?: string | undefined;
  /** `report.effort.recipe` of an earlier run: its repairs are made, with no search. */
  recipe?: object | null | undefined;
}

export interface QuantizeStaticOptions
  extends QuantizeSource,
    ParametersOf<typeof quantizeStaticOptions> {}

/** What calibrate() is given beside parameters. */
export interface CalibrateSource extends ModelSource, RunOptions, Resumable {
  calibrationDataReader: SampleInput | null;
}

export interface CalibrateOptions extends CalibrateSource, ParametersOf<typeof calibrateOptions> {
  calibrationDataReader: SampleInput;
}

export interface PreprocessOptions extends ModelPair, ParametersOf<typeof preprocessOptions> {}

export interface InspectOptions extends ParametersOf<typeof inspectOptions> {}

/** The keys of these interfaces, which no table has. */
export const modelSourceKeys = [
  'modelInput',
  'externalData',
] as const satisfies readonly (keyof ModelSource)[];
export const modelPairKeys = [
  ...modelSourceKeys,
  'modelOutput',
  'signal',
  'onProgress',
  'onDiagnostic',
] as const satisfies readonly (keyof ModelPair)[];
export const quantizeSourceKeys = [
  ...modelPairKeys,
  'calibrationDataReader',
  'calibrationCache',
  'recipe',
  'resume',
  'onCalibrationState',
] as const satisfies readonly (keyof QuantizeSource)[];
export const calibrateSourceKeys = quantizeSourceKeys.filter(
  (key) => key !== 'modelOutput' && key !== 'calibrationCache' && key !== 'recipe',
);
