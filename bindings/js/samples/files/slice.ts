// The samples that a slice takes (SampleSlice in types.ts), as every source counts them: over the
// whole source.

import { QuantizeError } from '../../base/errors.js';
import { say } from '../../base/text.js';
import type { SampleSlice } from '../../base/types.js';

/** The slice, or that of all samples. Throws INVALID_OPTION where it is none. */
export function checkSlice(slice: SampleSlice = { first: 0, step: 1 }): SampleSlice {
  const { first, step } = slice;
  if (Number.isSafeInteger(first) && first >= 0 && Number.isSafeInteger(step) && step >= 1) {
    return slice;
  }
  throw new QuantizeError(
    'INVALID_OPTION',
    say`no slice of samples: first ${first}, step ${step}`,
    {
      hint: 'first is a whole number from 0, step one from 1',
    },
  );
}

/** The first number from `from` on that the slice takes. */
export function nextInSlice({ first, step }: SampleSlice, from: number): number {
  return from <= first ? first : first + Math.ceil((from - first) / step) * step;
}
