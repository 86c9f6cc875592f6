// What tells one model from another: SHA-256 of the model file and of all of its data files, so
// that what was collected from one is never continued with another.
import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils';
import type { InputFiles } from '../base/bytes.js';

const blockSize = 2 ** 20;

/** `names`: the data files that the model refers to. Reads all of them, in blocks of 1 MiB. */
export function modelDigest(input: InputFiles, names: readonly string[]): string {
  const hash = sha256.create();
  const block = new Uint8Array(blockSize);
  for (const name of ['~model', ...[...names].sort()]) {
    const source = input.source(name);
    const size = source?.size ?? 0;
    hash.update(utf8ToBytes(`${name}\0${size}\0`));
    for (let offset = 0; offset < size; offset += blockSize) {
      const part = block.subarray(0, Math.min(blockSize, size - offset));
      source!.read(offset, part);
      hash.update(part);
    }
  }
  return bytesToHex(hash.digest());
}
