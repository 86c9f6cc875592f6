// Decoding in Node: the JPEG decoder is read from the installed package, since fetch() takes no
// files.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compileLate } from '../../base/optimize-late.js';
import type { DecodePlatform } from './decoded-image.js';

export const nodeDecodePlatform: DecodePlatform = {
  async compileJpegDecoder() {
    const { resolve } = createRequire(import.meta.url);
    return compileLate(readFileSync(resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm')));
  },
  decodeOther: async () => null,
};
