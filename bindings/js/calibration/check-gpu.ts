// Whether a GPU's results may be calibrated with: one sample goes through the float model on it and
// in WebAssembly, and every tensor's lowest and highest value must be the same but for rounding.
// Kernels for GPUs have been wrong before.

import type { Feeds } from '../base/types.js';
import type { CoreCalibration } from '../core/calibration.js';
import type { Runtime } from '../platform/platform.js';
import { type PassModel, Runner } from './runner.js';

/**
 * Largest difference, as a share of the tensor's largest magnitude: GPUs add up in other orders,
 * some in less precision.
 */
const tolerance = 1e-3;

/** Returns null where they agree, else why they do not, for people. `pass`: with reductions. */
export async function gpuDiffers(
  gpu: Runtime,
  wasm: Runtime,
  pass: PassModel,
  calibration: CoreCalibration,
  feeds: Feeds,
  names: readonly string[],
): Promise<string | null> {
  const reduced = async (runtime: Runtime) => {
    const runner = await Runner.start(runtime, pass, calibration);
    try {
      return await runner.run(feeds, 0);
    } finally {
      await runner.release();
    }
  };
  const expected = await reduced(wasm);
  if (expected === null) return null;
  let received: Float32Array | null;
  try {
    received = await reduced(gpu);
  } catch (error) {
    return (error as Error).message;
  }
  const numbers = expected.length / names.length;
  for (const [i, name] of names.entries()) {
    const ends = [0, 1].map((end) => expected[i * numbers + end] as number);
    const limit = tolerance * Math.max(...ends.map(Math.abs)) + 1e-6;
    for (const [end, wanted] of ends.entries()) {
      const given = received?.[i * numbers + end] as number;
      if (Object.is(given, wanted) || Math.abs(given - wanted) <= limit) continue;
      return `"${name}" reaches ${given} instead of ${wanted}`;
    }
  }
  return null;
}
