// One sample through a session; errors name the sample, its file and its shapes.

import { QuantizeError } from '../base/errors.js';
import { describeTensor } from '../base/inputs.js';
import { originOf } from '../base/sample-origin.js';
import { say } from '../base/text.js';
import type { Feeds } from '../base/types.js';
import type { OutputTensor, RuntimeSession } from './runtime.js';

/** `index` counts from 0. Throws RUNTIME_FAILED. */
export async function runSample(
  session: RuntimeSession,
  feeds: Feeds,
  fetches: readonly string[],
  index: number,
): Promise<Record<string, OutputTensor>> {
  try {
    return await session.run(feeds, fetches);
  } catch (error) {
    if (!(error instanceof QuantizeError)) throw error;
    const { file, note } = originOf(feeds) ?? {};
    const inputs = Object.entries(feeds).map(
      ([name, { type, dims }]) => `${name} ${describeTensor(type, dims)}`,
    );
    const what = [...(file === undefined ? [] : [file]), ...inputs].join(', ');
    const hint = note ?? error.hint;
    throw new QuantizeError(error.code, say`sample ${index + 1} (${what}): ${error.message}`, {
      ...(hint && { hint }),
      cause: error,
    });
  }
}
