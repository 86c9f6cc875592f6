// Decoding in Node: the JPEG decoder is read from the installed package, since fetch() takes no files.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { DecodePlatform } from './decoded-image.js';

export const nodeDecodePlatform: DecodePlatform = {
  async compileJpegDecoder() {
    const { resolve } = createRequire(import.meta.url);
    return WebAssembly.compile(await readFile(resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm')));
  },
  decodeOther: async () => null,
};
