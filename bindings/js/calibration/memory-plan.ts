// How many workers run and which tensors each run outputs, so that calibration stays within its
// memory budget. It is decided before the run, from the shapes of the first sample, and stated.
import type { Diagnostic, MemoryEstimate } from '../base/types.js';

export interface MemoryPlan {
  workers: number;
  /**
   * Numbers of the tensors that one run over the samples brings out, for passes that need the
   * tensors.
   */
  groups: number[][];
  /** Bytes, at most. */
  peak: number;
}

/** Each tensor is held twice: by onnxruntime, and as a copy by JavaScript. */
const copies = 2;

/**
 * `budget` in bytes. `needsTensors`: the method has passes that take the tensors themselves. The
 * budget is kept by fewer workers first, then by several runs; a single tensor is never split.
 */
export function planMemory(
  estimate: MemoryEstimate,
  budget: number,
  cores: number,
  needsTensors: boolean,
): MemoryPlan {
  const { weights, activations } = estimate;
  const own = weights + activations;
  const all = estimate.tensors.reduce((sum, bytes) => sum + bytes, 0);
  const outputs = needsTensors ? copies * all : 0;
  const workers = Math.max(1, Math.min(cores, Math.floor(budget / Math.max(1, own + outputs))));
  const room = Math.max(0, (budget - own) / copies);
  const groups = needsTensors ? group(estimate.tensors, workers > 1 ? all : room) : [];
  const largest = Math.max(0, ...groups.map((one) => sumOf(estimate.tensors, one)));
  return { workers, groups, peak: workers * (own + copies * largest) };
}

const sumOf = (bytes: readonly number[], numbers: readonly number[]) =>
  numbers.reduce((sum, number) => sum + bytes[number]!, 0);

/** Groups of neighbouring tensors, each as large as `room` allows but with at least one. */
function group(bytes: readonly number[], room: number): number[][] {
  const groups: number[][] = [];
  let sum = 0;
  for (const [number, size] of bytes.entries()) {
    const last = groups.at(-1);
    if (last && sum + size <= room) {
      last.push(number);
      sum += size;
    } else {
      groups.push([number]);
      sum = size;
    }
  }
  return groups;
}

/** What the user is told before the run. */
export function describePlan(
  { workers, groups, peak }: MemoryPlan,
  { allKnown }: MemoryEstimate,
  passes: number,
  budget: number,
): Diagnostic {
  const size = `${Math.max(1, Math.round(peak / 2 ** 20))} MiB`;
  const about = allKnown ? 'about' : 'at least';
  const runs = passes > 1 || groups.length > 1 ? runsText(passes, groups.length) : '';
  const parallel = workers > 1 ? `, up to ${workers} workers` : '';
  const message = `calibration needs ${about} ${size}${parallel}${runs}`;
  if (peak <= budget) return { severity: 'info', code: 'CALIBRATION_MEMORY', message };
  return {
    severity: 'warning',
    code: 'CALIBRATION_MEMORY',
    message: `${message}: more than memory_budget (${Math.round(budget / 2 ** 20)} MiB), as the model and its largest tensor need it`,
  };
}

function runsText(passes: number, groups: number): string {
  const split = groups > 1 ? ` with the tensors in ${groups} parts` : '';
  return `, the samples are read ${passes > 1 ? `${passes} times` : 'once'}${split}`;
}
