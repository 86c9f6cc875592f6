// Models that are measured beside each other, as users run them: with all optimizations.
import { type InputFiles, inputBytes } from '../base/bytes.js';
import { median } from '../base/median.js';
import type { Feeds, ModelSummary } from '../base/types.js';
import { ModelFiles } from '../core/host-files.js';
import { CoreSession } from '../core/session.js';
import type { Runtime } from '../platform/platform.js';
import { runSample } from '../runtime/run-sample.js';
import type { OutputTensor, RuntimeSession } from '../runtime/runtime.js';
import { comparedOutputs, loadAsGiven } from '../verify/float-model.js';

/** One model, loaded. */
export interface LoadedModel {
  summary: ModelSummary;
  bytes: number;
  /** Its outputs that are tensors. */
  outputs: string[];
  session: RuntimeSession;
}

/** Throws as opening and loading a model does. `input` must stay open. */
export async function loadModel(runtime: Runtime, input: InputFiles): Promise<LoadedModel> {
  const core = await CoreSession.create(new ModelFiles(input));
  let summary: ModelSummary;
  try {
    summary = core.open();
  } finally {
    core.dispose();
  }
  const bytes = inputBytes(input, summary);
  const session = await loadAsGiven(runtime, input, summary, 'all');
  return { summary, bytes, outputs: comparedOutputs(summary), session };
}

/** The sample as the model takes it: what it does not have is left out. */
export function runModel(
  { session, summary, outputs }: LoadedModel,
  feeds: Feeds,
  index: number,
): Promise<Record<string, OutputTensor>> {
  const taken = Object.fromEntries(summary.inputs.map(({ name }) => [name, feeds[name]!]));
  return runSample(session, taken, outputs, index);
}

const warmUp = 2;
const leastRuns = 5;
const mostRuns = 25;
const budget = 3000; // ms, of all models together

/** Milliseconds of one run of each, by turns, so that what else the machine does meets all. */
export async function measureLatency(
  models: readonly LoadedModel[],
  feeds: Feeds,
  checkpoint: () => Promise<void>,
): Promise<number[]> {
  const times = models.map((): number[] => []);
  const start = performance.now();
  for (let run = -warmUp; run < mostRuns; run++) {
    if (run >= leastRuns && performance.now() - start > budget) break;
    for (const [i, model] of models.entries()) {
      const before = performance.now();
      await runModel(model, feeds, 0);
      if (run >= 0) times[i]!.push(performance.now() - before);
    }
    await checkpoint();
  }
  return times.map(median);
}
