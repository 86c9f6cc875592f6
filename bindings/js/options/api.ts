// The options of the JavaScript API: the parameters of the reference in camelCase, typed by schema.ts
// (their meaning and defaults: docs/options.md), and what only a library needs (signal, progress, external data).

import type { Diagnostic } from '../base/types.js';
import type { ExternalData, ModelInput } from '../platform/platform.js';
import type { SampleInput } from '../samples/samples.js';
import type {
  calibrateOptions,
  OptionSpec,
  OptionsOf,
  preprocessOptions,
  quantizeStaticOptions,
} from './schema.js';

/** What a run is doing. */
export type Stage = 'load' | 'prepare' | 'calibrate' | 'quantize' | 'verify';

export interface Progress {
  stage: Stage;
  /** Samples done, where the stage goes through samples; else 0 at its beginning and 1 at its end. */
  done: number;
  /** Of how many; absent where that is not known. */
  total?: number;
  /** Which pass over the samples this is, of how many; where there are several. */
  pass?: number;
  passes?: number;
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

/** What the API has in place of the command's paths. */
interface ModelOptions extends RunOptions {
  /** The float model: a path (Node), its bytes, or a File or Blob. */
  modelInput: ModelInput;
  /** Where the result is written (Node); in a browser only the name that its data file is named after. */
  modelOutput?: string | undefined;
  /** External data by name, where `modelInput` is not a path. */
  externalData?: ExternalData | undefined;
}

/** The table's options but those that the command has by itself or as paths. */
type Parameters<Table extends readonly OptionSpec[]> = Omit<
  OptionsOf<Table>,
  | 'modelInput'
  | 'modelOutput'
  | 'calibrateDataset'
  | 'preprocess'
  | 'sampleRate'
  | 'calibrationState'
  | 'resume'
>;
export interface QuantizeStaticOptions
  extends ModelOptions,
    Parameters<typeof quantizeStaticOptions> {
  /**
   * Samples: datasetReader() or the reader of one kind (imageReader(), npzReader(), …), any object with getNext(), any (async) iterable
   * of `{inputName: tensor}`. May be left out where `calibrationCachePath` exists or `calibrationCache` is given.
   */
  calibrationDataReader?: SampleInput | null | undefined;
  /** The text of a calibration cache, where there are no files; the report has `calibrationCache` to keep. */
  calibrationCache?: string | undefined;
  /** The text of a calibration state: goes on from there, with the same result as one run. */
  resume?: string | undefined;
  /** Called where calibration is cancelled, with the calibration state to resume from. */
  onCalibrationState?: ((state: string) => void) | undefined;
}

export interface CalibrateOptions
  extends Omit<ModelOptions, 'modelOutput'>,
    Omit<
      Parameters<typeof calibrateOptions>,
      'ranges' | 'tables' | 'tensorrtCache' | 'calibrationState' | 'resume'
    > {
  calibrationDataReader: SampleInput;
  resume?: string | undefined;
  onCalibrationState?: ((state: string) => void) | undefined;
}

export interface PreprocessOptions extends ModelOptions, Parameters<typeof preprocessOptions> {}

/** Options of QuantizeStaticOptions that schema.ts does not have. */
export const libraryOptions = [
  'externalData',
  'calibrationDataReader',
  'calibrationCache',
  'resume',
  'onCalibrationState',
  'signal',
  'onProgress',
  'onDiagnostic',
] as const satisfies readonly (keyof QuantizeStaticOptions)[];
