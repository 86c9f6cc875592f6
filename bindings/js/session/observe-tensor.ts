// One tensor on a few samples: what it holds, and the range that each calibration method would give
// it there. The core's own methods take them, from values that are kept for all of their passes.

import type { CalibratedTensor, Feeds } from '../base/types.js';
import { type PassModel, startSession } from '../calibration/runner.js';
import { CoreCalibration } from '../core/calibration.js';
import { parseRanges } from '../core/ranges.js';
import { rangeOptions } from '../options/core-options.js';
import type { CalibrationMethod } from '../options/quant-types.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import type { Runtime } from '../platform/platform.js';
import { runSample } from '../runtime/run-sample.js';
import type { TensorObservation } from './types.js';

const bins = 128;
const mostSamples = 8;
/** Values that are kept: 64 MiB. */
const mostValues = 2 ** 24;

interface Observed {
  runtime: Runtime;
  /** The float model with the tensor as its only output. */
  pass: PassModel;
  tensor: CalibratedTensor;
  samples: readonly Feeds[];
  /** Settings by method. */
  methods: readonly (readonly [CalibrationMethod, CheckedStatic])[];
}

export async function observeTensor(given: Observed): Promise<TensorObservation> {
  const values = await collect(given);
  const { tensor } = given;
  const [lowest, highest] = endsOf(values);
  const ranges: TensorObservation['ranges'] = {};
  for (const [method, checked] of given.methods) {
    const range = await rangeBy(checked, tensor, values);
    if (range) ranges[method] = range;
  }
  return {
    tensor: tensor.name,
    samples: values.length,
    lowest,
    highest,
    counts: count(values, lowest, highest),
    ranges,
  };
}

async function collect({ runtime, pass, samples }: Observed): Promise<Float32Array[]> {
  const { outputs } = pass;
  const session = await startSession(runtime, pass, 'basic');
  const values: Float32Array[] = [];
  try {
    let total = 0;
    for (const [index, feeds] of samples.slice(0, mostSamples).entries()) {
      const results = await runSample(session, feeds, outputs, index);
      const data = results[outputs[0]!]!.data as Float32Array;
      total += data.length;
      if (values.length > 0 && total > mostValues) break;
      values.push(data.slice());
    }
  } finally {
    await session.release();
  }
  return values;
}

async function rangeBy(
  checked: CheckedStatic,
  { means: _, channels: __, derived: ___, ...tensor }: CalibratedTensor,
  samples: readonly Float32Array[],
): Promise<[number, number] | null> {
  const calibration = await CoreCalibration.create(rangeOptions(checked), [tensor]);
  try {
    while (calibration.pass !== '') {
      for (const values of samples) {
        if (calibration.pass === 'ranges') calibration.observeRanges(reductions(values));
        else calibration.observeTensor(0, values);
      }
      calibration.endPass();
    }
    const range = parseRanges(calibration.ranges())[tensor.name];
    return range ? [range[0], range[1]] : null;
  } finally {
    calibration.dispose();
  }
}

/** As the calibration model reduces a sample: lowest, highest, sum. */
function reductions(values: Float32Array): Float32Array {
  const [lowest, highest] = endsOf([values]);
  let sum = 0;
  for (const value of values) sum += value;
  return Float32Array.of(lowest, highest, sum);
}

function endsOf(samples: readonly Float32Array[]): [number, number] {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const values of samples) {
    for (const value of values) {
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
    }
  }
  return [lowest, highest];
}

/** Of equal bins between the ends; none where there is no value, or an infinite one. */
function count(samples: readonly Float32Array[], lowest: number, highest: number): number[] {
  if (!Number.isFinite(highest - lowest)) return [];
  const counts = new Array<number>(bins).fill(0);
  const scale = bins / (highest - lowest || 1);
  for (const values of samples) {
    for (const value of values) {
      if (Number.isNaN(value)) continue;
      counts[Math.min(bins - 1, Math.floor((value - lowest) * scale))]!++;
    }
  }
  return counts;
}
