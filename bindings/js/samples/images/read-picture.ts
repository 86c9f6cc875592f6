// A file as a decoded image.
import type { NamedBytes } from '../files/files.js';
import { checkStart, type DecodedImage, decodeImage } from './decode.js';

const readAtOnce = 32 * 2 ** 20;
const firstBytes = 1 << 16;

/** Throws INVALID_IMAGE. */
export async function readPicture(file: NamedBytes): Promise<DecodedImage> {
  // Larger ones say at their beginning whether they are worth reading.
  if (file.size > readAtOnce) checkStart(await file.read(0, firstBytes), file.name, file.size);
  return decodeImage(await file.read(0, file.size), file.name);
}
