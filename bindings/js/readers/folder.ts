// Samples from whatever was given, by its content. Paths work in Node only, whose entry point sets the lister.
import { QuantizeError } from '../errors.js';
import type { SampleSource } from '../types.js';
import { describeOthers, extensionOf, type FileInput, findFiles } from './files.js';
import { type ImageReaderOptions, imageExtensions, imageMediaType, imageSource } from './images.js';
import { npzSource } from './npz.js';

/**
 * A reader by content: of .npz files, or of JPEG and PNG images. `source` is a folder (with its
 * subfolders), a path, Files or Blobs, or a list of these. Throws QuantizeError NO_SAMPLES where there
 * is neither, INVALID_OPTION where there are both or where `preprocess` is given for .npz.
 */
export function datasetReader(source: FileInput, options: ImageReaderOptions = {}): SampleSource {
  const { files, others, place } = findFiles(source, [...imageExtensions, 'npz'], imageMediaType);
  const arrays = files.filter((file) => extensionOf(file.name) === 'npz');
  if (files.length === 0) {
    const hint = others.has('npy')
      ? 'np.savez("samples.npz", name=array) makes a .npz of a .npy'
      : '';
    throw new QuantizeError(
      'NO_SAMPLES',
      `no samples in ${place}: looked for images (.jpg, .jpeg, .png) and .npz files${describeOthers(others)}`,
      { hint },
    );
  }
  if (arrays.length === 0) return imageSource(files, options);
  if (arrays.length < files.length) {
    throw new QuantizeError(
      'INVALID_OPTION',
      `${place} has both images and .npz files: which are the samples?`,
      { hint: 'name the files, or use a folder of its own' },
    );
  }
  if (options.preprocess !== undefined) {
    throw new QuantizeError(
      'INVALID_OPTION',
      'preprocess is for images: .npz samples are used as they are',
    );
  }
  return npzSource(arrays, options);
}
