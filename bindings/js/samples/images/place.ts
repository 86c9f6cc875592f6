// Where the pixels of a picture are in the model's input: what boxes in it are compared by.
import type { PlacedPicture } from '../../base/sample-origin.js';
import type { PreprocessSpec } from './preprocess.js';

export type PicturePlace = Omit<PlacedPicture, 'file'>;

/** As src/image/preprocess.cc resizes and crops, but for rounding to whole pixels. */
export function placeOfPicture(
  { mode, width, height, resizeShorter, align = 'center' }: PreprocessSpec,
  picture: { width: number; height: number },
): PicturePlace {
  if (mode === 'none') return { scaleX: 1, scaleY: 1, left: 0, top: 0 };
  const [x, y] = [width / picture.width, height / picture.height];
  if (mode === 'stretch') return { scaleX: x, scaleY: y, left: 0, top: 0 };
  const shorter = resizeShorter ?? Math.round((256 / 224) * Math.min(width, height));
  const scale =
    mode === 'letterbox' ? Math.min(x, y) : shorter / Math.min(picture.width, picture.height);
  const isCentred = mode === 'center' || align === 'center';
  return {
    scaleX: scale,
    scaleY: scale,
    left: isCentred ? (width - scale * picture.width) / 2 : 0,
    top: isCentred ? (height - scale * picture.height) / 2 : 0,
  };
}
