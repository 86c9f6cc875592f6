// The defaults of quantize_static, for code that shows them.
import { type CheckedStatic, quantizeStaticOptions } from './quantize-static.js';
import { checkOptions } from './validate.js';

/** Every option at its default, under the reference's names. */
export const quantizeStaticDefaults: Readonly<CheckedStatic> = checkOptions(
  quantizeStaticOptions,
  {},
);
