// Pictures for tests: PNG files of known pixels, and small models that were "trained" on them.
import fs from 'node:fs';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { noise, temporaryFolder } from './pipeline.js';

export const side = 32;

/** Interleaved RGB: a colour of its own, a gradient, and noise; red is brightest on average. */
export function picture(seed: number): Uint8Array {
  const random = noise(side * side * 3 + 16, seed + 1);
  const base = [150, 110, 60].map((value, c) => value + 60 * random[c + 5]!);
  return Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    const slope = 50 * random[8]! * ((pixel % side) / side - 0.5);
    return Math.min(255, Math.max(0, base[i % 3]! + slope + 40 * random[i + 16]!));
  });
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

function png(pixels: Uint8Array): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Array.from({ length: side }, (_, y) =>
    Buffer.concat([Buffer.of(0), pixels.subarray(y * side * 3, (y + 1) * side * 3)]),
  );
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const data = deflateSync(Buffer.concat(rows));
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A folder of pictures of these seeds. */
export function pictureFolder(seeds: readonly number[]): string {
  const folder = temporaryFolder();
  for (const seed of seeds) {
    const name = `${String(seed).padStart(3, '0')}.png`;
    fs.writeFileSync(path.join(folder, name), png(picture(seed)));
  }
  return folder;
}
