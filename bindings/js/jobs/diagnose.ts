// Why a quantized model is far from its float model, by itself: opens both and the samples.

import type { ExternalData, InputFiles, ModelInput } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { Run, type RunOptions } from '../base/run.js';
import { say } from '../base/text.js';
import type { Feeds } from '../base/types.js';
import { noSamples, SamplePasses } from '../calibration/sample-passes.js';
import { ModelFiles } from '../core/host-files.js';
import { CoreSession } from '../core/session.js';
import { diagnoseModels } from '../diagnosis/diagnose.js';
import { ProbedModel } from '../diagnosis/probed-model.js';
import type { Diagnosis } from '../diagnosis/report.js';
import { settlePreprocess } from '../evidence/find-preprocess.js';
import { type ModelSource, modelSourceKeys } from '../options/api.js';
import { debugOptions } from '../options/measuring.js';
import type { ParametersOf } from '../options/spec.js';
import { checkOptions, readParameters } from '../options/validate.js';
import type { Platform } from '../platform/platform.js';
import type { SampleInput } from '../samples/samples.js';

export interface DiagnoseOptions
  extends ModelSource,
    RunOptions,
    ParametersOf<typeof debugOptions> {
  /** The quantized model: a path (Node), its bytes, or a File or Blob. */
  quantizedModel: ModelInput;
  quantizedExternalData?: ExternalData | undefined;
  /** Samples as for quantizeStatic(). */
  calibrationDataReader: SampleInput;
}

const sourceKeys = [
  ...modelSourceKeys,
  'quantizedModel',
  'quantizedExternalData',
  'calibrationDataReader',
  'signal',
  'onProgress',
  'onDiagnostic',
] as const satisfies readonly (keyof DiagnoseOptions)[];

/** Throws QuantizeError INVALID_OPTION, INVALID_DATA, NO_SAMPLES, and as loading a model does. */
export async function diagnoseOn(
  platform: Platform<unknown>,
  options: DiagnoseOptions,
): Promise<Diagnosis> {
  const { modelInput, quantizedModel, calibrationDataReader: reader } = options;
  const checked = checkOptions(debugOptions, readParameters(debugOptions, options, sourceKeys));
  const run = new Run(options);
  const open: { close(): void }[] = [];
  try {
    const inputs = await run.stage('load', async () => {
      const float = await platform.openInput(modelInput, options.externalData ?? {});
      open.push(float);
      const quantized = await platform.openInput(
        quantizedModel,
        options.quantizedExternalData ?? {},
      );
      open.push(quantized);
      const runtime = await platform.loadRuntime({ kind: checked.runtime });
      if (runtime.note) run.note(runtime.note);
      await settle(platform, float, runtime, run, reader);
      return { float, quantized, runtime };
    });
    const models = await run.stage('prepare', async () => {
      const float = await ProbedModel.open(inputs.float);
      open.push({ close: () => float.dispose() });
      const quantized = await ProbedModel.open(inputs.quantized);
      open.push({ close: () => quantized.dispose() });
      return { float, quantized };
    });
    checkInputs(models);
    const limit = checked.samples;
    const passes = new SamplePasses(reader, models.float.summary);
    const known = passes.length;
    try {
      const diagnosis = await run.stage('verify', () =>
        diagnoseModels({
          ...models,
          runtime: inputs.runtime,
          run,
          samples: () => firstOf(passes, limit),
          count: known === undefined ? undefined : Math.min(known, limit),
          aloneSamples: checked.alone_samples,
          budgetBytes: checked.memory_budget * 2 ** 20,
        }),
      );
      if (diagnosis.samples === 0) throw noSamples();
      return diagnosis;
    } finally {
      await passes.close();
    }
  } finally {
    for (const one of open.reverse()) one.close();
  }
}

async function settle(
  platform: Platform<unknown>,
  input: InputFiles,
  runtime: Awaited<ReturnType<Platform<unknown>['loadRuntime']>>,
  run: Run,
  reader: SampleInput,
): Promise<void> {
  const files = new ModelFiles(input);
  const core = await CoreSession.create(files);
  try {
    const model = core.open();
    await settlePreprocess({ platform, core, files, input, model, runtime, run, reader });
  } finally {
    core.dispose();
  }
}

/** Models of which samples of one are none of the other are not the same model. */
function checkInputs({ float, quantized }: { float: ProbedModel; quantized: ProbedModel }): void {
  const names = float.summary.inputs.map(({ name }) => name);
  for (const { name } of quantized.summary.inputs) {
    if (names.includes(name)) continue;
    throw new QuantizeError(
      'INVALID_OPTION',
      say`the quantized model has an input "${name}", the float model has none of that name`,
      { tensor: name, hint: say`the inputs of the float model are: ${names.join(', ')}` },
    );
  }
}

async function* firstOf(passes: SamplePasses, limit: number): AsyncGenerator<Feeds> {
  let count = 0;
  for await (const feeds of passes.pass({ first: 0, step: 1 }, true)) {
    if (feeds === null) continue;
    yield feeds;
    if (++count >= limit) return;
  }
}
