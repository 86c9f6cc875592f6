// Errors of the system as the library's own, in one place, so that none looks like a bug, and
// what makes a file the same file under another name.

import type { BigIntStats } from 'node:fs';
import { QuantizeError } from './errors.js';
import { say } from './text.js';

const notThere = ['ENOENT', 'ENOTDIR'];
const noMemory = ['ENOMEM', 'ERR_MEMORY_ALLOCATION_FAILED'];

const words: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EFBIG: 'the file would be too large',
  EIO: 'the device failed',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EISDIR: 'it is a folder',
  EPIPE: 'nobody reads it any more',
  ELOOP: 'its links lead in a circle',
  ERR_INVALID_ARG_VALUE: 'the path holds a NUL',
  ERR_FS_FILE_TOO_LARGE: 'it is too large to be read at once',
};

/**
 * FILE_NOT_FOUND, OUT_OF_MEMORY or FILE_ERROR for what the system threw; a QuantizeError as it is.
 * `message`: what was not possible; the system's reason is added.
 */
export function systemError(cause: unknown, message: string): QuantizeError {
  if (cause instanceof QuantizeError) return cause;
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  if (code !== undefined && notThere.includes(code)) {
    return new QuantizeError('FILE_NOT_FOUND', say`${message} (it is not there)`, { cause });
  }
  const isMemory =
    (code !== undefined && noMemory.includes(code)) ||
    (cause instanceof RangeError &&
      /memory|allocat|array buffer|array length/i.test(cause.message));
  if (isMemory) {
    return new QuantizeError('OUT_OF_MEMORY', say`${message}: there is not enough memory`, {
      cause,
    });
  }
  const known = code !== undefined && Object.hasOwn(words, code) ? `${words[code]}, ` : '';
  return new QuantizeError('FILE_ERROR', say`${message} (${known}${code ?? String(cause)})`, {
    cause,
  });
}

/** Runs calls of the system; what they throw becomes systemError(…, message). */
export function withSystem<T>(message: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw systemError(cause, message);
  }
}

/** The same text for the same file, whatever name leads there. */
export const identityOf = ({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string =>
  `${dev}:${ino}`;
