// A few pictures to try a preprocessing with: each whole, and as a crop that shows the same. What a
// model sees in a picture should not depend on which it is given.
import type { TrialPictures } from '../../base/types.js';
import type { NamedBytes } from '../files/files.js';
import { passOver } from '../files/unusable.js';
import type { DecodedImage } from './decode.js';
import type { ResolvedPreprocess } from './guess-preprocess.js';
import { ImageTensors } from './image-tensors.js';
import type { Triple } from './preprocess.js';
import { readPicture } from './read-picture.js';

/** The side of a crop, of the picture's. */
const cropShare = 0.9;

const zero: Triple = [0, 0, 0];
const one: Triple = [1, 1, 1];

/** `count` of the files, evenly over all of them; what can't be read is left out. */
export async function trialPictures(
  files: readonly NamedBytes[],
  { input, spec, dims }: ResolvedPreprocess,
  count: number,
): Promise<TrialPictures> {
  const order = spec.order === 'Y' ? 'Y' : 'RGB';
  // A crop has no longer the size that is wanted.
  const mode = spec.mode === 'none' ? 'stretch' : spec.mode;
  const plain = { ...spec, mode, order, mean: zero, std: one, scale: 1 } as const;
  const size = spec.width * spec.height * (order === 'Y' ? 1 : 3);
  const tensors = await ImageTensors.create(plain);
  const views: Float32Array[][] = [];
  const tensor = (image: DecodedImage) => {
    const values = new Float32Array(size);
    tensors.convert(image, values);
    return values;
  };
  try {
    for (const file of evenly(files, count)) {
      try {
        const image = await readPicture(file);
        views.push([image, crop(image)].map(tensor));
      } catch (error) {
        // The run itself names it.
        passOver(file.name, error, () => {});
      }
    }
  } finally {
    tensors.dispose();
  }
  return { input, dims, channelsLast: spec.layout === 'NHWC', views };
}

function evenly<T>(items: readonly T[], count: number): T[] {
  const taken = Math.min(count, items.length);
  return Array.from({ length: taken }, (_, i) => items[Math.floor((i * items.length) / taken)]!);
}

/** The picture without its right and lower border. */
function crop({ width, height, channels, data }: DecodedImage): DecodedImage {
  const across = Math.max(1, Math.round(width * cropShare));
  const down = Math.max(1, Math.round(height * cropShare));
  const cut = new Uint8Array(across * down * channels);
  for (let row = 0; row < down; row++) {
    const start = row * width * channels;
    cut.set(data.subarray(start, start + across * channels), row * across * channels);
  }
  return { width: across, height: down, channels, data: cut };
}
