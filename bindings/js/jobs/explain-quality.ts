// Of a result that is poor: why, by a diagnosis on a few samples, and what mends it, by quantizing
// with other settings from the ranges that are there. Only what was tried is advised.
import type { InputFiles, OutputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import type { Run } from '../base/run.js';
import type { Feeds, ModelSummary, Repairs } from '../base/types.js';
import { learnTypes } from '../calibration/pass-model.js';
import { ModelFiles } from '../core/host-files.js';
import { CoreSession } from '../core/session.js';
import { diagnoseModels } from '../diagnosis/diagnose.js';
import { ProbedModel } from '../diagnosis/probed-model.js';
import type { Diagnosis } from '../diagnosis/report.js';
import { coreOptions } from '../options/core-options.js';
import { profileTakesFloat } from '../options/profiles.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import { MemoryInput } from '../platform/memory-input.js';
import type { Platform, Runtime } from '../platform/platform.js';
import type { RuntimeSession } from '../runtime/runtime.js';
import { compareOutputs } from '../verify/compare.js';
import type { Explanation } from '../verify/explanation.js';
import { comparedOutputs, type FloatModel } from '../verify/float-model.js';
import { runAll } from '../verify/run-model.js';
import { loadResult } from '../verify/verify-result.js';

interface PoorResult {
  platform: Platform<unknown>;
  run: Run;
  runtime: Runtime;
  float: FloatModel;
  input: InputFiles;
  output: OutputFiles<unknown>;
  summary: ModelSummary;
  checked: CheckedStatic;
  kept: readonly Feeds[];
  /** What the result is made from: as CoreSession.setRanges() and setStatistics() take them. */
  ranges: string;
  statistics: string | null;
  repairs: Repairs;
}

/** A diagnosis costs time: with so many samples, on models up to so many bytes. */
const fewSamples = 2;
const aloneSamples = 1;
/** Each costs a run of the float model; those that round worst do nearly all of the harm. */
const mostAlone = 16;
const mostBytes = 512 * 2 ** 20;
const budgetBytes = 256 * 2 ** 20;
/** So many of the worst nodes are left float, where that is tried, and of all no larger share. */
const mostNodes = 3;
const mostShare = 1 / 4;

export async function explainQuality(poor: PoorResult): Promise<Explanation> {
  const isSmall = poor.output.model.size + poor.output.data.size <= mostBytes;
  const diagnosis = isSmall ? await diagnose(poor) : null;
  const tried = isSmall ? await trySettings(poor, diagnosis) : [];
  return {
    worst: diagnosis ? worstOf(diagnosis) : null,
    tried,
    effort: poor.checked.effort === 'none' ? 'normal' : null,
  };
}

async function diagnose(poor: PoorResult): Promise<Diagnosis | null> {
  const { runtime, run, input, output, kept } = poor;
  if (output.data.size > 0) return null;
  const bytes = new MemoryInput('the quantized model', new Map([['~model', output.modelBytes()]]));
  const samples = kept.slice(0, fewSamples);
  const open: ProbedModel[] = [];
  try {
    const float = await ProbedModel.open(input);
    open.push(float);
    const quantized = await ProbedModel.open(bytes);
    open.push(quantized);
    return await diagnoseModels({
      float,
      quantized,
      runtime,
      run,
      samples: () => each(samples),
      count: samples.length,
      aloneSamples,
      mostAlone,
      budgetBytes,
    });
  } catch (error) {
    // The result is what it is, whether or not it can be explained.
    if (error instanceof QuantizeError) return null;
    throw error;
  } finally {
    for (const model of open) model.dispose();
  }
}

async function* each(samples: readonly Feeds[]): AsyncGenerator<Feeds> {
  yield* samples;
}

function worstOf({ worst, layers }: Diagnosis): Explanation['worst'] {
  if (worst[0]) return worst[0];
  const known = layers.filter(({ alone }) => alone !== null);
  if (known.length === 0) return null;
  const { node, tensor } = known.reduce((a, b) => (b.alone! < a.alone! ? b : a));
  return { node, tensor, share: 0, cause: null };
}

interface Setting {
  flags: string;
  change: Partial<CheckedStatic>;
}

function settings(checked: CheckedStatic, diagnosis: Diagnosis | null): Setting[] {
  const found: Setting[] = [];
  if (!checked.per_channel) {
    const signed = checked.weight_type === 'QUInt8';
    found.push({
      flags: `--per_channel${signed ? ' --weight_type QInt8' : ''}`,
      change: { per_channel: true, ...(signed && { weight_type: 'QInt8' as const }) },
    });
  }
  const nodes = profileTakesFloat(checked.profile) && diagnosis ? worstNodes(diagnosis) : [];
  if (nodes.length > 0) {
    const flags = `--nodes_to_exclude ${nodes.join(' ')}`;
    const change = { nodes_to_exclude: [...checked.nodes_to_exclude, ...nodes] };
    found.push({ flags, change });
    const first = found[0]!;
    if (found.length > 1) {
      found.push({
        flags: `${first.flags} ${flags}`,
        change: { ...first.change, ...change },
      });
    }
  }
  return found;
}

/** By harm. The QOperator format appends to their names. */
function worstNodes({ layers }: Diagnosis): string[] {
  const quantized = layers.filter(({ isQuantized }) => isQuantized);
  const harm = quantized
    .filter(({ alone, node }) => alone !== null && node !== '')
    .sort((a, b) => a.alone! - b.alone!)
    .slice(0, Math.min(mostNodes, Math.floor(mostShare * quantized.length)));
  return harm.map(({ node }) => node.replace(/_quant$/, ''));
}

async function trySettings(
  poor: PoorResult,
  diagnosis: Diagnosis | null,
): Promise<Explanation['tried']> {
  const { platform, run, runtime, input, summary, checked, kept } = poor;
  const candidates = settings(checked, diagnosis);
  if (candidates.length === 0) return [];
  const runKept = async (session: RuntimeSession) => {
    try {
      return await runAll(session, kept, comparedOutputs(summary), () => run.checkpoint());
    } finally {
      await session.release();
    }
  };
  const floats = await poor.float.outputsOf(kept, () => run.checkpoint());
  const tried: Explanation['tried'] = [];
  const output = platform.openOutput(undefined);
  const files = new ModelFiles(input, output);
  // A session of its own: the result stays as it is, and other settings may need another opset.
  const core = await CoreSession.create(files);
  try {
    core.open();
    for (const { flags, change } of candidates) {
      try {
        core.configure(coreOptions({ ...checked, ...change }));
        core.prepare();
        await learnTypes(runtime, core, files, input, summary);
        core.setRanges(poor.ranges);
        if (poor.statistics !== null) core.setStatistics(poor.statistics);
        core.quantize('', poor.repairs);
        const results = await runKept(await loadResult(runtime, output, summary, 'all'));
        tried.push({ flags, sqnr: compareOutputs(summary, floats, results).sqnr });
      } catch (error) {
        if (!(error instanceof QuantizeError)) throw error;
        tried.push({ flags, sqnr: null });
      }
    }
  } finally {
    core.dispose();
    output.discard();
  }
  return tried;
}
