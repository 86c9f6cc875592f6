// Samples from whatever was given, by its content. Paths work in Node only, whose entry point sets
// the lister.

import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';
import type { SampleSource } from '../base/types.js';
import { npyFiles } from './arrays/npy-reader.js';
import { npzFiles } from './arrays/npz.js';
import { pbFiles } from './arrays/pb.js';
import { rawFiles } from './arrays/raw.js';
import { sampleExtensions } from './files/extensions.js';
import { type FileKind, listOf, noSamples, withZips } from './files/file-source.js';
import {
  describeOthers,
  extensionOf,
  type FileInput,
  type FileListing,
  listFiles,
  pickFiles,
} from './files/files.js';
import { type ImageReaderOptions, imageFiles } from './images/images.js';
import { type WavReaderOptions, wavFiles } from './sounds/wav.js';

export interface DatasetReaderOptions extends ImageReaderOptions, WavReaderOptions {
  /** Reads at most this many samples (of images: this many images), the first in order. */
  limit?: number | undefined;
}

const kinds: readonly FileKind<DatasetReaderOptions>[] = [
  imageFiles,
  npyFiles,
  npzFiles,
  pbFiles,
  wavFiles,
  rawFiles,
];

/** Text is not read: a model does not say how text becomes its tokens. */
const textExtensions = ['txt', 'json', 'jsonl', 'csv'];

/** Options that only one kind of files has. */
const ownOptions = {
  preprocess: imageFiles,
  preprocessFinding: imageFiles,
  sampleRate: wavFiles,
} as const;

/**
 * A reader by content: of JPEG and PNG images, of .npy, .npz, .pb (test_data_set_*), .wav or raw
 * float32 files (.raw, .bin, .f32). `source` is a folder (with its subfolders), a path, Files or
 * Blobs, or a list of these; a .zip that is given stands for the files in it. Throws QuantizeError
 * NO_SAMPLES where there is nothing of these, INVALID_OPTION where there is more than one kind or
 * an option is for another kind; for a zip not before it is opened.
 */
export function datasetReader(source: FileInput, options: DatasetReaderOptions = {}): SampleSource {
  return withZips(listFiles(source, imageFiles.mediaType), (listing) => open(listing, options));
}

function open(listing: FileListing, options: DatasetReaderOptions): SampleSource {
  const { files, others, place } = pickFiles(listing, sampleExtensions, textExtensions);
  if (files.length === 0) {
    const looked = `images (.jpg, .jpeg, .png) and ${sampleExtensions
      .slice(imageFiles.extensions.length)
      .map((extension) => `.${extension}`)
      .join(', ')} files`;
    const message = `no samples in ${place}: looked for ${looked}${describeOthers(others)}`;
    if (others.size === 0 || ![...others.keys()].every((name) => textExtensions.includes(name))) {
      throw noSamples(message, others);
    }
    throw new QuantizeError('NO_SAMPLES', message, {
      hint: 'text needs your own reader: give calibrationDataReader an object with getNext() that returns tokens as int64 tensors',
    });
  }
  // What has no known extension was named, or has a media type: it is decoded as an image.
  const kindOf = (name: string) =>
    kinds.find((kind) => kind.extensions.includes(extensionOf(name))) ?? imageFiles;
  const present = [...new Set(files.map((file) => kindOf(file.name)))];
  const kind = present[0]!;
  if (present.length > 1) {
    const both = present.length === 2 ? 'both ' : '';
    throw new QuantizeError(
      'INVALID_OPTION',
      say`${place} has ${both}${listOf(present.map(({ name }) => name))}: which are the samples?`,
      { hint: 'name the files, or use a folder of its own' },
    );
  }
  for (const [option, owner] of Object.entries(ownOptions)) {
    if (owner === kind || options[option as keyof typeof ownOptions] === undefined) continue;
    throw new QuantizeError(
      'INVALID_OPTION',
      say`${option} is for ${owner.name}: ${kind.name} are used as they are`,
    );
  }
  return kind.source(files, options);
}
