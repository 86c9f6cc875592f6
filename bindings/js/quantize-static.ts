// The whole job, top to bottom: check, open, prepare, calibrate, quantize, verify, put in place.
// index.ts and browser.ts bind it to their platform.
import { planCache } from './cache-plan.js';
import { type CalibrationResult, calibrate, firstSamples } from './calibrate.js';
import { formatCalibrationCache } from './calibration-cache.js';
import { CoreSession } from './core.js';
import { QuantizeError } from './errors.js';
import { loadCalibrationModel } from './float-model.js';
import { ModelFiles } from './host-files.js';
import { libraryOptions, type QuantizeStaticOptions } from './options.js';
import type { InputFiles, OutputFiles, Platform } from './platform/platform.js';
import { Run } from './progress.js';
import type { QuantizationReport } from './report.js';
import type { RuntimeSession } from './runtime.js';
import { openSamples } from './samples.js';
import { quantizeStaticOptions } from './schema.js';
import type { Diagnostic, ModelSummary, QuantizeReport } from './types.js';
import { checkQuantizeStatic, coreOptions, fromCamelCase } from './validate.js';
import { judgeQuality } from './verify.js';
import { verifyResult } from './verify-result.js';

export interface QuantizeResult<Model> {
  /** The path of the model where `modelOutput` was given (Node), else the model itself. */
  model: Model;
  /** The data file, with `useExternalDataFormat`: its name in the model, and its path or content. */
  externalData: { name: string; data: Model } | null;
  report: QuantizationReport;
}

export async function quantizeOn<Model>(
  platform: Platform<Model>,
  options: QuantizeStaticOptions,
): Promise<QuantizeResult<Model>> {
  const run = new Run(options);
  options.signal?.throwIfAborted();

  // Everything that can be refused is refused before any work.
  refuseCommandOptions(options);
  const given = fromCamelCase(quantizeStaticOptions, options, libraryOptions);
  const model = options.modelInput;
  if (model === undefined || model === null) {
    throw new QuantizeError('INVALID_OPTION', 'modelInput is missing');
  }
  delete given.model_input; // may be bytes; the schema is about paths
  const checked = checkQuantizeStatic(given);
  const cache = planCache(options, checked, platform);
  run.note(...cache.diagnostics);
  const output = platform.openOutput(options.modelOutput);
  let input: InputFiles | null = null;
  let core: CoreSession | null = null;
  let float: RuntimeSession | null = null;
  try {
    const opened = await run.stage('load', async () => {
      input = await platform.openInput(model, options.externalData ?? {});
      const files = new ModelFiles(input, output);
      core = await CoreSession.create(files);
      const summary = core.open();
      run.note(...core.configure(coreOptions(checked)));
      if (checked.use_external_data_format) refuseToOverwrite(input, output, summary.externalFiles);
      return { input, files, core, summary, ort: await platform.loadRuntime() };
    });
    const { files, summary, ort } = opened;

    const prepared = await run.stage('prepare', () => opened.core.prepare());
    run.note(...prepared.diagnostics);

    // Ranges: from the cache, or from every sample; some samples are kept for the comparison.
    let samples: CalibrationResult = { samples: 0, kept: [] };
    let description = '';
    const reader = options.calibrationDataReader;
    const open = reader ? openSamples(reader, summary) : null;
    if (cache.cached) {
      opened.core.setRanges(cache.cached.ranges);
      if (open) samples = { samples: 0, kept: await firstSamples(open, summary) };
    } else if (open) {
      samples = await run.stage('calibrate', async () => {
        const loaded = await loadCalibrationModel(ort, opened.core, files, opened.input, summary);
        float = loaded.session;
        const observe = (values: Float32Array) => opened.core.observe(values);
        return calibrate({ ...loaded, model: summary, open, observe, run });
      });
      description = open.describe();
      await (float as RuntimeSession | null)?.release();
      float = null;
    }
    const ranges = opened.core.ranges();
    const cacheText = formatCalibrationCache({
      method: checked.calibrate_method as string,
      smoothQuant: false,
      ranges,
    });
    const quantized = await run.stage('quantize', () =>
      opened.core.quantize(checked.use_external_data_format ? output.dataName : ''),
    );
    if (cache.cached) refuseForeignCache(quantized);
    run.note(...quantized.diagnostics, ...nothingQuantized(quantized));

    const quality = await run.stage('verify', () =>
      verifyResult(run, ort, opened.input, output, summary, samples),
    );
    if (quantized.nodesQuantized.length > 0) run.note(...judgeQuality(quality, checked));

    const bytesAfter = output.model.size + output.data.size;
    if (cache.writeTo !== null) platform.writeText?.(cache.writeTo, cacheText);
    const result = output.commit();
    return {
      model: result.model,
      externalData: result.data === null ? null : { name: output.dataName, data: result.data },
      report: {
        modelInput: opened.input.label,
        modelOutput: options.modelOutput ?? null,
        bytesBefore: inputBytes(opened.input, summary),
        bytesAfter,
        opsetBefore: summary.opset,
        opsetAfter: quantized.opset,
        options: { ...checked, model_input: typeof model === 'string' ? model : null },
        passes: prepared.passes,
        nodesQuantized: quantized.nodesQuantized,
        nodesLeftFloat: quantized.nodesLeftFloat,
        tensors: quantized.tensors,
        calibration: {
          source: cache.cached ? 'cache' : 'data',
          samples: cache.cached ? 0 : samples.samples,
          description,
        },
        ranges,
        calibrationCache: cacheText,
        quality,
        timings: run.totals(),
        diagnostics: run.diagnostics,
      },
    };
  } finally {
    await (float as RuntimeSession | null)?.release();
    (core as CoreSession | null)?.dispose();
    (input as InputFiles | null)?.close();
    output.discard(); // nothing is left of it after commit()
  }
}

/** What the command adds; as parameters of the library they would be without effect. */
function refuseCommandOptions(options: object): void {
  for (const name of ['calibrateDataset', 'preprocess']) {
    if (!(name in options)) continue;
    throw new QuantizeError('INVALID_OPTION', `"${name}" is an option of the command only`, {
      hint: 'give calibrationDataReader: datasetReader(path, { preprocess })',
    });
  }
}

/** A cache that has none of the ranges that this model needs was made for another model. */
function refuseForeignCache({ nodesQuantized, nodesLeftFloat }: QuantizeReport): void {
  if (nodesQuantized.length > 0) return;
  const missing = nodesLeftFloat.find(({ reason }) => reason.endsWith('has no tensor range'));
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

/** The data file must not replace one that the float model needs. */
export function refuseToOverwrite(
  input: InputFiles,
  output: OutputFiles<unknown>,
  names: string[],
): void {
  if (output.dataPath === undefined) return;
  for (const name of names) {
    if (input.runtimeBytes(name) !== output.dataPath) continue;
    throw new QuantizeError(
      'INVALID_OPTION',
      `model_output would overwrite ${name}, which is the data of model_input`,
      { hint: 'choose another name' },
    );
  }
}
