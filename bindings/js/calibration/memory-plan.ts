// How many workers run and which tensors each run outputs, so that calibration stays within its
// memory budget. It is decided before the run, from the shapes of the first sample, and stated.
import { asMessage, say } from '../base/text.js';
import type { CalibratedTensor, Diagnostic, MemoryEstimate } from '../base/types.js';
import type { Platform, RuntimeKind } from '../platform/platform.js';

export interface MemoryPlan {
  workers: number;
  /**
   * Numbers of the tensors that one run over the samples brings out, for passes that need the
   * tensors.
   */
  groups: number[][];
  /** Bytes that are taken beside what the process has, at most. */
  peak: number;
  /** The same as long as no worker has been started. */
  alone: number;
  /** Bytes of all tensors of a sample. */
  tensorBytes: number;
}

/** Bytes of tensors that are made and looked at in a millisecond by one thread, at best. */
const bytesPerMillisecond: Readonly<Record<RuntimeKind, number>> = {
  node: 2.5e6,
  web: 1e6,
  webgpu: 2.5e6,
};

/** How long a run with such tensors takes one thread at least. */
export const leastMilliseconds = (kind: RuntimeKind, tensorBytes: number): number =>
  tensorBytes / bytesPerMillisecond[kind];

/** Bytes that onnxruntime takes beside a model's own tensors, as measured (docs/performance.md). */
export interface RuntimeCost {
  /** Once: its code and its heap, and what a run has beside: results, samples being read. */
  first: number;
  /** By worker: a thread's heap and what onnxruntime has for each. */
  worker: number;
  /** How often a session has the weights: from the file, as they are, packed for its kernels. */
  weights: number;
  /** For the nodes that observe a tensor. */
  tensor: number;
}

const mebi = 2 ** 20;

export const runtimeCosts: Readonly<Record<RuntimeKind, RuntimeCost>> = {
  node: { first: 36 * mebi, worker: 30 * mebi, weights: 3, tensor: 28 * 1024 },
  web: { first: 100 * mebi, worker: 92 * mebi, weights: 3, tensor: 28 * 1024 },
  webgpu: { first: 100 * mebi, worker: 92 * mebi, weights: 3, tensor: 28 * 1024 },
};

/** So much of samples that were run waits for the garbage collector. */
const waitingSamples = (bytes: number) => Math.min(4 * bytes, 16 * mebi);

/** At most so much of samples is held for the next pass. */
const mostHeld = 64 * mebi;

/** Each tensor is held twice: by onnxruntime, and as a copy by JavaScript. */
const copies = 2;

/** Numbers of the tensors that are brought out; what others hold follows from these. */
export const observedOf = (tensors: readonly CalibratedTensor[]): number[] =>
  tensors.flatMap(({ derived }, number) => (derived ? [] : [number]));

/** How many workers there may be, before the memory budget is looked at; one where it is 1. */
export function mostWorkers(
  {
    cores,
    weightCopies = Number.POSITIVE_INFINITY,
  }: Pick<Platform<unknown>, 'cores' | 'weightCopies'>,
  kind: RuntimeKind,
  asked: { workers: number | null; memory_budget: number | null },
  weights: number,
): number {
  if (kind === 'webgpu') return 1; // a GPU is one, whoever asks
  if (asked.workers !== null) return asked.workers;
  if (asked.memory_budget !== null) return cores;
  return Math.max(1, Math.min(cores, Math.floor(weightCopies / Math.max(1, weights))));
}

/**
 * `budget` and `sample`, the size of one, in bytes. `needsTensors`: the method has passes that take
 * the tensors themselves, those numbered in `observed`. The budget is kept by fewer workers first,
 * then by several runs; a single tensor is never split.
 */
export function planMemory(
  estimate: MemoryEstimate,
  budget: number,
  cores: number,
  needsTensors: boolean,
  cost: RuntimeCost,
  sample = 0,
  observed: readonly number[] = [...estimate.tensors.keys()],
): MemoryPlan {
  const { weights, activations, tensors } = estimate;
  const session = activations + cost.weights * weights + cost.tensor * tensors.length;
  const all = sumOf(tensors, observed);
  const once = cost.first + waitingSamples(sample);
  const alone = (outputs: number) => once + session + copies * outputs;
  // The calling thread's session is there until the workers are ready.
  const peakOf = (workers: number, outputs: number) =>
    alone(outputs) + (workers > 1 ? workers * (cost.worker + session + copies * outputs) : 0);
  let workers = Math.max(1, cores);
  while (workers > 1 && peakOf(workers, needsTensors ? all : 0) > budget) workers--;
  const room = workers > 1 ? all : Math.max(0, (budget - alone(0)) / copies);
  const groups = needsTensors ? group(tensors, observed, room) : [];
  const largest = Math.max(0, ...groups.map((one) => sumOf(tensors, one)));
  const tensorBytes = tensors.reduce((sum, bytes) => sum + bytes, 0);
  return { workers, groups, peak: peakOf(workers, largest), alone: alone(largest), tensorBytes };
}

const sumOf = (bytes: readonly number[], numbers: readonly number[]) =>
  numbers.reduce((sum, number) => sum + bytes[number]!, 0);

/** Groups of neighbouring tensors, each as large as `room` allows but with at least one. */
function group(bytes: readonly number[], observed: readonly number[], room: number): number[][] {
  const groups: number[][] = [];
  let sum = 0;
  for (const number of observed) {
    const size = bytes[number]!;
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

/** The plan with what there is room for of `samples` bytes that are read again; `held`: so much. */
export function withHeld(plan: MemoryPlan, budget: number, samples: number) {
  const held = Math.max(0, Math.min(mostHeld, samples, budget - plan.peak));
  return { held, plan: { ...plan, peak: plan.peak + held, alone: plan.alone + held } };
}

/** What the user is told before the run. */
export function describePlan(
  { workers, groups, peak, alone }: MemoryPlan,
  { allKnown }: MemoryEstimate,
  passes: number,
  budget: number,
): Diagnostic {
  const about = allKnown ? 'about' : 'at least';
  const runs = passes > 1 || groups.length > 1 ? runsText(passes, groups.length) : '';
  const parallel = workers > 1 ? `, up to ${inMebi(peak)} with ${workers} workers` : '';
  const message = `calibration needs ${about} ${inMebi(alone)}${parallel}${runs}`;
  if (peak <= budget) return { severity: 'info', code: 'CALIBRATION_MEMORY', message };
  return {
    severity: 'warning',
    code: 'CALIBRATION_MEMORY',
    ...asMessage(
      say`${message}: more than memory_budget (${inMebi(budget)}), as the model and its largest tensor need it`,
    ),
  };
}

const inMebi = (bytes: number) => `${Math.max(1, Math.round(bytes / mebi))} MiB`;

function runsText(passes: number, groups: number): string {
  const split = groups > 1 ? ` with the tensors in ${groups} parts` : '';
  return `, the samples are read ${passes > 1 ? `${passes} times` : 'once'}${split}`;
}
