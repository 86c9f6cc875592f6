// Calibration samples from JPEG and PNG images: found, decoded and preprocessed one at a time.

import { QuantizeError } from '../../base/errors.js';
import { toFloat16 } from '../../base/float16.js';
import { type PlacedPicture, withOrigin } from '../../base/sample-origin.js';
import { say } from '../../base/text.js';
import type {
  Feeds,
  ModelSummary,
  PreprocessFinding,
  SampleSlice,
  SampleSource,
  SampleTensor,
} from '../../base/types.js';
import { extensions } from '../files/extensions.js';
import { type FileKind, type FileReaderOptions, openFiles } from '../files/file-source.js';
import type { FileInput, NamedBytes } from '../files/files.js';
import { checkSlice } from '../files/slice.js';
import { type OnUnusable, passOver } from '../files/unusable.js';
import { candidatesFor } from './candidates.js';
import { type ResolvedPreprocess, resolvePreprocess } from './guess-preprocess.js';
import { ImageTensors } from './image-tensors.js';
import { type PicturePlace, placeOfPicture } from './place.js';
import { type PartialPreprocess, parsePreprocess } from './preprocess.js';
import { readPicture } from './read-picture.js';
import { trialPictures } from './trial-pictures.js';

export interface ImageReaderOptions extends FileReaderOptions {
  /**
   * A preset's name, key=value pairs or an object, see parsePreprocess(); what is left open is
   * found by running the model, else assumed.
   */
  preprocess?: string | PartialPreprocess | Record<string, unknown> | undefined;
  /** What findPreprocess() found for these images and the model: it is not run on them again. */
  preprocessFinding?: PreprocessFinding | undefined;
  /** Reads at most this many images, the first by name. */
  limit?: number | undefined;
}

/**
 * Reads images as samples for a model with one image input: a list of paths in its order, all else
 * by name. `source`: a folder (with its subfolders), a path, a zip, Files or Blobs, or a list of
 * these. A model with a fixed batch of n gets n images a sample; the last one is filled up by
 * repeating the last image. Throws QuantizeError NO_SAMPLES, FILE_NOT_FOUND, INVALID_OPTION at
 * once; while reading INVALID_IMAGE.
 */
export function imageReader(source: FileInput, options: ImageReaderOptions = {}): SampleSource {
  return openFiles(source, imageFiles, options);
}

export const imageFiles: FileKind<ImageReaderOptions> = {
  name: 'images',
  extensions: extensions.images,
  // A browser may decode WebP and others itself.
  mediaType: 'image/',
  source: imageSource,
};

function imageSource(
  found: readonly NamedBytes[],
  { preprocess, preprocessFinding, limit }: ImageReaderOptions,
): SampleSource {
  const given = preprocess === undefined ? {} : parsePreprocess(preprocess);
  const files = found.slice(0, limit);
  const images = `${files.length} image${files.length === 1 ? '' : 's'}`;
  let resolved: ResolvedPreprocess | null = null;
  /** What was found out, by model: a source may be read for several. */
  const findings = new WeakMap<ModelSummary, PreprocessFinding>();
  const open = (model: ModelSummary, slice?: SampleSlice, unusable?: OnUnusable) => {
    const checked = checkSlice(slice);
    const turns = takeTurns(model, given, findings.get(model) ?? preprocessFinding);
    resolved = turns[0]!;
    return readImages(files, turns, checked, unusable);
  };
  return {
    files,
    get length() {
      return Math.ceil(files.length / (resolved ? batchOf(resolved) : 1));
    },
    open: (model, slice) => open(model, slice) as AsyncIterable<Feeds>,
    openUsable: open,
    describe: () => (resolved ? `${images}, ${resolved.statement}` : images),
    about: () => ({
      done: resolved ? `${images}, ${resolved.done}` : images,
      assumed: resolved?.assumed ?? [],
      ...(resolved?.found && { found: resolved.found }),
    }),
    openPreprocess: {
      known: async () => preprocessFinding,
      async candidates(model) {
        const { input, spec } = resolvePreprocess(model, given);
        return candidatesFor(given, spec.order === 'Y' ? 1 : 3, input.type);
      },
      pictures: (model, count) => trialPictures(files, resolvePreprocess(model, given), count),
      settle: (model, finding) => void findings.set(model, finding),
    },
  };
}

/** How pictures are preprocessed: one way, or where that is open those that take turns. */
function takeTurns(
  model: ModelSummary,
  given: PartialPreprocess,
  found: PreprocessFinding | undefined,
): ResolvedPreprocess[] {
  if (!found) return [resolvePreprocess(model, given)];
  return found.plausible.map((candidate) =>
    resolvePreprocess(model, given, { ...found, chosen: candidate }),
  );
}

function batchOf({ dims }: ResolvedPreprocess): number {
  return dims.length === 4 ? dims[0]! : 1;
}

/** Images that cannot be used are left out of their batch, which is filled up as the last is. */
async function* readImages(
  files: readonly NamedBytes[],
  turns: readonly ResolvedPreprocess[],
  slice: SampleSlice,
  unusable: OnUnusable | undefined,
): AsyncGenerator<Feeds | null> {
  const { input, dims } = turns[0]!;
  const batch = batchOf(turns[0]!);
  const size = dims.reduce((product, dim) => product * dim, 1);
  const imageSize = size / batch;
  const tensors: ImageTensors[] = [];
  try {
    for (const { spec } of turns) tensors.push(await ImageTensors.create(spec));
    for (let first = slice.first * batch; first < files.length; first += slice.step * batch) {
      const values = new Float32Array(size);
      const pictures: PlacedPicture[] = [];
      for (const file of files.slice(first, first + batch)) {
        const at = pictures.length * imageSize;
        const part = values.subarray(at, at + imageSize);
        const turn = tensors[(first / batch) % tensors.length]!;
        const read = await readImage(file, turn, part).catch((error: unknown) =>
          passOver(file.name, error, unusable),
        );
        if (read) pictures.push({ file: file.name, ...read });
      }
      if (pictures.length === 0) {
        yield null;
        continue;
      }
      for (let i = pictures.length; i < batch; i++) {
        values.copyWithin(i * imageSize, (i - 1) * imageSize, i * imageSize);
      }
      const feeds = { [input.name]: { type: input.type, dims, data: convert(values, input.type) } };
      yield withOrigin(feeds, {
        file: [...new Set([pictures[0]!.file, pictures.at(-1)!.file])].join(' to '),
        pictures,
      });
    }
  } finally {
    for (const one of tensors) one.dispose();
  }
}

async function readImage(
  file: NamedBytes,
  tensors: ImageTensors,
  out: Float32Array,
): Promise<PicturePlace> {
  const image = await readPicture(file);
  try {
    tensors.convert(image, out);
    return placeOfPicture(tensors.spec, image);
  } catch (error) {
    if (!(error instanceof QuantizeError) || error.code !== 'INVALID_DATA') throw error;
    throw new QuantizeError('INVALID_IMAGE', say`${file.name}: ${error.message}`, {
      ...(error.hint ? { hint: error.hint } : {}),
      cause: error,
    });
  }
}

function convert(values: Float32Array, type: string): SampleTensor['data'] {
  if (type === 'float16') return toFloat16(values);
  if (type === 'float64') return Float64Array.from(values);
  // Whole numbers 0…255: resolvePreprocess saw to it.
  if (type === 'uint8') return Uint8Array.from(values);
  return values;
}
