// Calibration by itself: ranges as files, for quantizing later or elsewhere, and shards of them, for many machines.
import { calibrate as runCalibration } from './calibration/calibrate.js';
import { formatCalibrationCache } from './calibration/calibration-cache.js';
import { formatState, parseState, type Shard } from './calibration/calibration-state.js';
import { CoreSession, parseRanges, type TensorRanges } from './core.js';
import { QuantizeError } from './errors.js';
import { ModelFiles } from './host-files.js';
import { type CalibrateOptions, libraryOptions } from './options.js';
import type { InputFiles, Platform, RuntimeKind } from './platform/platform.js';
import { Run } from './progress.js';
import { calibrateOptions } from './schema.js';
import type { Diagnostic } from './types.js';
import { checkCalibrate, coreOptions, fromCamelCase } from './validate.js';

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

export async function calibrateOn(
  platform: Platform<unknown>,
  options: CalibrateOptions,
): Promise<CalibrateResult> {
  const run = new Run(options);
  options.signal?.throwIfAborted();
  const own = [...libraryOptions, 'modelInput'];
  const checked = checkCalibrate(fromCamelCase(calibrateOptions, options, own));
  const shard = parseShard(checked.shard as string | null);
  const resume = options.resume ? parseState(options.resume, 'the calibration state') : undefined;
  const reader = options.calibrationDataReader;
  if (!reader) {
    throw new QuantizeError('INVALID_OPTION', 'there is nothing to calibrate with', {
      hint: 'give samples (--calibrate_dataset)',
    });
  }
  let input: InputFiles | null = null;
  let core: CoreSession | null = null;
  try {
    const opened = await run.stage('load', async () => {
      input = await platform.openInput(options.modelInput, options.externalData ?? {});
      const files = new ModelFiles(input);
      core = await CoreSession.create(files);
      const model = core.open();
      core.configure(coreOptions(checked));
      const runtime = await platform.loadRuntime({ kind: checked.runtime as RuntimeKind | null });
      return { input, files, core, model, runtime };
    });
    const prepared = await run.stage('prepare', () => opened.core.prepare());
    run.note(...prepared.diagnostics);
    const result = await run.stage('calibrate', () =>
      runCalibration({
        ...opened,
        platform,
        reader,
        checked,
        run,
        shard,
        resume,
        onCalibrationState: options.onCalibrationState,
      }),
    );
    const ranges = result.ranges === null ? null : parseRanges(result.ranges);
    const method = checked.calibrate_method as string;
    return {
      ranges,
      calibrationCache:
        ranges &&
        formatCalibrationCache({
          method,
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
  throw new QuantizeError('INVALID_OPTION', `shard: expected i/n but received "${text}"`, {
    hint: '0/4 is the first of four, 3/4 the last',
  });
}
