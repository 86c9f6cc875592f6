// The defaults of quantize_static, for code that shows them.
import { type CheckedStatic, quantizeStaticOptions } from './quantize-static.js';
import { checkOptions } from './validate.js';

/** Every option at its default, under the reference's names. */
export const quantizeStaticDefaults: Readonly<CheckedStatic> = checkOptions(
  quantizeStaticOptions,
  {},
);

/**
 * How many samples are held out at most where there is an effort and nobody says how many. The same
 * for each effort: a recipe gives the same bytes with any.
 */
export const usuallyHeld = 16;
