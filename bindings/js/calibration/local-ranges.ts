// Ranges that round a tensor's own values best: what clipping a few of them adds in noise, finer
// steps take off all others. Whether the outputs gain by it only they tell (effort/search.ts).

import type { Feeds, Repairs } from '../base/types.js';
import { CoreCalibration } from '../core/calibration.js';
import { parseRanges } from '../core/ranges.js';
import { rangeOptions } from '../options/core-options.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import { type FewSamplesInput, runFewSamples } from './few-samples.js';

interface LocalRangesInput extends FewSamplesInput {
  checked: CheckedStatic;
}

/** A range that is narrower by less than this is as good as the whole one. */
const leastCut = 0.02;

/**
 * Of the tensors whose range should be narrower, by least squared error on `samples`, which are not
 * those that are held out; in the order of the model.
 */
export async function localRanges(
  { checked, ...given }: LocalRangesInput,
  samples: readonly Feeds[],
): Promise<Repairs['ranges']> {
  const options = rangeOptions({ ...checked, calibrate_method: 'MSE', effort: 'none' });
  const tensors = given.core.calibrationTensors().map(({ name, half }) => ({ name, half }));
  const seen = tensors.map(() => ({ lowest: Infinity, highest: -Infinity }));
  const calibration = await CoreCalibration.create(options, tensors);
  try {
    await runFewSamples(
      given,
      samples,
      () => true,
      (tensor, _, { data }) => {
        calibration.observeTensor(tensor, data as Float32Array);
        widen(seen[tensor]!, data as Float32Array);
      },
    );
    calibration.endPass();
    const best = parseRanges(calibration.ranges());
    const narrower = tensors.flatMap(({ name }, tensor) => {
      const { lowest, highest } = seen[tensor]!;
      const [low = lowest, high = highest] = best[name] ?? [];
      const isNarrower = low < high && high - low < (1 - leastCut) * (highest - lowest);
      return isNarrower ? [[name, [low, high]] as const] : [];
    });
    return Object.fromEntries(narrower);
  } finally {
    calibration.dispose();
  }
}

function widen(ends: { lowest: number; highest: number }, values: Float32Array): void {
  for (const value of values) {
    if (value < ends.lowest) ends.lowest = value;
    if (value > ends.highest) ends.highest = value;
  }
}
