// JPEG through mozjpeg compiled to wasm (@jsquash/jpeg), whose pixels equal those of Pillow's
// libjpeg-turbo: measured on 1178 files of all kinds. Known difference: 4:4:0 subsampling (rare: a
// 4:2:2 picture rotated without loss), which newer libjpeg-turbo interpolates vertically.
import type { MozJPEGModule } from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import { QuantizeError } from '../../base/errors.js';
import { systemError } from '../../base/system-error.js';
import {
  checkSize,
  type DecodedImage,
  type DecodePlatform,
  invalidImage,
} from './decoded-image.js';
import { type JpegComponents, readComponents, writeComponents } from './jpeg-components.js';

interface Decoder {
  module: MozJPEGModule;
  /**
   * What libjpeg said since the last call of decode(): it reports on stderr, and goes on if it can.
   */
  messages: string[];
}

let loading: Promise<Decoder> | null = null;

/** Loads the decoder once. */
export function loadJpegDecoder(platform: DecodePlatform): Promise<Decoder> {
  loading ??= createDecoder(platform).catch((error: unknown) => {
    loading = null;
    throw systemError(error, 'the JPEG decoder cannot be loaded');
  });
  return loading;
}

async function createDecoder(platform: DecodePlatform): Promise<Decoder> {
  const [{ default: factory }, compiled] = await Promise.all([
    import('@jsquash/jpeg/codec/dec/mozjpeg_dec.js'),
    platform.compileJpegDecoder(),
  ]);
  const messages: string[] = [];
  const options = {
    noInitialRun: true,
    printErr: (text: string) => messages.push(text),
    ...(compiled && {
      // Unused, but looked for, in a worker without an address too.
      locateFile: (path: string) => path,
      instantiateWasm(
        imports: WebAssembly.Imports,
        done: (instance: WebAssembly.Instance) => void,
      ): WebAssembly.Exports {
        const instance = new WebAssembly.Instance(compiled, imports);
        done(instance);
        return instance.exports;
      },
    }),
  };
  // The package's types name the callback's argument wrongly (a Module).
  const module = await (factory as unknown as (o: typeof options) => Promise<MozJPEGModule>)(
    options,
  );
  return { module, messages };
}

/**
 * Decodes a JPEG to RGBA; one of four components (CMYK, YCCK) to RGB. Throws QuantizeError
 * INVALID_IMAGE; `name` is for its message.
 */
export async function decodeJpeg(
  bytes: Uint8Array,
  name: string,
  platform: DecodePlatform,
): Promise<DecodedImage> {
  const frame = readFrame(bytes);
  if (frame) checkSize(name, frame.width, frame.height);
  if (frame?.components === 4) return decodeCmyk(bytes, name, platform);
  return decodePixels(bytes, name, platform);
}

async function decodePixels(
  bytes: Uint8Array,
  name: string,
  platform: DecodePlatform,
): Promise<DecodedImage> {
  const { module, messages } = await loadJpegDecoder(platform);
  messages.length = 0;
  let image: ImageData | null;
  try {
    image = module.decode(bytes as Uint8Array<ArrayBuffer>, false);
  } catch (cause) {
    loading = null; // libjpeg's way out is exit(): this instance has lost the memory it had taken
    // What is thrown may be the address of a C++ exception.
    const why =
      messages.at(-1) ?? (cause instanceof Error ? cause.message : 'it cannot be decoded');
    throw invalidImage(name, `is a damaged JPEG: ${why}`, '', cause);
  }
  // Pillow refuses a file that ends early; libjpeg alone would fill the rest with grey.
  const premature = messages.find((text) => text.startsWith('Premature end'));
  if (!image || premature)
    throw invalidImage(name, `is a damaged JPEG: ${premature ?? 'no image'}`);
  return { width: image.width, height: image.height, channels: 4, data: image.data };
}

/**
 * As Pillow converts it: inks are taken to be stored inverted, as Adobe does, with or without its
 * marker.
 */
async function decodeCmyk(
  bytes: Uint8Array,
  name: string,
  platform: DecodePlatform,
): Promise<DecodedImage> {
  const damaged = (cause: unknown) =>
    invalidImage(name, `is a damaged JPEG: ${(cause as Error).message}`, '', cause);
  let image: JpegComponents;
  let parts: Uint8Array[];
  const groups = (transform: number | null) =>
    transform === null || transform === 0 ? [[0], [1], [2], [3]] : [[0, 1, 2], [3]];
  try {
    image = readComponents(bytes);
    const alone = groups(image.transform)
      .filter(({ length }) => length === 1)
      .flat();
    const most = image.components.reduce((sum, { h, v }) => Math.max(sum, h * v), 0);
    if (alone.some((index) => image.components[index]!.h * image.components[index]!.v < most)) {
      throw invalidImage(name, 'is a CMYK JPEG with inks of less than its size', 'save it as RGB');
    }
    parts = groups(image.transform).map((indices) => writeComponents(image, indices));
  } catch (cause) {
    throw cause instanceof QuantizeError ? cause : damaged(cause);
  }
  const planes: DecodedImage[] = [];
  for (const part of parts) planes.push(await decodePixels(part, name, platform));
  const { width, height } = image;
  const data = new Uint8Array(width * height * 3);
  const black = planes.at(-1)!.data;
  const isYcck = planes.length === 2;
  for (let pixel = 0, to = 0; to < data.length; pixel += 4) {
    const rest = black[pixel]!;
    for (let c = 0; c < 3; c++) {
      // YCCK is of inks, too: what is decoded as RGB is their inverse.
      const ink = isYcck ? planes[0]!.data[pixel + c]! : 255 - planes[c]!.data[pixel]!;
      const product = ink * rest + 128;
      data[to++] = rest - (((product >> 8) + product) >> 8);
    }
  }
  return { width, height, channels: 3, data };
}

interface Frame {
  width: number;
  height: number;
  components: number;
}

/** What the frame header says; null where there is none in these bytes. */
export function readFrame(bytes: Uint8Array): Frame | null {
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at += 1; // fill byte
      continue;
    }
    const word = (offset: number) => (bytes[at + offset]! << 8) | bytes[at + offset + 1]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: word(5), width: word(7), components: bytes[at + 9]! };
    at += 2 + word(2);
  }
  return null;
}
