// Files of a set of samples that cannot be used: damaged, or not what their names say. In a folder
// of thousands some are; they are passed over, counted and named, and only too many end the run.

import { QuantizeError } from '../../base/errors.js';
import { asMessage, say } from '../../base/text.js';
import type { Diagnostic } from '../../base/types.js';

/** What is wrong with a file itself. All else ends a run. */
const codes = ['INVALID_IMAGE', 'INVALID_DATA', 'FILE_NOT_FOUND', 'FILE_ERROR'];
/** Names in the warning. */
const shown = 3;

/** Told of each file that is passed over. */
export type OnUnusable = (file: string, error: QuantizeError) => void;

/**
 * Passes a file over: throws `error` where there is nobody to be told, or where it is not about a
 * file.
 */
export function passOver(file: string, error: unknown, unusable: OnUnusable | undefined): null {
  if (!unusable || !(error instanceof QuantizeError) || !codes.includes(error.code)) throw error;
  unusable(file, error);
  return null;
}

export class UnusableFiles {
  readonly #errors = new Map<string, QuantizeError>();

  readonly add: OnUnusable = (file, error) => {
    if (!this.#errors.has(file)) this.#errors.set(file, error);
  };

  /**
   * Throws where nothing can be used, or more samples could not be than could; the error is that of
   * the first file.
   */
  check(samples: number, passedOver: number): void {
    const [first] = this.#errors.values();
    if (!first || samples - passedOver >= passedOver) return;
    if (samples === 1) throw first;
    const { code, message, tensor, hint } = first;
    const many = samples === passedOver ? `all ${samples}` : `${passedOver} of ${samples}`;
    throw new QuantizeError(code, say`${many} samples cannot be used; the first: ${message}`, {
      ...(tensor && { tensor }),
      ...(hint && { hint }),
      cause: first,
    });
  }

  /** One warning for all of them. */
  notes(): Diagnostic[] {
    const count = this.#errors.size;
    if (count === 0) return [];
    const [first] = this.#errors.values();
    const names = [...this.#errors.keys()];
    const more = count > shown ? ` and ${count - shown} more` : '';
    const files = count === 1 ? '1 file' : `${count} files`;
    return [
      {
        severity: 'warning',
        code: 'SAMPLES_SKIPPED',
        ...asMessage(
          say`${files} of samples could not be used: ${names.slice(0, shown).join(', ')}${more}; the first: ${first!.message}`,
        ),
        hint: 'with strict such a file ends the run',
      },
    ];
  }
}
