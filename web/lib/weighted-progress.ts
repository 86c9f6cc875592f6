// One bar for all stages: each has the share of a usual run that it takes. A run ends with its
// first verdict: the search for repairs comes after it, and how long that takes nobody knows.
import type { Progress, Stage } from 'onnx-ptq';

const shares: readonly (readonly [Stage, number])[] = [
  ['load', 0.08],
  ['prepare', 0.04],
  ['calibrate', 0.68],
  ['quantize', 0.06],
  ['verify', 0.14],
];

/** 0…1. */
export function weightedProgress(progress: Progress): number {
  const { stage, done, total = 0, pass = 1, passes = 1 } = progress;
  let before = 0;
  for (const [name, share] of shares) {
    if (name === stage) {
      const inPass = total > 0 ? Math.min(1, done / total) : 0;
      return before + (share * (pass - 1 + inPass)) / passes;
    }
    before += share;
  }
  return before;
}
