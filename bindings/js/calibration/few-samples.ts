// A few of the samples that were calibrated with run once more, with tensors as outputs, for what
// an effort needs of these: in parts that take little memory, in the calling thread and in order.

import type { InputFiles } from '../base/bytes.js';
import type { Run } from '../base/run.js';
import type { CalibratedTensor, Feeds, ModelSummary } from '../base/types.js';
import type { ModelFiles } from '../core/host-files.js';
import type { CoreSession } from '../core/session.js';
import type { Runtime } from '../platform/platform.js';
import { runSample } from '../runtime/run-sample.js';
import type { OutputTensor } from '../runtime/runtime.js';
import { writeTensorPass } from './pass-model.js';
import { startSession } from './runner.js';

export interface FewSamplesInput {
  core: CoreSession;
  files: ModelFiles;
  input: InputFiles;
  model: ModelSummary;
  runtime: Runtime;
  run: Run;
}

/** Beyond these results are hardly better (docs/accuracy.md). */
const mostSamples = 6;
/** Bytes of tensors that one run brings out; a tensor beyond that is not looked at. */
const mostBytes = 128 * 2 ** 20;

/** Those that are run, of the samples at hand. */
export const fewOf = (samples: readonly Feeds[]): readonly Feeds[] => samples.slice(0, mostSamples);

/** Calls `observe` with each of the calibrated tensors that are `wanted`, sample by sample. */
export async function runFewSamples(
  { core, files, input, model, runtime, run }: FewSamplesInput,
  samples: readonly Feeds[],
  wanted: (tensor: CalibratedTensor) => boolean,
  observe: (tensor: number, name: string, values: OutputTensor) => void,
): Promise<void> {
  const chosen = fewOf(samples);
  const tensors = core.calibrationTensors();
  const shapes = Object.entries(chosen[0] ?? {}).map(([name, { dims }]) => [name, dims] as const);
  const { tensors: sizes } = core.estimateMemory(Object.fromEntries(shapes));
  const groups: number[][] = [];
  let room = 0;
  for (const [number, tensor] of tensors.entries()) {
    const bytes = sizes[number]!;
    if (!wanted(tensor) || bytes > mostBytes) continue;
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
          observe(number, tensors[number]!.name, results[pass.outputs[place]!]!);
        }
        await run.checkpoint();
      }
    } finally {
      await session.release();
    }
  }
}
