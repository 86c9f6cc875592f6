// The whole job, top to bottom: check, open, prepare, calibrate, quantize, verify, put in place.
// index.ts and browser.ts bind it to their platform.

import type { ByteSink, InputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { Run } from '../base/run.js';
import type {
  Diagnostic,
  Feeds,
  ModelSummary,
  QuantizeReport,
  SamplesAbout,
} from '../base/types.js';
import { type CachePlan, planCache } from '../calibration/cache-plan.js';
import { calibrate, firstSamples } from '../calibration/calibrate.js';
import { parseState } from '../calibration/calibration-state.js';
import { collectMoments } from '../calibration/collect-moments.js';
import { formatCalibrationCache } from '../calibration/files/calibration-cache.js';
import { learnTypes } from '../calibration/pass-model.js';
import { ModelFiles } from '../core/host-files.js';
import { loadCore } from '../core/load.js';
import { formatRanges, parseRanges } from '../core/ranges.js';
import { CoreSession } from '../core/session.js';
import { quantizeWithEffort } from '../effort/quantize-with-effort.js';
import { settlePreprocess } from '../evidence/find-preprocess.js';
import {
  type QuantizeSource,
  type QuantizeStaticOptions,
  quantizeSourceKeys,
} from '../options/api.js';
import { coreOptions } from '../options/core-options.js';
import { type CheckedStatic, quantizeStaticOptions } from '../options/quantize-static.js';
import { checkQuantizeStatic, readParameters } from '../options/validate.js';
import type { FileUse, Platform } from '../platform/platform.js';
import { judgeQuality } from '../verify/judge.js';
import { judgeSize } from '../verify/judge-size.js';
import type { QuantizationReport } from '../verify/report.js';
import { type VerifiedSamples, verifyResult } from '../verify/verify-result.js';
import { checkDump, writeDump } from './dump-passes.js';
import { refuseToOverwrite } from './file-uses.js';
import { fixDims } from './fix-dims.js';

export interface QuantizeResult<Model> {
  /** The path of the model where `modelOutput` was given (Node), else the model itself. */
  model: Model;
  /**
   * The data file, with `useExternalDataFormat`: its name in the model, and its path or content.
   */
  externalData: { name: string; data: Model } | null;
  report: QuantizationReport;
}

/** Effort fast rounds adaptively where that takes a tenth of a second or two. */
const fastProducts = 2 ** 28;

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
  const resume = source.resume ? parseState(source.resume, 'the calibration state') : undefined;
  run.note(...cache.diagnostics);
  const output = platform.openOutput(modelOutput);
  let input: InputFiles | null = null;
  let core: CoreSession | null = null;
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
      const runtime = await platform.loadRuntime({ kind: checked.runtime });
      if (runtime.note) run.note(runtime.note);
      return { input, files, core, summary, runtime };
    });
    const { summary, runtime } = opened;
    await run.stage('load', () =>
      settlePreprocess({ ...opened, platform, model: summary, reader, run }),
    );

    const dump = checked.dump_passes;
    const prepared = await run.stage('prepare', () => opened.core.prepare({ dump: dump !== null }));
    writeDump(platform, dump, opened.files);
    run.note(...prepared.diagnostics);
    run.note(...(await learnTypes(runtime, opened.core, opened.files, opened.input, summary)));

    // Ranges: from the cache, or from every sample; some samples are kept for the comparison.
    let samples: VerifiedSamples = { samples: 0, kept: [] };
    let said: Pick<QuantizationReport['calibration'], 'description' | keyof SamplesAbout> = {
      description: '',
      done: '',
      assumed: [],
    };
    let ranges = '{}';
    let statistics: string | null = null;
    let held: Feeds[] = [];
    if (cache.cached) {
      ranges = formatRanges(cache.cached.ranges);
      if (reader) {
        const kept = await firstSamples(reader, summary, checked.strict, run);
        samples = { samples: 0, kept };
      }
    } else if (reader) {
      const result = await run.stage('calibrate', () =>
        calibrate({
          ...opened,
          platform,
          model: summary,
          reader,
          checked,
          run,
          resume,
          onCalibrationState: source.onCalibrationState,
        }),
      );
      samples = result;
      said = { description: result.description, ...result.about };
      ranges = result.ranges as string;
      ({ statistics, held } = result);
    }
    opened.core.setRanges(ranges);
    const cacheText = formatCalibrationCache({
      method: checked.calibrate_method,
      smoothQuant: false,
      ranges: parseRanges(ranges),
    });
    // At once: whatever goes wrong later, the samples need not be run again.
    if (cache.writeTo !== null) platform.writeText?.(cache.writeTo, cacheText);
    if (statistics !== null) opened.core.setStatistics(statistics);
    const mostProducts = checked.effort === 'fast' ? fastProducts : Number.POSITIVE_INFINITY;
    let moments: Promise<boolean> | null = null;
    const { quantized, effort } = await run.stage('quantize', () =>
      quantizeWithEffort({
        ...opened,
        run,
        output,
        checked,
        held,
        collectMoments: () => {
          moments ??= collectMoments(
            { ...opened, model: summary, run, mostProducts },
            samples.kept,
          );
          return moments;
        },
      }),
    );
    if (cache.cached) {
      refuseForeignCache(quantized);
      run.note(...missingRanges(quantized));
    }
    run.note(...quantized.diagnostics, ...nothingQuantized(quantized));

    const quality = await run.stage('verify', () =>
      verifyResult(run, runtime, opened.input, output, summary, samples),
    );
    if (quantized.nodesQuantized.length > 0) run.note(...judgeQuality(quality, summary, checked));

    const bytesBefore = inputBytes(opened.input, summary);
    const bytesAfter = output.model.size + output.data.size;
    if (quantized.nodesQuantized.length > 0) {
      run.note(...judgeSize(bytesBefore, bytesAfter, quantized.weights));
    }
    const report: QuantizationReport = {
      modelInput: opened.input.label,
      modelOutput: modelOutput ?? null,
      bytesBefore,
      bytesAfter,
      opsetBefore: summary.opset,
      opsetAfter: quantized.opset,
      options: {
        ...checked,
        model_input: typeof model === 'string' ? model : null,
        model_output: modelOutput ?? null,
      },
      passes: prepared.passes,
      nodesQuantized: quantized.nodesQuantized,
      nodesLeftFloat: quantized.nodesLeftFloat,
      weights: quantized.weights,
      tensors: quantized.tensors,
      calibration: {
        source: cache.cached ? 'cache' : 'data',
        samples: cache.cached ? 0 : samples.samples,
        ...said,
      },
      ranges: parseRanges(ranges),
      calibrationCache: cacheText,
      quality,
      effort,
      timings: run.totals(),
      diagnostics: run.diagnostics,
    };
    const also = (await beforeCommit?.(report)) ?? [];
    const result = output.commit(also);
    return {
      model: result.model,
      externalData: result.data === null ? null : { name: output.dataName, data: result.data },
      report,
    };
  } finally {
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

/** A cache that has none of the ranges that this model needs was made for another model. */
function refuseForeignCache({ nodesQuantized, nodesLeftFloat }: QuantizeReport): void {
  if (nodesQuantized.length > 0) return;
  const missing = nodesLeftFloat.find(({ code }) => code === 'NO_RANGE');
  if (!missing) return;
  throw new QuantizeError(
    'MISSING_RANGE',
    `the calibration cache does not fit: ${missing.reason}`,
    {
      node: missing.name,
      hint: 'it was made for another model or other op types; calibrate again with samples',
    },
  );
}

/** One warning, where some of the ranges that are needed are not in the cache. */
function missingRanges({ nodesLeftFloat }: QuantizeReport): Diagnostic[] {
  const without = nodesLeftFloat.filter(({ code }) => code === 'NO_RANGE');
  const [first] = without;
  if (!first) return [];
  const nodes = without.length === 1 ? 'a node' : `${without.length} nodes`;
  return [
    {
      severity: 'warning',
      code: 'MISSING_RANGE',
      message: `the calibration cache lacks ranges, and ${nodes} stayed float: ${first.reason}`,
      node: first.name,
      hint: 'calibrate again with samples',
    },
  ];
}

/** One warning with the reasons, where no node was quantized. */
function nothingQuantized(report: QuantizeReport): Diagnostic[] {
  if (report.nodesQuantized.length > 0) return [];
  const reasons = new Map<string, Set<string>>();
  for (const { opType, reason } of report.nodesLeftFloat) {
    reasons.set(reason, (reasons.get(reason) ?? new Set()).add(opType));
  }
  const why = [...reasons].map(([reason, opTypes]) => `${[...opTypes].join(', ')}: ${reason}`);
  return [
    {
      severity: 'warning',
      code: 'NOTHING_QUANTIZED',
      message: `no node was quantized${why.length > 0 ? ` (${why.slice(0, 3).join('; ')})` : ''}`,
    },
  ];
}

function inputBytes(input: InputFiles, summary: ModelSummary): number {
  return ['~model', ...summary.externalFiles].reduce(
    (sum, name) => sum + (input.source(name)?.size ?? 0),
    0,
  );
}
