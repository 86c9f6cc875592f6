// A whole file for onnxruntime-node, which takes external data as bytes. fs.readFileSync stops at
// 2 GiB.

import { constants } from 'node:buffer';
import fs from 'node:fs';
import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';

/** 1 GiB: one read takes less than 2. */
const most = 2 ** 30;

/** Throws OUT_OF_MEMORY where it fits in no array. `limit`: bytes that one array holds. */
export function readWhole(file: string, limit = constants.MAX_LENGTH): Uint8Array {
  const fd = fs.openSync(file, 'r');
  try {
    const { size } = fs.fstatSync(fd);
    if (size > limit) throw tooLarge(file, size);
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(size);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw tooLarge(file, size);
    }
    for (let done = 0; done < size; ) {
      const count = fs.readSync(fd, bytes, done, Math.min(most, size - done), done);
      if (count === 0)
        throw new QuantizeError('TRUNCATED_MODEL', say`${file} ends at byte ${done}`);
      done += count;
    }
    return bytes;
  } finally {
    fs.closeSync(fd);
  }
}

function tooLarge(file: string, size: number): QuantizeError {
  const gib = (size / 2 ** 30).toFixed(1);
  return new QuantizeError(
    'OUT_OF_MEMORY',
    say`the float model cannot be run: ${file} has ${gib} GiB, more than one array can hold here`,
    {
      hint: 'use a newer Node or a machine with more memory, or store the weights in several files; a calibration cache made elsewhere needs no run',
    },
  );
}
