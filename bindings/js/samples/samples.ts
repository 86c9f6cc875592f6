// Samples from whatever the caller has (a shipped source, an object with getNext(), an iterable),
// each checked against the model's inputs before it reaches onnxruntime, so that errors name the
// sample.
import { QuantizeError } from '../base/errors.js';
import { describeInput, describeTensor, takesShape } from '../base/inputs.js';
import { didYouMean } from '../base/near-matches.js';
import { originOf, withOrigin } from '../base/sample-origin.js';
import { type Sentence, say } from '../base/text.js';
import type {
  CalibrationDataReader,
  Feeds,
  ModelSummary,
  SampleSlice,
  SampleSource,
  SamplesAbout,
  TensorData,
  ValueSummary,
} from '../base/types.js';
import { aboutSamples } from './files/file-source.js';
import { checkSlice, nextInSlice } from './files/slice.js';
import type { OnUnusable } from './files/unusable.js';

/** Anything that quantizeStatic takes as its calibrationDataReader. */
export type SampleInput =
  | SampleSource
  | CalibrationDataReader
  | AsyncIterable<Feeds>
  | Iterable<Feeds>;

export interface OpenSamples {
  /** With null for a sample that was passed over, where there is somebody to be told. */
  samples: AsyncIterable<Feeds | null>;
  /** Number of samples, where known before reading; for a zip, when the first was read. */
  readonly length: number | undefined;
  describe(): string;
  about(): SamplesAbout;
}

/**
 * Opens the samples, or those of a slice: a shipped source skips the others, all else is read past
 * them. `unusable`: told of files that are passed over; without it they are errors. Throws
 * INVALID_OPTION where `input` is nothing that has samples.
 */
export function openSamples(
  input: SampleInput,
  model: ModelSummary,
  slice?: SampleSlice,
  unusable?: OnUnusable,
): OpenSamples {
  const any = input as Partial<SampleSource & CalibrationDataReader> & {
    get_next?: unknown;
    [Symbol.asyncIterator]?: unknown;
    [Symbol.iterator]?: unknown;
  };
  if (typeof any.open === 'function') {
    const source = input as SampleSource;
    const usable = unusable && source.openUsable?.(model, checkSlice(slice), unusable);
    const samples = usable ?? source.open(model, slice);
    return {
      samples,
      get length() {
        return source.length;
      },
      describe: () => source.describe(),
      about: () => aboutSamples(source),
    };
  }
  const describe = () => 'samples of a reader';
  const length = typeof any.length === 'number' ? any.length : undefined;
  const every = allSamples(input, any);
  const samples = slice ? sliceOf(every, checkSlice(slice)) : every;
  return { samples, length, describe, about: () => ({ done: describe(), assumed: [] }) };
}

function allSamples(
  input: SampleInput,
  any: { getNext?: unknown; [Symbol.asyncIterator]?: unknown; [Symbol.iterator]?: unknown },
): AsyncIterable<Feeds> {
  if (typeof any.getNext === 'function') return drain(input as CalibrationDataReader);
  if (typeof any[Symbol.asyncIterator] === 'function') return input as AsyncIterable<Feeds>;
  if (typeof any[Symbol.iterator] === 'function' && typeof input !== 'string') {
    return fromIterable(input as Iterable<Feeds>);
  }
  throw new QuantizeError(
    'INVALID_OPTION',
    'calibrationDataReader: expected a reader (an object with getNext()) or an iterable of samples',
    typeof input === 'string' ? { hint: 'for a folder use datasetReader(path)' } : {},
  );
}

async function* drain(reader: CalibrationDataReader): AsyncIterable<Feeds> {
  for (;;) {
    const sample = await reader.getNext();
    if (sample === null || sample === undefined) return;
    yield sample;
  }
}

async function* fromIterable(samples: Iterable<Feeds>): AsyncIterable<Feeds> {
  yield* samples;
}

async function* sliceOf(samples: AsyncIterable<Feeds>, slice: SampleSlice): AsyncIterable<Feeds> {
  let index = 0;
  for await (const sample of samples) {
    if (nextInSlice(slice, index) === index) yield sample;
    index++;
  }
}

const arrayTypes: Record<string, string> = {
  float32: 'Float32Array',
  float64: 'Float64Array',
  int8: 'Int8Array',
  uint8: 'Uint8Array',
  int16: 'Int16Array',
  uint16: 'Uint16Array',
  int32: 'Int32Array',
  uint32: 'Uint32Array',
  int64: 'BigInt64Array',
  uint64: 'BigUint64Array',
  bool: 'Uint8Array',
  string: 'Array',
};

/**
 * Checks one sample: exactly the model's inputs, of their types and shapes. `index` counts from 0.
 * Throws QuantizeError INVALID_DATA that names the sample (from 1) and the input.
 */
export function checkSample(feeds: Feeds, inputs: readonly ValueSummary[], index: number): void {
  const sample = say`sample ${index + 1}`;
  const problem = (message: Sentence, input?: string, hint?: Sentence) =>
    new QuantizeError('INVALID_DATA', message, {
      ...(input ? { tensor: input } : {}),
      hint,
    });
  if (typeof feeds !== 'object' || feeds === null) {
    throw problem(say`${sample}: expected an object of tensors by input name`);
  }
  const names = inputs.map((input) => input.name);
  for (const name of Object.keys(feeds)) {
    if (!names.includes(name)) {
      const hint = didYouMean(name, names) ?? say`the model's inputs are: ${names.join(', ')}`;
      throw problem(say`${sample} has "${name}", which is not an input of the model`, name, hint);
    }
  }
  for (const input of inputs) {
    const tensor = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined;
    if (!tensor) throw problem(say`${sample} has no input '${input.name}'`, input.name);
    if (input.type !== tensor.type || !takesShape(input, tensor.dims)) {
      const expected = input.shape ? describeInput(input) : say`${input.type} of any shape`;
      const received = describeTensor(tensor.type, tensor.dims);
      throw problem(
        say`input '${input.name}' expects ${expected}, ${sample} has ${received}`,
        input.name,
      );
    }
    const size = tensor.dims.reduce((product, dim) => product * dim, 1);
    const arrayType = tensor.data?.constructor?.name;
    const arrayFits =
      !Object.hasOwn(arrayTypes, tensor.type) || arrayTypes[tensor.type] === arrayType;
    if (tensor.data?.length !== size || !arrayFits) {
      throw problem(
        say`input '${input.name}': ${describeTensor(tensor.type, tensor.dims)} needs ${size} values in a ${arrayTypes[tensor.type] ?? 'typed array'}, ${sample} has ${tensor.data?.length} in a ${arrayType}`,
        input.name,
      );
    }
  }
}

/** Bytes that tensors hold. */
export function sampleBytes(tensors: Feeds): number {
  return Object.values(tensors).reduce((sum, { data }) => sum + dataBytes(data), 0);
}

const dataBytes = (data: TensorData) =>
  Array.isArray(data) ? 2 * data.reduce((sum, text) => sum + text.length, 0) : data.byteLength;

/** A copy: readers may fill the same array again for the next sample. */
export function copySample(feeds: Feeds): Feeds {
  const copies = Object.entries(feeds).map(([name, { type, dims, data }]) => [
    name,
    { type, dims: [...dims], data: data.slice() },
  ]);
  return withOrigin(Object.fromEntries(copies), originOf(feeds));
}
