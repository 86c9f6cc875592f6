// The parameters of the commands that measure and change nothing: debug, compare and evaluate.
import { runtimeKinds } from '../platform/platform.js';
import { quantizeStaticOptions } from './quantize-static.js';
import { type CheckedOf, groups, type OptionSpec } from './spec.js';

const samplesApi = 'calibrationDataReader: datasetReader(path, { preprocess, sampleRate })';

/** The samples, as quantize_static takes them, and what runs them. */
const sampleOptions = [
  {
    name: 'calibrate_dataset',
    kind: 'paths',
    default: null,
    for: ['command'],
    group: groups.files,
    aliases: ['dataset', 'calibration_data'],
    help: 'samples: folder, list or .zip of images (JPEG, PNG), of .npz, .npy, .wav or raw float32 files, or of test_data_set folders',
    api: samplesApi,
  },
  ...quantizeStaticOptions.filter(
    (spec): spec is Extract<typeof spec, { name: 'preprocess' | 'sample_rate' }> =>
      spec.name === 'preprocess' || spec.name === 'sample_rate',
  ),
  {
    name: 'runtime',
    kind: 'enum',
    values: runtimeKinds,
    default: null,
    for: ['run'],
    group: groups.steps,
    help: 'onnxruntime that runs the models: web (WebAssembly), node (onnxruntime-node) or, in browsers, webgpu; where absent node if it is installed, else web',
  },
] as const satisfies readonly OptionSpec[];

const strictOption = {
  name: 'strict',
  kind: 'boolean',
  default: false,
  for: ['command'],
  group: groups.steps,
  help: 'end with exit code 3 below a line that is given with it',
  api: 'the result, which has the figures',
} as const satisfies OptionSpec;

const line = <Name extends string>(name: Name, help: string) =>
  ({
    name,
    kind: 'number',
    default: null,
    for: ['command'],
    group: groups.steps,
    help,
    api: 'the result, which has the figures',
  }) as const satisfies OptionSpec;

export const debugOptions = [
  {
    name: 'model_input',
    kind: 'path',
    default: null,
    for: ['command'],
    group: groups.files,
    aliases: ['input_model', 'float_model', 'i'],
    help: 'the float model; the first word without a flag',
  },
  {
    name: 'quantized_model',
    kind: 'path',
    default: null,
    for: ['command'],
    group: groups.files,
    aliases: ['qdq_model'],
    help: 'what was made of it; the second word without a flag',
  },
  ...sampleOptions,
  {
    name: 'samples',
    kind: 'integer',
    default: 16,
    for: ['run'],
    min: 1,
    group: groups.steps,
    help: 'at most so many samples, the first in order',
  },
  {
    name: 'alone_samples',
    kind: 'integer',
    default: 2,
    for: ['run'],
    min: 0,
    group: groups.steps,
    help: "with so many of these each layer's own error is followed to the outputs; 0: not, which is faster",
  },
  {
    name: 'memory_budget',
    kind: 'integer',
    default: 512,
    for: ['run'],
    min: 1,
    group: groups.steps,
    help: 'MiB for tensors that are held at a time, kept by running the samples more often',
  },
  {
    name: 'order',
    kind: 'enum',
    values: ['worst', 'graph'],
    default: 'worst',
    for: ['command'],
    group: groups.steps,
    help: 'of the table: what does most harm first, or as the graph has it',
    api: 'layers, which are in graph order',
  },
] as const satisfies readonly OptionSpec[];

export const compareOptions = [
  {
    name: 'model_a',
    kind: 'path',
    default: null,
    for: ['command'],
    group: groups.files,
    help: 'the model that is compared with, such as the float one; the first word without a flag',
  },
  {
    name: 'model_b',
    kind: 'path',
    default: null,
    for: ['command'],
    group: groups.files,
    help: 'the other model; the second word without a flag',
  },
  ...sampleOptions,
  strictOption,
  line('min_sqnr', 'dB that the worst output must have'),
  line('min_agreement', 'share of rows that must have the same top class, 0 to 1'),
] as const satisfies readonly OptionSpec[];

export const evaluateOptions = [
  {
    name: 'models',
    kind: 'paths',
    default: null,
    for: ['command'],
    group: groups.files,
    help: 'models to evaluate on the same samples; the words without a flag',
  },
  {
    name: 'labels',
    kind: 'path',
    default: null,
    for: ['command'],
    group: groups.files,
    help: 'CSV or JSON of file and label, or COCO annotations of boxes; where absent each folder of the samples is a class',
    api: 'labels, which receives its text',
  },
  ...sampleOptions,
  strictOption,
  line('min_top1', 'share of samples whose top class must be right, 0 to 1'),
  line(
    'min_map',
    'mean average precision of boxes (IoU 0.50 to 0.95) that must be reached, 0 to 1',
  ),
] as const satisfies readonly OptionSpec[];

export type CheckedDebug = CheckedOf<typeof debugOptions>;
export type CheckedCompare = CheckedOf<typeof compareOptions>;
export type CheckedEvaluate = CheckedOf<typeof evaluateOptions>;
