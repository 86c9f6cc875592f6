// Single files in Node, read at any place or as a whole. Only regular files: a pipe would be waited
// for without end.

import fs from 'node:fs';
import type { ByteSource } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { withSystem } from '../base/system-error.js';
import { say } from '../base/text.js';

/** A file open for reading. `label`: what errors call it. */
export class FileSource implements ByteSource {
  readonly path: string;
  readonly size: number;
  readonly #fd: number;

  constructor(file: string, label: string) {
    this.path = file;
    const stat = withSystem(`${label} was not found`, () => fs.statSync(file));
    if (!stat.isFile()) throw new QuantizeError('FILE_NOT_FOUND', say`${label} is not a file`);
    this.#fd = withSystem(`${label} cannot be read`, () => fs.openSync(file, 'r'));
    this.size = stat.size;
  }

  read(offset: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const count = withSystem(`${this.path} cannot be read`, () =>
        fs.readSync(this.#fd, into, done, into.length - done, offset + done),
      );
      if (count === 0) {
        throw new QuantizeError('TRUNCATED_MODEL', say`${this.path} ends at byte ${offset + done}`);
      }
      done += count;
    }
  }

  close(): void {
    try {
      fs.closeSync(this.#fd);
    } catch {
      // All that was needed of it has been read.
    }
  }
}

/**
 * The text of a file, null where it does not exist. Throws FILE_NOT_FOUND for what is no regular
 * file, FILE_ERROR. `label`: what errors call it.
 */
export function readTextFile(file: string, label = file): string | null {
  return withSystem(`${label} cannot be read`, () => {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (!stat) return null;
    if (!stat.isFile()) throw new QuantizeError('FILE_NOT_FOUND', say`${label} is not a file`);
    return fs.readFileSync(file, 'utf8');
  });
}
