// Calibration by itself: ranges as files, for quantizing later or elsewhere, and shards of them,
// for many machines.

import type { InputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { Run } from '../base/run.js';
import { say } from '../base/text.js';
import type { Diagnostic, TensorRanges } from '../base/types.js';
import { calibrate as runCalibration } from '../calibration/calibrate.js';
import { formatState, parseState, type Shard } from '../calibration/calibration-state.js';
import { formatCalibrationCache } from '../calibration/files/calibration-cache.js';
import { learnTypes } from '../calibration/pass-model.js';
import { ModelFiles } from '../core/host-files.js';
import { loadCore } from '../core/load.js';
import { parseRanges } from '../core/ranges.js';
import { CoreSession } from '../core/session.js';
import { settlePreprocess } from '../evidence/find-preprocess.js';
import {
  type CalibrateOptions,
  type CalibrateSource,
  calibrateSourceKeys,
} from '../options/api.js';
import { type CheckedCalibrate, calibrateOptions } from '../options/calibrate.js';
import { coreOptions } from '../options/core-options.js';
import { checkCalibrate, readParameters } from '../options/validate.js';
import type { Platform } from '../platform/platform.js';
import { refuseToOverwrite } from './file-uses.js';
import { fixDims } from './fix-dims.js';
import type { JobExtras } from './quantize-static.js';

export interface CalibrateResult {
  /** Tensor ranges; null after a shard, and where another pass is needed. */
  ranges: TensorRanges | null;
  /** The text of a calibration cache with them. */
  calibrationCache: string | null;
  /** The text of the calibration state: what a shard collected. */
  calibrationState: string | null;
  samples: number;
  /** One line about the samples. */
  description: string;
  diagnostics: Diagnostic[];
}

/** Checks the parameters, then calibrates. */
export async function calibrateOn(
  platform: Platform<unknown>,
  options: CalibrateOptions,
): Promise<CalibrateResult> {
  options.signal?.throwIfAborted();
  const given = readParameters(calibrateOptions, options, calibrateSourceKeys);
  return calibrateChecked(platform, options, checkCalibrate(given, await loadCore()));
}

/** `source`: what is read, and how the run is watched. */
export async function calibrateChecked(
  platform: Platform<unknown>,
  source: CalibrateSource,
  checked: CheckedCalibrate,
  { files: others = [] }: Pick<JobExtras<never>, 'files'> = {},
): Promise<CalibrateResult> {
  const run = new Run(source);
  const shard = parseShard(checked.shard);
  const resume = source.resume ? parseState(source.resume, 'the calibration state') : undefined;
  const reader = source.calibrationDataReader;
  if (!reader) {
    throw new QuantizeError('INVALID_OPTION', 'there is nothing to calibrate with', {
      hint: 'give samples (--calibrate_dataset)',
    });
  }
  let input: InputFiles | null = null;
  let core: CoreSession | null = null;
  try {
    const opened = await run.stage('load', async () => {
      input = await platform.openInput(source.modelInput, source.externalData ?? {});
      const files = new ModelFiles(input);
      core = await CoreSession.create(files);
      const model = fixDims(core.open(), checked.fix_dim);
      refuseToOverwrite(platform, { input, externalFiles: model.externalFiles, reader, others });
      core.configure(coreOptions(checked));
      const runtime = await platform.loadRuntime({ kind: checked.runtime });
      if (runtime.note) run.note(runtime.note);
      return { input, files, core, model, runtime };
    });
    await run.stage('load', () => settlePreprocess({ ...opened, platform, reader, run }));
    const prepared = await run.stage('prepare', () => opened.core.prepare());
    run.note(...prepared.diagnostics);
    const learned = await learnTypes(
      opened.runtime,
      opened.core,
      opened.files,
      opened.input,
      opened.model,
    );
    run.note(...learned);
    const result = await run.stage('calibrate', () =>
      runCalibration({
        ...opened,
        platform,
        reader,
        checked,
        run,
        shard,
        resume,
        onCalibrationState: source.onCalibrationState,
      }),
    );
    run.note(...result.notes);
    const ranges = result.ranges === null ? null : parseRanges(result.ranges);
    return {
      ranges,
      calibrationCache:
        ranges &&
        formatCalibrationCache({
          method: checked.calibrate_method,
          smoothQuant: false,
          ranges: result.rangesByChannel ?? ranges,
        }),
      calibrationState: result.state && formatState(result.state),
      samples: result.samples,
      description: result.description,
      diagnostics: run.diagnostics,
    };
  } finally {
    (core as CoreSession | null)?.dispose();
    (input as InputFiles | null)?.close();
  }
}

/** "i/n" with 0 <= i < n. */
function parseShard(text: string | null): Shard | undefined {
  if (text === null) return undefined;
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (index !== undefined && shard.index < shard.count) return shard;
  throw new QuantizeError('INVALID_OPTION', say`shard: expected i/n but received "${text}"`, {
    hint: '0/4 is the first of four, 3/4 the last',
  });
}
