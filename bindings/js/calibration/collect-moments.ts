// What adaptive rounding of weights needs beside ranges: how the inputs of each linear layer move
// together. The core keeps sums of some thousand rows of each.

import type { Feeds } from '../base/types.js';
import { type FewSamplesInput, fewOf, runFewSamples } from './few-samples.js';

interface MomentsInput extends FewSamplesInput {
  /** Not if it takes more multiplications. */
  mostProducts: number;
}

/** `samples`: not those that are held out. False where it takes too much. */
export async function collectMoments(
  { mostProducts, ...given }: MomentsInput,
  samples: readonly Feeds[],
): Promise<boolean> {
  const { core } = given;
  const { inputs, products } = core.beginMoments(fewOf(samples).length);
  if (products > mostProducts) return false;
  const wanted = new Set(inputs);
  await runFewSamples(
    given,
    samples,
    ({ name }) => wanted.has(name),
    (_, name, { dims, data }) => core.observeMoments(name, dims, data as Float32Array),
  );
  return true;
}
