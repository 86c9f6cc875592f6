// One sample through a session; errors name the sample.
import { QuantizeError } from '../base/errors.js';
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
    throw new QuantizeError(error.code, `sample ${index + 1}: ${error.message}`, { cause: error });
  }
}
