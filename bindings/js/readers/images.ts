// Calibration samples from JPEG and PNG images: found, decoded and preprocessed one at a time.
import { decodeImage } from '../decode/decode.js';
import { QuantizeError } from '../errors.js';
import { type ResolvedPreprocess, resolvePreprocess } from '../guess-preprocess.js';
import { type PartialPreprocess, parsePreprocess } from '../preprocess.js';
import type { Feeds, ModelSummary, SampleSource, SampleTensor } from '../types.js';
import { describeOthers, type FileInput, findFiles, type NamedBytes } from './files.js';
import { toFloat16 } from './float16.js';
import { ImageTensors } from './image-tensors.js';

/** Looked for in folders; a file that is named itself is decoded by its content. */
export const imageExtensions = ['jpg', 'jpeg', 'png'];

/** Dropped Files that a browser takes for images: it may decode WebP and others itself. */
export const imageMediaType = 'image/';

export interface ImageReaderOptions {
  /** A preset's name, key=value pairs or an object, see parsePreprocess(); what is left open is guessed. */
  preprocess?: string | PartialPreprocess | Record<string, unknown> | undefined;
  /** Reads at most this many images, the first by name. */
  limit?: number | undefined;
}

/**
 * Reads images as samples for a model with one image input: a list of paths in its order, all else by name. `source`: a folder
 * (with its subfolders), a path, Files or Blobs, or a list of these. A model with a fixed batch of n gets
 * n images a sample; the last one is filled up by repeating the last image.
 * Throws QuantizeError NO_SAMPLES, FILE_NOT_FOUND, INVALID_OPTION at once; while reading INVALID_IMAGE.
 */
export function imageReader(source: FileInput, options: ImageReaderOptions = {}): SampleSource {
  const { files, others, place } = findFiles(source, imageExtensions, imageMediaType);
  if (files.length === 0) {
    throw new QuantizeError(
      'NO_SAMPLES',
      `no images in ${place}: looked for .jpg, .jpeg and .png files${describeOthers(others)}`,
    );
  }
  return imageSource(files, options);
}

/** The reader of files that were found already. */
export function imageSource(
  found: readonly NamedBytes[],
  { preprocess, limit }: ImageReaderOptions,
): SampleSource {
  const given = preprocess === undefined ? {} : parsePreprocess(preprocess);
  const files = found.slice(0, limit);
  const images = `${files.length} image${files.length === 1 ? '' : 's'}`;
  let resolved: ResolvedPreprocess | null = null;
  return {
    get length() {
      return Math.ceil(files.length / (resolved ? batchOf(resolved) : 1));
    },
    open(model: ModelSummary): AsyncIterable<Feeds> {
      resolved = resolvePreprocess(model, given);
      return readImages(files, resolved);
    },
    describe: () => (resolved ? `${images}, ${resolved.statement}` : images),
  };
}

function batchOf({ dims }: ResolvedPreprocess): number {
  return dims.length === 4 ? dims[0]! : 1;
}

async function* readImages(
  files: readonly NamedBytes[],
  resolved: ResolvedPreprocess,
): AsyncGenerator<Feeds> {
  const { input, spec, dims } = resolved;
  const batch = batchOf(resolved);
  const size = dims.reduce((product, dim) => product * dim, 1);
  const tensors = await ImageTensors.create(spec);
  try {
    for (let first = 0; first < files.length; first += batch) {
      const values = new Float32Array(size);
      const step = size / batch;
      for (let i = 0; i < batch; i++) {
        const part = values.subarray(i * step, (i + 1) * step);
        const file = files[first + i];
        if (file) await readImage(file, tensors, part);
        else values.copyWithin(i * step, (i - 1) * step, i * step);
      }
      yield { [input.name]: { type: input.type, dims, data: convert(values, input.type) } };
    }
  } finally {
    tensors.dispose();
  }
}

async function readImage(
  file: NamedBytes,
  tensors: ImageTensors,
  out: Float32Array,
): Promise<void> {
  const image = await decodeImage(await file.read(0, file.size), file.name);
  try {
    tensors.convert(image, out);
  } catch (error) {
    if (!(error instanceof QuantizeError) || error.code !== 'INVALID_DATA') throw error;
    throw new QuantizeError('INVALID_IMAGE', `${file.name}: ${error.message}`, {
      ...(error.hint ? { hint: error.hint } : {}),
      cause: error,
    });
  }
}

function convert(values: Float32Array, type: string): SampleTensor['data'] {
  if (type === 'float16') return toFloat16(values);
  if (type === 'float64') return Float64Array.from(values);
  if (type === 'uint8') return Uint8Array.from(values); // whole numbers 0…255: resolvePreprocess saw to it
  return values;
}
