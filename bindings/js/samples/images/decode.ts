// JPEG and PNG to 8-bit pixels, by the same code in Node and in browsers, and with the bytes that
// Python's Pillow gives. A browser's own decoder would do for JPEG (with three flags, in Chromium),
// but not for PNG with transparency, and not the same way everywhere.
import { browserDecodePlatform } from './decode-browser.js';
import {
  checkSize,
  type DecodedImage,
  type DecodePlatform,
  invalidImage,
  mostImageBytes,
} from './decoded-image.js';
import { decodeJpeg, loadJpegDecoder, readFrame } from './jpeg.js';
import { decodePng, pngSize } from './png.js';

export type { DecodedImage, DecodePlatform } from './decoded-image.js';

// What needs no set-up is the browser: its entry point has nothing to run.
let platform: DecodePlatform = browserDecodePlatform;

/** Sets what the platform adds. Called by set-up-node.ts. */
export function setDecodePlatform(value: DecodePlatform): void {
  platform = value;
}

/** Loads the JPEG decoder ahead of its first use, for pages that must not use the network later. */
export async function loadDecoders(): Promise<void> {
  await loadJpegDecoder(platform);
}

/**
 * Decodes one image. The format is told from the first bytes, never from `name`, which is for
 * messages. Throws QuantizeError INVALID_IMAGE for another format, a damaged or a truncated image.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<DecodedImage> {
  if (isJpeg(bytes)) return decodeJpeg(bytes, name, platform);
  if (isPng(bytes)) return decodePng(bytes, name);
  const other = await platform.decodeOther(bytes);
  if (other) return other;
  throw invalidImage(name, `is not a JPEG or PNG: ${describeStart(bytes)}`);
}

/**
 * Refuses an image that is too large before all of it is read. `start`: its first bytes. Throws
 * INVALID_IMAGE.
 */
export function checkStart(start: Uint8Array, name: string, bytes: number): void {
  const size = isJpeg(start) ? readFrame(start) : isPng(start) ? pngSize(start) : null;
  if (size) checkSize(name, size.width, size.height);
  if (bytes > mostImageBytes) {
    throw invalidImage(name, `has ${bytes} bytes, and at most ${mostImageBytes} are read`);
  }
}

function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

function isPng(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(0, 8)) === '\x89PNG\r\n\x1a\n';
}

/** What a file that is no image begins with: 'starts with "GIF89a…" (GIF)'. */
function describeStart(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'it is empty';
  const start = bytes.subarray(0, 12);
  const text = String.fromCharCode(...start);
  const kinds: [string, string][] = [
    ['GIF8', 'GIF'],
    ['RIFF????WEBP', 'WebP'],
    ['BM', 'BMP'],
    ['II*\0', 'TIFF'],
    ['MM\0*', 'TIFF'],
    ['????ftypavi', 'AVIF'],
    ['????ftyphe', 'HEIC'],
    ['????ftypmif', 'HEIC'],
    ['%PDF', 'PDF'],
    ['PK', 'zip'],
    ['<', 'HTML or SVG'],
    ['version http', 'a Git LFS pointer'],
  ];
  const kind = kinds.find(([pattern]) =>
    [...pattern].every((letter, i) => letter === '?' || letter === text[i]),
  )?.[1];
  const printable = /^[\x20-\x7e]{4}/.test(text);
  const shown = printable
    ? JSON.stringify(/^[\x20-\x7e]*/.exec(text)![0])
    : [...start.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `it starts with ${shown}${kind ? ` (${kind})` : ''}`;
}
