// Writes the quantized model and, with an effort, tries repairs and keeps those that make its
// outputs closer to the float model's, on samples that were held out of calibration. Each candidate
// is written as the result would be, loaded with all optimizations, as users will run it, and
// compared sample by sample.

import type { InputFiles, OutputFiles } from '../base/bytes.js';
import type { Run } from '../base/run.js';
import type { Diagnostic, Feeds, ModelSummary, QuantizeReport, Repairs } from '../base/types.js';
import type { CoreSession } from '../core/session.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import type { Runtime } from '../platform/platform.js';
import { compareOutputs, type Outputs } from '../verify/compare.js';
import { comparedOutputs, loadAsGiven } from '../verify/float-model.js';
import type { EffortReport } from '../verify/report.js';
import { isRuntimeError, loadResult, runAll } from '../verify/verify-result.js';
import { fits, noRepairs, repairSteps } from './candidates.js';
import { decibels, fallsBelow, logNoise } from './noise.js';

interface EffortInput {
  run: Run;
  runtime: Runtime;
  core: CoreSession;
  input: InputFiles;
  output: OutputFiles<unknown>;
  summary: ModelSummary;
  checked: CheckedStatic;
  held: readonly Feeds[];
  /** Gives the core what adaptive rounding needs; false where that takes too much. */
  collectMoments(): Promise<boolean>;
}

/** From here on more is not worth a risk: such noise is smaller than what samples differ by. */
const goodDecibels = 35;

/** A plan of layers alone that leaves out less than this is the plan of the whole graph. */
const fewTensors = 0.95;

interface Measured {
  noise: number[];
  agree: number;
}

/** The output holds the result in the end. */
export async function quantizeWithEffort(
  given: EffortInput,
): Promise<{ quantized: QuantizeReport; effort: EffortReport | null }> {
  const { run, runtime, core, input, output, summary, checked, held } = given;
  const write = (repairs: Repairs) =>
    core.quantize(checked.use_external_data_format ? output.dataName : '', repairs);
  let quantized = write(noRepairs);
  if (checked.effort === 'none') return { quantized, effort: null };
  const effort: EffortReport = {
    level: checked.effort,
    held: held.length,
    repairs: noRepairs,
    tried: [],
  };
  if (held.length < 2) {
    run.note(tooFewSamples(held.length));
    return { quantized, effort };
  }
  if (quantized.nodesQuantized.length === 0) return { quantized, effort };

  const runHeld = async (session: Awaited<ReturnType<typeof loadResult>>) => {
    try {
      return await runAll(session, held, comparedOutputs(summary), () => run.checkpoint());
    } finally {
      await session.release();
    }
  };
  const floats = await runHeld(await loadAsGiven(runtime, input, summary));
  const measure = async (): Promise<Measured | null> => {
    try {
      return compare(
        summary,
        floats,
        await runHeld(await loadResult(runtime, output, summary, 'all')),
      );
    } catch (error) {
      if (isRuntimeError(error)) return null; // verification will say so of the one that is kept
      throw error;
    }
  };

  let best = await measure();
  if (best === null) return { quantized, effort };
  effort.tried.push({ repairs: noRepairs, sqnr: decibels(best.noise), accepted: true });
  let written = noRepairs;
  for (const step of repairSteps(checked)) {
    if (decibels(best.noise) >= goodDecibels) break;
    if (!fits(step, effort.repairs)) continue;
    const repairs = { ...effort.repairs, ...step };
    if (step.round === true && !(await given.collectMoments())) continue;
    const candidate = write(repairs);
    written = repairs;
    if (isSame(step, candidate, quantized)) continue;
    const measured = await measure();
    const accepted =
      measured !== null && measured.agree >= best.agree && fallsBelow(measured.noise, best.noise);
    effort.tried.push({ repairs, sqnr: measured && decibels(measured.noise), accepted });
    if (!accepted) continue;
    best = measured;
    quantized = candidate;
    effort.repairs = repairs;
  }
  if (written !== effort.repairs) quantized = write(effort.repairs);
  return { quantized, effort };
}

/** Whether there was nothing to repair in the way that the step adds, or hardly anything. */
function isSame(
  { smooth, equalize, layerIo, round }: Partial<Repairs>,
  made: QuantizeReport,
  before: QuantizeReport,
): boolean {
  const { smoothed, equalized, corrected, rounded } = made.repaired;
  if (round === true) return rounded === 0;
  if (corrected !== before.repaired.corrected) return false;
  if (smooth !== undefined) return smoothed === 0;
  if (equalize === true) return equalized === 0;
  // What both layers and nodes between them read is quantized in any case.
  if (layerIo === true) return made.tensors.length > fewTensors * before.tensors.length;
  return true;
}

function compare(
  summary: ModelSummary,
  floats: readonly Outputs[],
  results: readonly Outputs[],
): Measured {
  return {
    noise: floats.map((float, i) => logNoise(float, results[i]!)),
    agree: compareOutputs(summary, floats, results).top1?.agree ?? 0,
  };
}

function tooFewSamples(held: number): Diagnostic {
  return {
    severity: 'warning',
    code: 'EFFORT_NEEDS_SAMPLES',
    message: `no repair was tried: ${held} samples could be held out to compare with, and it takes 2`,
    hint: 'give 6 samples or more; from 24 on 8 are held out',
  };
}
