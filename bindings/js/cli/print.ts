// What commands write to standard output.
import { systemError } from '../base/system-error.js';

export interface OutStream {
  /** May return a promise, which rejects where the text cannot be written. */
  write(text: string): unknown;
}

/** Throws FILE_ERROR where standard output is full or closed. */
export async function print(out: OutStream, text: string): Promise<void> {
  try {
    await out.write(text);
  } catch (cause) {
    throw systemError(cause, 'standard output cannot be written');
  }
}
