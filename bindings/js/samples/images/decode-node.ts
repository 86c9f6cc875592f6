// Decoding in Node: the JPEG decoder is read from the installed package, since fetch() takes no
// files.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { DecodePlatform } from './decoded-image.js';

export const nodeDecodePlatform: DecodePlatform = {
  async compileJpegDecoder() {
    const { resolve } = createRequire(import.meta.url);
    // In one go, not WebAssembly.compile(): see platform/node.ts.
    return new WebAssembly.Module(
      readFileSync(resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm')),
    );
  },
  decodeOther: async () => null,
};
