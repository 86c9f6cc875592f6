// What adaptive rounding of weights needs beside ranges: how the inputs of each linear layer move
// together. A few of the samples that were calibrated with run once more, with these inputs as
// outputs, in parts that take little memory; the core keeps sums of some thousand rows of each.

import type { InputFiles } from '../base/bytes.js';
import type { Run } from '../base/run.js';
import type { Feeds, ModelSummary } from '../base/types.js';
import type { ModelFiles } from '../core/host-files.js';
import type { CoreSession } from '../core/session.js';
import type { Runtime } from '../platform/platform.js';
import { runSample } from '../runtime/run-sample.js';
import { writeTensorPass } from './pass-model.js';
import { startSession } from './runner.js';

interface MomentsInput {
  core: CoreSession;
  files: ModelFiles;
  input: InputFiles;
  model: ModelSummary;
  runtime: Runtime;
  run: Run;
  /** Not if it takes more multiplications. */
  mostProducts: number;
}

/** Beyond these the result is hardly better (docs/accuracy.md). */
const mostSamples = 6;
/** Bytes of tensors that one run brings out; a tensor beyond that is not looked at. */
const mostBytes = 128 * 2 ** 20;

/** `samples`: not those that are held out. False where it takes too much. */
export async function collectMoments(
  { core, files, input, model, runtime, run, mostProducts }: MomentsInput,
  samples: readonly Feeds[],
): Promise<boolean> {
  const chosen = samples.slice(0, mostSamples);
  const { inputs, products } = core.beginMoments(chosen.length);
  if (products > mostProducts) return false;
  const wanted = new Set(inputs);
  const tensors = core.calibrationTensors();
  const shapes = Object.entries(chosen[0] ?? {}).map(([name, { dims }]) => [name, dims] as const);
  const { tensors: sizes } = core.estimateMemory(Object.fromEntries(shapes));
  const groups: number[][] = [];
  let room = 0;
  for (const [number, { name }] of tensors.entries()) {
    const bytes = sizes[number]!;
    if (!wanted.has(name) || bytes > mostBytes) continue;
    if (groups.length === 0 || bytes > room) {
      groups.push([]);
      room = mostBytes;
    }
    groups.at(-1)!.push(number);
    room -= bytes;
  }
  for (const group of groups) {
    const pass = writeTensorPass(core, files, input, model, tensors, group);
    const session = await startSession(runtime, pass);
    try {
      for (const [index, feeds] of chosen.entries()) {
        const results = await runSample(session, feeds, pass.outputs, index);
        for (const [place, number] of group.entries()) {
          const { dims, data } = results[pass.outputs[place]!]!;
          core.observeMoments(tensors[number]!.name, dims, data as Float32Array);
        }
        await run.checkpoint();
      }
    } finally {
      await session.release();
    }
  }
  return true;
}
