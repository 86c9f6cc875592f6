// Models on samples with labels: how often the best class is right, and how well boxes fit.
import type { ExternalData, ModelInput } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { Run, type RunOptions } from '../base/run.js';
import { originOf } from '../base/sample-origin.js';
import type { Feeds, SampleSource } from '../base/types.js';
import { Classification } from '../evaluation/classification.js';
import { CocoBoxes } from '../evaluation/coco.js';
import { Detection, pictureSize } from '../evaluation/detection.js';
import { folderLabels, type Labels, parseLabels } from '../evaluation/labels.js';
import { type LoadedModel, runModel } from '../evaluation/measured-models.js';
import type { Evaluation } from '../evaluation/report.js';
import { evaluateOptions } from '../options/measuring.js';
import type { ParametersOf } from '../options/spec.js';
import { checkOptions, readParameters } from '../options/validate.js';
import type { Platform } from '../platform/platform.js';
import type { SampleInput } from '../samples/samples.js';
import { withModels } from './compare-models.js';

export interface EvaluateOptions extends RunOptions, ParametersOf<typeof evaluateOptions> {
  /** Each a path (Node), bytes, or a File or Blob. */
  models: readonly ModelInput[];
  /** External data of each, by name, where a model is not a path. */
  externalData?: readonly ExternalData[] | undefined;
  /** datasetReader() or the reader of one kind: samples must know their files. */
  calibrationDataReader: SampleInput;
  /** The text of a CSV or JSON of file and label; absent: the folder of each file is its class. */
  labels?: string | undefined;
}

const sourceKeys = [
  'models',
  'externalData',
  'calibrationDataReader',
  'labels',
  'signal',
  'onProgress',
  'onDiagnostic',
] as const satisfies readonly (keyof EvaluateOptions)[];

/** Throws QuantizeError INVALID_OPTION, INVALID_DATA, NO_SAMPLES, and as loading a model does. */
export async function evaluateOn(
  platform: Platform<unknown>,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { runtime } = checkOptions(
    evaluateOptions,
    readParameters(evaluateOptions, options, sourceKeys),
  );
  const { models: given, calibrationDataReader: reader, labels: text } = options;
  if (given.length === 0) throw new QuantizeError('INVALID_OPTION', 'models is empty');
  const boxes = text === undefined ? null : CocoBoxes.parse(text, 'labels');
  const labels = boxes === null ? labelsOf(text, reader) : null;
  const run = new Run(options);
  const sources = given.map((model, i) => ({ model, data: options.externalData?.[i] }));
  const result = await withModels(
    platform,
    sources,
    { runtime, run, reader },
    async (models, samples) => {
      const scorers = models.map((model) =>
        boxes ? new DetectionScorer(model, boxes) : new ClassScorer(model, labels!),
      );
      let count = 0;
      await samples(async (feeds, index) => {
        for (const [i, model] of models.entries()) {
          await scorers[i]!.add(await runModel(model, feeds, index), feeds);
        }
        count = index + 1;
      });
      return { samples: count, scores: scorers.map((scorer) => scorer.result()) };
    },
  );
  const { scores, models, ...rest } = result;
  return {
    ...rest,
    labels: boxes?.description ?? labels!.description,
    models: models.map((model, i) => ({ ...model, ...scores[i]! })),
  };
}

function labelsOf(text: string | undefined, reader: SampleInput): Labels {
  if (text !== undefined) return parseLabels(text, 'labels');
  const { files } = reader as Partial<SampleSource>;
  return folderLabels((files ?? []).map(({ name }) => name));
}

type Outputs = Awaited<ReturnType<typeof runModel>>;

/** The files of a sample's rows. Throws INVALID_DATA for samples that come from no file. */
function filesOf(feeds: Feeds): readonly string[] {
  const origin = originOf(feeds);
  if (origin) return origin.pictures?.map(({ file }) => file) ?? [origin.file];
  throw new QuantizeError('INVALID_DATA', 'a sample comes from no file, so it has no label', {
    hint: 'use datasetReader() or the reader of one kind of files',
  });
}

class ClassScorer {
  readonly #sums = new Classification();
  readonly #output: string;
  readonly #labels: Labels;

  constructor({ outputs }: LoadedModel, labels: Labels) {
    this.#output = outputs[0]!;
    this.#labels = labels;
  }

  add(outputs: Outputs, feeds: Feeds): void {
    const labels = filesOf(feeds).map((file) => this.#labels.classOf(file));
    this.#sums.add(this.#output, outputs[this.#output]!, labels);
  }

  result() {
    return { classification: this.#sums.result(), detection: null };
  }
}

class DetectionScorer {
  readonly #sums: Detection;
  readonly #model: LoadedModel;

  constructor(model: LoadedModel, boxes: CocoBoxes) {
    this.#model = model;
    this.#sums = new Detection(boxes);
  }

  add(outputs: Outputs, feeds: Feeds): void {
    const pictures = originOf(feeds)?.pictures ?? [];
    if (pictures.length !== 1) {
      throw new QuantizeError(
        'INVALID_DATA',
        `boxes are evaluated picture by picture, and a sample has ${pictures.length}`,
        { hint: 'use a model with a batch of 1, or a free one, and pictures as samples' },
      );
    }
    const { summary } = this.#model;
    const { dims } = feeds[summary.inputs[0]!.name]!;
    this.#sums.add(outputs, pictures[0]!, pictureSize(summary, dims));
  }

  result() {
    return { classification: null, detection: this.#sums.result() };
  }
}
