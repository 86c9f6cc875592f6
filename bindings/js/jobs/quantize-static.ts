// The whole job, top to bottom: check, open, prepare, calibrate, quantize, verify, put in place.
// index.ts and browser.ts bind it to their platform.

import type { ByteSink, InputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { isLargeModel } from '../base/large-model.js';
import { Run } from '../base/run.js';
import { type CachePlan, planCache } from '../calibration/cache-plan.js';
import { calibrate, firstSamples } from '../calibration/calibrate.js';
import { parseState } from '../calibration/calibration-state.js';
import { formatCalibrationCache } from '../calibration/files/calibration-cache.js';
import { learnTypes } from '../calibration/pass-model.js';
import { ModelFiles } from '../core/host-files.js';
import { loadCore } from '../core/load.js';
import { formatRanges, parseRanges } from '../core/ranges.js';
import { CoreSession } from '../core/session.js';
import { repairsOf } from '../effort/recipe.js';
import { settlePreprocess } from '../evidence/find-preprocess.js';
import {
  type QuantizeSource,
  type QuantizeStaticOptions,
  quantizeSourceKeys,
} from '../options/api.js';
import { coreOptions } from '../options/core-options.js';
import { type CheckedStatic, quantizeStaticOptions } from '../options/quantize-static.js';
import { checkQuantizeStatic, readParameters } from '../options/validate.js';
import { exactRuntime } from '../platform/exact-runtime.js';
import type { FileUse, Platform } from '../platform/platform.js';
import { workersForSessions } from '../runtime/worker-sessions.js';
import { Workers } from '../runtime/workers.js';
import type { QuantizationReport } from '../verify/report.js';
import type { VerifiedSamples } from '../verify/verify-result.js';
import { checkDump, writeDump } from './dump-passes.js';
import { refuseToOverwrite } from './file-uses.js';
import { fixDims } from './fix-dims.js';
import { refuseTooLarge } from './refuse-too-large.js';
import { type SaidOfSamples, writeResult } from './write-result.js';

export interface QuantizeResult<Model> {
  /** The path of the model where `modelOutput` was given (Node), else the model itself. */
  model: Model;
  /**
   * The data file, with `useExternalDataFormat`: its name in the model, and its path or content.
   */
  externalData: { name: string; data: Model } | null;
  report: QuantizationReport;
}

/** Checks the parameters, then quantizes. */
export async function quantizeOn<Model>(
  platform: Platform<Model>,
  options: QuantizeStaticOptions,
): Promise<QuantizeResult<Model>> {
  options.signal?.throwIfAborted();
  const given = readParameters(quantizeStaticOptions, options, quantizeSourceKeys);
  return quantizeChecked(platform, options, checkQuantizeStatic(given, await loadCore()));
}

/** What a caller adds to a job: the command does. */
export interface JobExtras<Report> {
  /** What else it reads and writes. */
  files?: readonly FileUse[];
  /**
   * Called when the result is complete and not yet in place. Where it throws, nothing is written;
   * what it returns is put in place together with the result.
   */
  beforeCommit?(report: Report): Promise<readonly ByteSink[]>;
}

/** `source`: what is read and written, and how the run is watched. */
export async function quantizeChecked<Model>(
  platform: Platform<Model>,
  source: QuantizeSource,
  checked: CheckedStatic,
  { files: others = [], beforeCommit }: JobExtras<QuantizationReport> = {},
): Promise<QuantizeResult<Model>> {
  const run = new Run(source);
  const { modelInput: model, modelOutput, calibrationDataReader: reader } = source;

  // Everything that can be refused is refused before any work.
  if (model === undefined || model === null) {
    throw new QuantizeError('INVALID_OPTION', 'modelInput is missing');
  }
  checkDump(platform, checked.dump_passes);
  const cache = planCache(source, checked, platform);
  const recipe = source.recipe ? repairsOf(source.recipe, checked) : null;
  const resume = source.resume ? parseState(source.resume, 'the calibration state') : undefined;
  run.note(...cache.diagnostics);
  const output = platform.openOutput(modelOutput);
  let input: InputFiles | null = null;
  let core: CoreSession | null = null;
  const workers = new Workers(platform);
  try {
    const opened = await run.stage('load', async () => {
      input = await platform.openInput(model, source.externalData ?? {});
      const files = new ModelFiles(input, output);
      core = await CoreSession.create(files);
      const summary = fixDims(core.open(), checked.fix_dim);
      core.configure(coreOptions(checked));
      refuseToOverwrite(platform, {
        input,
        externalFiles: summary.externalFiles,
        reader,
        output,
        writesData: checked.use_external_data_format,
        others: [...others, ...cacheUse(checked, cache)],
      });
      const calibrationRuntime = await platform.loadRuntime({ kind: checked.runtime });
      if (calibrationRuntime.note) run.note(calibrationRuntime.note);
      const runtime = await exactRuntime(platform, calibrationRuntime);
      return { input, files, core, summary, runtime, calibrationRuntime };
    });
    const { summary, runtime, calibrationRuntime } = opened;
    await run.stage('load', () =>
      settlePreprocess({ ...opened, platform, model: summary, reader, run }),
    );

    const dump = checked.dump_passes;
    const prepared = await run.stage('prepare', () => opened.core.prepare({ dump: dump !== null }));
    writeDump(platform, dump, opened.files);
    run.note(...prepared.diagnostics);
    run.note(...(await learnTypes(runtime, opened.core, opened.files, opened.input, summary)));

    if (!checked.use_external_data_format) refuseTooLarge(opened.input, summary, opened.core);

    // Ranges: from the cache, or from every sample; some samples are kept for the comparison.
    let samples: VerifiedSamples = { samples: 0, kept: [], held: [], heldInRanges: false };
    let said: SaidOfSamples = {
      description: '',
      done: '',
      assumed: [],
    };
    let ranges = '{}';
    let statistics: string | null = null;
    let rangesForRepairs: string | null = null;
    if (cache.cached) {
      ranges = formatRanges(cache.cached.ranges);
      if (reader) {
        const kept = await firstSamples(reader, summary, checked.strict, run);
        // No range is made from them.
        const held = checked.effort === 'none' ? [] : kept;
        samples = { samples: 0, kept, held, heldInRanges: false };
      }
    } else if (reader) {
      const result = await run.stage('calibrate', () =>
        calibrate({
          ...opened,
          runtime: calibrationRuntime,
          platform,
          model: summary,
          reader,
          checked,
          run,
          resume,
          onCalibrationState: source.onCalibrationState,
          workers,
        }),
      );
      workers.keep(workersForSessions(runtime, isLargeModel(opened.input, summary)));
      run.note(...result.notes);
      samples = result;
      said = { description: result.description, ...result.about };
      ranges = result.ranges as string;
      ({ statistics, rangesForRepairs } = result);
    }
    const cacheText = formatCalibrationCache({
      method: checked.calibrate_method,
      smoothQuant: false,
      ranges: parseRanges(ranges),
    });
    // At once: whatever goes wrong later, the samples need not be run again.
    if (cache.writeTo !== null) platform.writeText?.(cache.writeTo, cacheText);
    const report = await writeResult({
      ...opened,
      runtime: { ...runtime, workers },
      platform,
      run,
      output,
      checked,
      recipe,
      prepared,
      source: cache.cached ? 'cache' : 'data',
      ranges,
      calibrationCache: cacheText,
      statistics,
      rangesForRepairs,
      samples,
      said,
      modelInput: typeof model === 'string' ? model : null,
      modelOutput: modelOutput ?? null,
    });
    const also = (await beforeCommit?.(report)) ?? [];
    const result = output.commit(also);
    return {
      model: result.model,
      externalData: result.data === null ? null : { name: output.dataName, data: result.data },
      report,
    };
  } finally {
    workers.close();
    (core as CoreSession | null)?.dispose();
    (input as InputFiles | null)?.close();
    output.discard(); // nothing is left of it after commit()
  }
}

function cacheUse(checked: CheckedStatic, cache: CachePlan): FileUse[] {
  const path = checked.calibration_cache_path;
  if (path === null) return [];
  return [{ option: 'calibration_cache_path', path, writes: cache.writeTo !== null }];
}
