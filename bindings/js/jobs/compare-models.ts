// Two models beside each other on the same samples: how far their outputs are apart, how fast they
// are, how large.
import type { ExternalData, InputFiles, ModelInput } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { Run, type RunOptions } from '../base/run.js';
import type { Feeds, ModelSummary } from '../base/types.js';
import { noSamples } from '../calibration/sample-passes.js';
import { ModelFiles } from '../core/host-files.js';
import { CoreSession } from '../core/session.js';
import { Comparison } from '../evaluation/comparison.js';
import {
  type LoadedModel,
  loadModel,
  measureLatency,
  runModel,
} from '../evaluation/measured-models.js';
import type { MeasuredModel, ModelComparison } from '../evaluation/report.js';
import { settlePreprocess } from '../evidence/find-preprocess.js';
import { compareOptions } from '../options/measuring.js';
import type { ParametersOf } from '../options/spec.js';
import { checkOptions, readParameters } from '../options/validate.js';
import type { Platform, RuntimeKind } from '../platform/platform.js';
import { checkSample, copySample, openSamples, type SampleInput } from '../samples/samples.js';

export interface CompareModelsOptions extends RunOptions, ParametersOf<typeof compareOptions> {
  /** The model that is compared with: a path (Node), its bytes, or a File or Blob. */
  modelA: ModelInput;
  modelB: ModelInput;
  /** External data by name, where a model is not a path. */
  externalDataA?: ExternalData | undefined;
  externalDataB?: ExternalData | undefined;
  /** Samples as for quantizeStatic(). */
  calibrationDataReader: SampleInput;
}

const sourceKeys = [
  'modelA',
  'modelB',
  'externalDataA',
  'externalDataB',
  'calibrationDataReader',
  'signal',
  'onProgress',
  'onDiagnostic',
] as const satisfies readonly (keyof CompareModelsOptions)[];

/** Throws QuantizeError INVALID_OPTION, INVALID_DATA, NO_SAMPLES, and as loading a model does. */
export async function compareModelsOn(
  platform: Platform<unknown>,
  options: CompareModelsOptions,
): Promise<ModelComparison> {
  const { runtime } = checkOptions(
    compareOptions,
    readParameters(compareOptions, options, sourceKeys),
  );
  const given = [
    { model: options.modelA, data: options.externalDataA },
    { model: options.modelB, data: options.externalDataB },
  ];
  const run = new Run(options);
  const reader = options.calibrationDataReader;
  return withModels(platform, given, { runtime, run, reader }, async (models, samples) => {
    const [a, b] = models as [LoadedModel, LoadedModel];
    const shared = a.summary.outputs.filter(
      ({ name }) => a.outputs.includes(name) && b.outputs.includes(name),
    );
    if (shared.length === 0) {
      throw new QuantizeError('INVALID_OPTION', 'the models have no output of the same name', {
        hint: `outputs of the first: ${a.outputs.join(', ')}; of the second: ${b.outputs.join(', ')}`,
      });
    }
    const comparison = new Comparison(shared);
    await samples(async (feeds, index) => {
      comparison.add(await runModel(a, feeds, index), await runModel(b, feeds, index));
    });
    return comparison.result();
  });
}

interface MeasuringInput {
  runtime: RuntimeKind | null;
  run: Run;
  reader: SampleInput;
}

/** Runs `each` for every sample. */
export type ForEachSample = (each: (feeds: Feeds, index: number) => Promise<void>) => Promise<void>;

/** Opens and loads models, has them measured, and measures how long they take. */
export async function withModels<Result>(
  platform: Platform<unknown>,
  given: readonly { model: ModelInput; data?: ExternalData | undefined }[],
  { runtime: kind, run, reader }: MeasuringInput,
  work: (models: LoadedModel[], samples: ForEachSample) => Promise<Result>,
): Promise<Result & { description: string; models: MeasuredModel[] }> {
  const inputs: InputFiles[] = [];
  const models: LoadedModel[] = [];
  try {
    await run.stage('load', async () => {
      for (const { model, data } of given) inputs.push(await platform.openInput(model, data ?? {}));
      const runtime = await platform.loadRuntime({ kind });
      if (runtime.note) run.note(runtime.note);
      for (const input of inputs) models.push(await loadModel(runtime, input));
      checkInputs(models.map(({ summary }) => summary));
      await settlePreprocessOf({ platform, input: inputs[0]!, runtime, run, reader }, models[0]!);
    });
    const opened = openSamples(reader, models[0]!.summary);
    let first: Feeds | null = null;
    const start = performance.now();
    const result = await run.stage('verify', () =>
      work(models, async (each) => {
        let index = 0;
        for await (const feeds of opened.samples) {
          if (feeds === null) continue;
          checkSample(feeds, models[0]!.summary.inputs, index);
          first ??= copySample(feeds);
          await each(feeds, index);
          run.samples('verify', ++index, opened.length, performance.now() - start);
          await run.checkpoint();
        }
        if (index === 0) throw noSamples();
      }),
    );
    const latencies = await measureLatency(models, first!, () => run.checkpoint());
    const measured = models.map(({ bytes }, i): MeasuredModel => {
      const { model } = given[i]!;
      const name = typeof model === 'string' ? model : `model ${i + 1}`;
      return { model: name, bytes, latency: latencies[i]! };
    });
    return { ...result, description: opened.describe(), models: measured };
  } finally {
    for (const { session } of models) await session.release();
    for (const input of inputs) input.close();
  }
}

/** As quantizeStatic() does: where nobody says how pictures are preprocessed. */
async function settlePreprocessOf(
  given: Omit<Parameters<typeof settlePreprocess>[0], 'core' | 'files' | 'model'>,
  { summary }: LoadedModel,
): Promise<void> {
  const files = new ModelFiles(given.input);
  const core = await CoreSession.create(files);
  try {
    core.open();
    await settlePreprocess({ ...given, core, files, model: summary });
  } finally {
    core.dispose();
  }
}

/** The others may have fewer inputs than the first, and none that it lacks. */
function checkInputs([first, ...others]: readonly ModelSummary[]): void {
  const names = first!.inputs.map(({ name }) => name);
  for (const { name } of others.flatMap(({ inputs }) => inputs)) {
    if (names.includes(name)) continue;
    throw new QuantizeError(
      'INVALID_OPTION',
      `a model has an input "${name}", the first one has none of that name`,
      { tensor: name, hint: `the inputs of the first model are: ${names.join(', ')}` },
    );
  }
}
