// Calibration samples from .npz files (numpy.savez, savez_compressed): an array for each input of the
// model, under its name, with one axis more in front: the sample. Read one sample at a time.
import { QuantizeError } from '../errors.js';
import { didYouMean } from '../near-matches.js';
import type { Feeds, ModelSummary, SampleSource, ValueSummary } from '../types.js';
import { describeOthers, type FileInput, findFiles, type NamedBytes } from './files.js';
import { type NpyHeader, readNpyHeader, swapBytes, toCOrder, toTensorData } from './npy.js';
import { readZip, ZipStream } from './zip.js';

export interface NpzReaderOptions {
  /** Reads at most this many samples. */
  limit?: number | undefined;
}

/**
 * Reads .npz files in the order of their names; samples may differ in shape from file to file. `source`:
 * a file, a folder (with its subfolders), Files or Blobs, or a list of these. Arrays that are no input
 * of the model are left alone. Throws QuantizeError NO_SAMPLES, FILE_NOT_FOUND at once; while reading
 * INVALID_DATA, which names the file, the input, and what it expects.
 */
export function npzReader(source: FileInput, options: NpzReaderOptions = {}): SampleSource {
  const { files, others, place } = findFiles(source, ['npz']);
  if (files.length === 0) {
    throw new QuantizeError('NO_SAMPLES', `no .npz files in ${place}${describeOthers(others)}`);
  }
  return npzSource(files, options);
}

/** The reader of files that were found already. */
export function npzSource(
  files: readonly NamedBytes[],
  { limit = Number.POSITIVE_INFINITY }: NpzReaderOptions,
): SampleSource {
  const place = files.length === 1 ? files[0]!.name : `${files.length} .npz files`;
  let count: number | undefined;
  return {
    // Known when all was read once: the number is inside the files.
    get length() {
      return count as number;
    },
    async *open(model: ModelSummary) {
      let index = 0;
      reading: for (const file of files) {
        for await (const sample of readNpz(file, model)) {
          if (index >= limit) break reading;
          index++;
          yield sample;
        }
      }
      if (index === 0)
        throw new QuantizeError('NO_SAMPLES', `no samples in ${place}: its arrays are empty`);
      count = index;
    },
    describe: () => (count === undefined ? place : `${count} samples of ${place}`),
  };
}

interface OpenArray {
  input: ValueSummary;
  header: NpyHeader;
  stream: ZipStream;
  /** Shape of one sample. */
  dims: number[];
  /** The rest of a Fortran-ordered array, which can't be read sample by sample. */
  rest: Uint8Array<ArrayBuffer> | null;
}

async function* readNpz(file: NamedBytes, model: ModelSummary): AsyncGenerator<Feeds> {
  const arrays = await openArrays(file, model.inputs);
  const samples = arrays[0]?.header.shape[0] ?? 0;
  for (const { input, header } of arrays) {
    if (header.shape[0] === samples) continue;
    throw invalid(
      file,
      `"${input.name}" has ${header.shape[0]} samples, "${arrays[0]!.input.name}" has ${samples}`,
      input,
    );
  }
  for (let index = 0; index < samples; index++) {
    const feeds: Feeds = {};
    for (const array of arrays) {
      const { header, dims } = array;
      const size = dims.reduce((product, dim) => product * dim, header.itemSize);
      const bytes = await readSample(array, size, index);
      if (header.bigEndian) swapBytes(bytes, header.itemSize);
      feeds[array.input.name] = { type: header.type, dims, data: toTensorData(bytes, header.type) };
    }
    yield feeds;
  }
}

async function readSample(
  array: OpenArray,
  size: number,
  index: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { header, stream } = array;
  if (!header.fortranOrder) return stream.read(size);
  array.rest ??= toCOrder(await stream.read(stream.left), header.shape, header.itemSize);
  return array.rest.slice(index * size, (index + 1) * size);
}

async function openArrays(file: NamedBytes, inputs: readonly ValueSummary[]): Promise<OpenArray[]> {
  const entries = new Map<string, Awaited<ReturnType<typeof readZip>>[number]>();
  for (const entry of await readZip(file)) entries.set(entry.name.replace(/\.npy$/, ''), entry);
  const arrays: OpenArray[] = [];
  for (const input of inputs) {
    const entry = entries.get(input.name);
    if (!entry) {
      const names = [...entries.keys()];
      const hint = didYouMean(input.name, names) || `its arrays are: ${names.join(', ') || 'none'}`;
      throw invalid(
        file,
        `no array "${input.name}", which the model needs as ${describe(input)}`,
        input,
        hint,
      );
    }
    const stream = new ZipStream(file, entry);
    const header = await readNpyHeader((count) => stream.read(count)).catch((error: Error) => {
      if (error instanceof QuantizeError) throw error;
      throw invalid(file, `"${input.name}": ${error.message}`, input);
    });
    checkArray(file, input, header, stream.left);
    arrays.push({ input, header, stream, dims: header.shape.slice(1), rest: null });
  }
  return arrays;
}

function checkArray(file: NamedBytes, input: ValueSummary, header: NpyHeader, size: number): void {
  const { shape, type, itemSize } = header;
  const received = `${type} [${shape.join(',')}]`;
  const expected = `input "${input.name}" expects ${describe(input)} for each sample`;
  if (shape.length === 0) {
    throw invalid(
      file,
      `${expected}, the array is one value`,
      input,
      'add an axis for the samples: array[None]',
    );
  }
  if (shape.reduce((product, dim) => product * dim, itemSize) !== size) {
    throw invalid(file, `"${input.name}" is said to be ${received}, which is not its size`, input);
  }
  if (type !== input.type) {
    const hint = `convert it: array.astype("${input.type}")`;
    throw invalid(file, `${expected}, the array is ${received}`, input, hint);
  }
  const dims = shape.slice(1);
  if (input.shape === null) return;
  const matches =
    dims.length === input.shape.length &&
    input.shape.every((dim, i) => typeof dim !== 'number' || dim <= 0 || dim === dims[i]);
  if (matches) return;
  const missing = shape.length === input.shape.length;
  const hint = missing
    ? 'the first axis counts the samples; each sample keeps its own batch axis: array[:, None]'
    : '';
  throw invalid(file, `${expected}, the array is ${received}`, input, hint);
}

function describe(input: ValueSummary): string {
  const dims = input.shape?.map((dim) => dim ?? '?').join(',');
  return `${input.type}${dims === undefined ? '' : ` [${dims}]`}`;
}

function invalid(file: NamedBytes, message: string, input: ValueSummary, hint = ''): QuantizeError {
  return new QuantizeError('INVALID_DATA', `${file.name}: ${message}`, {
    tensor: input.name,
    hint,
  });
}
