// From ranges to a result that was verified: quantized, with an effort repaired, run beside the
// float model, judged. What it reports is the same for a run by itself and in a session.

import { type InputFiles, inputBytes, type OutputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { noRepairs } from '../base/repairs.js';
import type { Run } from '../base/run.js';
import { asMessage, type Sentence, say, sentence } from '../base/text.js';
import type {
  Diagnostic,
  FloatReason,
  ModelSummary,
  PrepareReport,
  QuantizeReport,
  Repairs,
  SamplesAbout,
} from '../base/types.js';
import { collectMoments } from '../calibration/collect-moments.js';
import { localRanges } from '../calibration/local-ranges.js';
import type { ModelFiles } from '../core/host-files.js';
import { parseRanges, withRanges } from '../core/ranges.js';
import type { CoreSession } from '../core/session.js';
import { isPlainMinMax } from '../effort/candidates.js';
import { quantizeWithEffort } from '../effort/quantize-with-effort.js';
import { profileTakesFloat } from '../options/profiles.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import type { Platform } from '../platform/platform.js';
import type { RuntimeAndWorkers } from '../runtime/workers.js';
import { FloatModel, type FloatOutputs } from '../verify/float-model.js';
import { isPoorQuality, judgeQuality } from '../verify/judge.js';
import { judgeLatency } from '../verify/judge-latency.js';
import { judgeSize } from '../verify/judge-size.js';
import type { QuantizationReport } from '../verify/report.js';
import {
  loadResult,
  type VerifiedSamples,
  type VerifyAmount,
  verifyResult,
} from '../verify/verify-result.js';
import { explainQuality } from './explain-quality.js';

export type SaidOfSamples = Pick<
  QuantizationReport['calibration'],
  'description' | keyof SamplesAbout
>;

interface Prepared {
  platform: Platform<unknown>;
  run: Run;
  runtime: RuntimeAndWorkers;
  /** Prepared for `checked`. */
  core: CoreSession;
  files: ModelFiles;
  input: InputFiles;
  output: OutputFiles<unknown>;
  summary: ModelSummary;
  checked: CheckedStatic;
  /** Repairs that are made without a search. */
  recipe: Repairs | null;
  prepared: PrepareReport;
  /** Where the ranges are from. */
  source: 'data' | 'cache';
  /** JSON as of CoreCalibration.ranges(). */
  ranges: string;
  calibrationCache: string;
  /** JSON as of CoreCalibration.statistics(); null where none was asked for. */
  statistics: string | null;
  /** JSON as of CoreCalibration.rangesForRepairs(); null: the ranges. */
  rangesForRepairs: string | null;
  samples: VerifiedSamples;
  /** What the float model made of samples before, in a session. */
  floatOutputs?: FloatOutputs;
  /** How much of the verification is done. */
  amount?: VerifyAmount;
  said: SaidOfSamples;
  /** Paths, where there are files. */
  modelInput: string | null;
  modelOutput: string | null;
}

/** Effort fast rounds adaptively where that takes a tenth of a second or two. */
const fastProducts = 2 ** 28;

/** The output holds the result in the end, and is not committed. */
export async function writeResult(given: Prepared): Promise<QuantizationReport> {
  const { runtime, input, summary, floatOutputs } = given;
  const float = new FloatModel(runtime, input, summary, floatOutputs);
  try {
    return await writeBeside(float, given);
  } finally {
    await float.release();
  }
}

async function writeBeside(float: FloatModel, given: Prepared): Promise<QuantizationReport> {
  const { run, core, input, output, summary, checked, samples } = given;
  if (given.statistics !== null) core.setStatistics(given.statistics);
  const mostProducts =
    checked.effort === 'fast' && given.recipe === null ? fastProducts : Number.POSITIVE_INFINITY;
  if (checked.effort === 'none' && checked.extra_options.EnableSubgraph === true) {
    run.note(noEffortInBodies);
  }
  let moments: Promise<boolean> | null = null;
  const { quantized, effort } = await run.stage('quantize', () =>
    quantizeWithEffort({
      ...given,
      float,
      held: samples.held,
      collectMoments: () => {
        moments ??= collectMoments({ ...given, model: summary, mostProducts }, samples.kept);
        return moments;
      },
      collectLocalRanges: async () =>
        given.source === 'data' && isPlainMinMax(checked)
          ? localRanges({ ...given, model: summary }, samples.kept)
          : {},
    }),
  );
  if (given.source === 'cache') {
    refuseForeignCache(quantized);
    run.note(...missingRanges(quantized));
  }
  run.note(...quantized.diagnostics, ...nothingQuantized(quantized));

  const quality = await run.stage('verify', () =>
    verifyResult(
      run,
      float,
      (optimization) => loadResult(given.runtime, output, summary, optimization, 'result'),
      summary,
      samples,
      given.amount,
    ),
  );
  if (quantized.nodesQuantized.length > 0) {
    const { kept } = samples;
    const repairs = effort?.repairs ?? noRepairs;
    const ranges = withRanges(given.ranges, repairs);
    const nodes = quantized.nodesQuantized.length;
    const floatMilliseconds = quality.latency?.float ?? null;
    const explanation =
      kept.length > 0 && !given.amount?.isQuick && isPoorQuality(quality, summary)
        ? await run.stage('verify', () =>
            explainQuality({ ...given, float, kept, repairs, ranges, nodes, floatMilliseconds }),
          )
        : null;
    const takesFloat = profileTakesFloat(checked.profile);
    run.note(...judgeQuality(quality, summary, explanation), ...judgeLatency(quality, takesFloat));
  }

  const bytesBefore = inputBytes(input, summary);
  const bytesAfter = output.model.size + output.data.size;
  if (quantized.nodesQuantized.length > 0) {
    run.note(...judgeSize(bytesBefore, bytesAfter, quantized.weights));
  }
  return {
    modelInput: input.label,
    modelOutput: given.modelOutput,
    bytesBefore,
    bytesAfter,
    opsetBefore: summary.opset,
    opsetAfter: quantized.opset,
    options: {
      ...checked,
      model_input: given.modelInput,
      model_output: given.modelOutput,
    },
    passes: given.prepared.passes,
    nodesQuantized: quantized.nodesQuantized,
    nodesLeftFloat: quantized.nodesLeftFloat,
    weights: quantized.weights,
    tensors: quantized.tensors,
    calibration: {
      source: given.source,
      samples: given.source === 'cache' ? 0 : samples.samples,
      ...given.said,
    },
    ranges: parseRanges(given.ranges),
    calibrationCache: given.calibrationCache,
    quality,
    effort,
    timings: run.totals(),
    diagnostics: run.diagnostics,
  };
}

const noEffortInBodies: Diagnostic = {
  severity: 'info',
  code: 'NO_EFFORT_IN_BODIES',
  message:
    'no repair was looked for: with EnableSubgraph layers in bodies are not observed by channel',
};

/** A cache that has none of the ranges that this model needs was made for another model. */
function refuseForeignCache({ nodesQuantized, nodesLeftFloat }: QuantizeReport): void {
  if (nodesQuantized.length > 0) return;
  const missing = nodesLeftFloat.find(({ code }) => code === 'NO_RANGE');
  if (!missing) return;
  throw new QuantizeError(
    'MISSING_RANGE',
    say`the calibration cache does not fit: ${reasonOf(missing)}`,
    {
      node: missing.name,
      hint: 'it was made for another model or other op types; calibrate again with samples',
    },
  );
}

/** One warning, where some of the ranges that are needed are not in the cache. */
function missingRanges({ nodesLeftFloat }: QuantizeReport): Diagnostic[] {
  const without = nodesLeftFloat.filter(({ code }) => code === 'NO_RANGE');
  const [first] = without;
  if (!first) return [];
  return [
    {
      severity: 'warning',
      code: 'MISSING_RANGE',
      ...asMessage(
        say`the calibration cache lacks ranges, and ${nodes(without.length)} stayed float: ${reasonOf(first)}`,
      ),
      node: first.name,
      hint: 'calibrate again with samples',
    },
  ];
}

/** One warning with the reasons, where no node was quantized. */
function nothingQuantized(report: QuantizeReport): Diagnostic[] {
  if (report.nodesQuantized.length > 0) return [];
  const reasons = new Map<string, { why: Sentence; opTypes: Set<string> }>();
  for (const node of report.nodesLeftFloat) {
    const known = reasons.get(node.reason) ?? { why: reasonOf(node), opTypes: new Set() };
    known.opTypes.add(node.opType);
    reasons.set(node.reason, known);
  }
  const whys = [...reasons.values()]
    .slice(0, 3)
    .map(({ why, opTypes }) => say`${[...opTypes].join(', ')}: ${why}`);
  const [first, ...others] = whys;
  const all = first && others.reduce((before, why) => say`${before}; ${why}`, first);
  const message = all ? say`no node was quantized (${all})` : say`no node was quantized`;
  return [{ severity: 'warning', code: 'NOTHING_QUANTIZED', ...asMessage(message) }];
}

const reasonOf = ({ reason, reasonText }: FloatReason) => sentence(reason, reasonText);

const nodes = (count: number): Sentence => (count === 1 ? say`a node` : say`${count} nodes`);
