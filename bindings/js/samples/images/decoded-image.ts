// What all decoders return, throw and get from the platform.

import { QuantizeError } from '../../base/errors.js';
import { say } from '../../base/text.js';

/**
 * Interleaved 8-bit pixels, as stored: not rotated by EXIF, no colour profile applied, alpha not
 * blended.
 */
export interface DecodedImage {
  width: number;
  height: number;
  /** Grey; RGB; or RGBA, of which the fourth channel counts for models of four channels only. */
  channels: 1 | 3 | 4;
  data: Uint8Array | Uint8ClampedArray;
}

/** What the platform adds to decoding. */
export interface DecodePlatform {
  /** The compiled JPEG decoder; null: its script fetches the file beside it. */
  compileJpegDecoder(): Promise<WebAssembly.Module | null>;
  /** Formats beyond JPEG and PNG; null where the platform has no decoder for these bytes. */
  decodeOther(bytes: Uint8Array): Promise<DecodedImage | null>;
}

/** Pillow's limit: beyond it an image is taken for one that is made to use up the memory. */
export const mostPixels = 178_956_970;
/** Bytes of a file that holds an image. */
export const mostImageBytes = 2 ** 30;

/** Before memory is taken for its pixels. Throws INVALID_IMAGE. */
export function checkSize(name: string, width: number, height: number): void {
  const pixels = width * height;
  if (pixels <= mostPixels) return;
  throw invalidImage(name, `has ${width}x${height} pixels, and at most ${mostPixels} are read`);
}

/** The error that every decoder throws. `why` continues "<name> …". */
export function invalidImage(name: string, why: string, hint = '', cause?: unknown): QuantizeError {
  return new QuantizeError('INVALID_IMAGE', say`${name} ${why}`, { hint, cause });
}
