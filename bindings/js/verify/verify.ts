// Before a result is called done: onnxruntime loads it, and samples that went through the float
// model go through it too. Reported, not judged, except for a warning where the result is useless.

import { QuantizeError } from '../base/errors.js';
import type { Diagnostic, Feeds, OptionValues } from '../base/types.js';
import { runSample } from '../runtime/run-sample.js';
import type { OutputTensor, RuntimeSession } from '../runtime/runtime.js';
import {
  addNoise,
  classCount,
  floatValues,
  type NoiseSums,
  noSums,
  signalToNoise,
  topClasses,
} from './metrics.js';
import type { QualityReport } from './report.js';

/** Under this the outputs have little to do with the float model's. */
const poorDecibels = 10;

/** What the float model made of a sample: its outputs by name. */
export type Outputs = Record<string, OutputTensor>;

/** Runs samples through a model. `checkpoint` is called after each. */
export async function runAll(
  session: RuntimeSession,
  samples: readonly Feeds[],
  outputs: readonly string[],
  checkpoint: (done: number) => Promise<void>,
): Promise<Outputs[]> {
  const results: Outputs[] = [];
  for (const [index, feeds] of samples.entries()) {
    results.push(await runSample(session, feeds, outputs, index));
    await checkpoint(index + 1);
  }
  return results;
}

/** Compares outputs sample by sample. Throws VERIFICATION_FAILED where their sizes differ. */
export function compareOutputs(
  floats: readonly Outputs[],
  quantizeds: readonly Outputs[],
): QualityReport {
  const sums = new Map<string, NoiseSums>();
  let top1: QualityReport['top1'] = null;
  for (const [index, outputs] of floats.entries()) {
    for (const [position, [name, float]] of Object.entries(outputs).entries()) {
      const quantized = quantizeds[index]?.[name];
      const x = floatValues(float);
      const y = quantized ? floatValues(quantized) : null;
      if (!x || !y) continue; // integer outputs: indices, counts
      if (x.length !== y.length) {
        throw new QuantizeError(
          'VERIFICATION_FAILED',
          `output "${name}" has ${y.length} values instead of the float model's ${x.length}`,
          { tensor: name },
        );
      }
      const own = sums.get(name) ?? noSums();
      sums.set(name, own);
      addNoise(own, x, y);
      // Scores are a model's first output; others of such a shape are states, embeddings, boxes.
      const classes = position === 0 ? classCount(float.dims) : null;
      if (classes === null) continue;
      top1 ??= { output: name, agree: 0, of: 0 };
      const rows = topClasses(y, classes);
      for (const [row, best] of topClasses(x, classes).entries()) {
        top1.agree += best === rows[row] ? 1 : 0;
        top1.of++;
      }
    }
  }
  const all = noSums();
  for (const one of sums.values()) {
    all.signal += one.signal;
    all.noise += one.noise;
    all.broken += one.broken;
  }
  return {
    samples: floats.length,
    loaded: true,
    sqnr: sums.size > 0 ? finite(signalToNoise(all)) : null,
    outputs: [...sums].map(([name, one]) => ({ name, sqnr: finite(signalToNoise(one)) })),
    top1,
  };
}

const finite = (value: number) => (Number.isFinite(value) ? value : null);

/** A report for a result that was loaded and not run, or not loaded. */
export function unmeasured(loaded: boolean): QualityReport {
  return { samples: 0, loaded, sqnr: null, outputs: [], top1: null };
}

/** Warnings about a measured quality, with what to try given the options in use. */
export function judgeQuality(quality: QualityReport, options: OptionValues): Diagnostic[] {
  if (quality.outputs.length === 0) return [];
  // One bad output is one too many, however good the sum of all is.
  const [worst] = [...quality.outputs].sort(
    (a, b) => (a.sqnr ?? -Infinity) - (b.sqnr ?? -Infinity),
  );
  if (!worst || (worst.sqnr !== null && worst.sqnr >= poorDecibels)) return [];
  const which = quality.outputs.length > 1 ? ` of "${worst.name}"` : '';
  const what =
    worst.sqnr === null
      ? `the quantized model gives NaN or infinite outputs${which}`
      : `the quantized model is far from the float model: output SQNR${which} ${worst.sqnr.toFixed(1)} dB`;
  const { top1 } = quality;
  const agreement = top1 ? `, same top class in ${top1.agree} of ${top1.of} samples` : '';
  const flags = [
    options.per_channel === true ? '' : '--per_channel',
    options.weight_type === 'QInt8' ? '' : '--weight_type QInt8',
  ].filter(Boolean);
  const tries = [
    flags.length > 0 ? flags.join(' ') : '',
    options.quant_format === 'QDQ' ? '' : '--quant_format QDQ',
    '--nodes_to_exclude with the first and last nodes',
    'more and more typical samples',
  ].filter(Boolean);
  return [
    {
      severity: 'warning',
      code: 'POOR_QUALITY',
      message: what + agreement,
      hint: `try ${tries.join(', or ')}`,
    },
  ];
}
