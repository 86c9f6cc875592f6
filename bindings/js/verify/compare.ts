// The outputs of the quantized model beside those of the float model, sample by sample: what can be
// compared is compared, what cannot (other shapes, nothing in it) is counted.

import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';
import type { ModelSummary, ValueSummary } from '../base/types.js';
import type { OutputTensor } from '../runtime/runtime.js';
import {
  addNoise,
  areScores,
  classCount,
  floatValues,
  type NoiseSums,
  type Numbers,
  noSums,
  signalToNoise,
  topClasses,
} from './metrics.js';
import type { OutputQuality, QualityReport } from './report.js';

/** The outputs of one sample by name. */
export type Outputs = Record<string, OutputTensor>;

/**
 * Compares outputs sample by sample. Throws VERIFICATION_FAILED where the quantized model gives
 * another shape than the float model although the model fixes it.
 */
export function compareOutputs(
  model: Pick<ModelSummary, 'outputs'>,
  floats: readonly Outputs[],
  quantizeds: readonly Outputs[],
): QualityReport {
  const compared = model.outputs.filter(({ name }) => floats.some((outputs) => outputs[name]));
  const pairsOf = (name: string) =>
    floats.map((outputs, i): Pair => [outputs[name]!, quantizeds[i]![name]!]);
  const outputs = compared.map((output) => compareOutput(output, pairsOf(output.name)));
  const measured = outputs.filter(({ sqnr, broken }) => sqnr !== null || broken);
  const worst = Math.min(...measured.map(({ sqnr }) => sqnr ?? -Infinity));
  const first = model.outputs[0]?.name;
  return {
    samples: floats.length,
    heldOut: false,
    loaded: true,
    sqnr: Number.isFinite(worst) ? worst : null,
    outputs,
    // Scores are a model's first output; others of such a shape are states, embeddings, boxes.
    top1:
      first !== undefined && first === compared[0]?.name ? agreement(first, pairsOf(first)) : null,
    latency: null,
  };
}

/** The float and the quantized model's output of one sample. */
type Pair = [float: OutputTensor, quantized: OutputTensor];

function compareOutput(output: ValueSummary, pairs: readonly Pair[]): OutputQuality {
  const all = noSums();
  const single: number[] = [];
  let [compared, values, differing] = [0, 0, 0];
  let sizes: OutputQuality['sizes'] = null;
  let isFloat = true;
  for (const [float, quantized] of pairs) {
    if (!sameShape(float.dims, quantized.dims)) {
      refuseFixed(output, float.dims, quantized.dims);
      const [before, after] = [float.data.length, quantized.data.length];
      sizes ??= { samples: 0, float: before, quantized: after };
      sizes.samples++;
      continue;
    }
    if (float.data.length === 0) continue;
    compared++;
    const [x, y] = [floatValues(float), floatValues(quantized)];
    isFloat = x !== null && y !== null;
    values += float.data.length;
    if (x && y) {
      const own = noSums();
      addNoise(own, x, y);
      single.push(signalToNoise(own));
      addAll(all, own);
    } else differing += countDifferent(float.data, quantized.data);
  }
  const broken = all.broken > 0;
  const exact = compared > 0 && !broken && all.noise === 0 && differing === 0;
  const isMeasured = compared > 0 && isFloat && !exact && !broken;
  return {
    name: output.name,
    compared,
    exact,
    broken,
    sqnr: isMeasured ? signalToNoise(all) : null,
    spread: isMeasured ? [Math.min(...single), Math.max(...single)] : null,
    different: compared > 0 && !isFloat ? differing / values : null,
    sizes,
  };
}

const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((dim, i) => dim === b[i]);

/** A shape that the model itself fixes cannot depend on the data. */
function refuseFixed(
  { name, shape }: ValueSummary,
  float: readonly number[],
  quantized: readonly number[],
): void {
  if (!shape?.every((dim) => typeof dim === 'number')) return;
  throw new QuantizeError(
    'VERIFICATION_FAILED',
    say`output "${name}" has the shape [${quantized.join(',')}] instead of the float model's [${float.join(',')}]`,
    { tensor: name },
  );
}

function addAll(sums: NoiseSums, more: NoiseSums): void {
  sums.signal += more.signal;
  sums.noise += more.noise;
  sums.broken += more.broken;
}

function countDifferent(a: ArrayLike<unknown>, b: ArrayLike<unknown>): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count;
}

function agreement(output: string, pairs: readonly Pair[]): QualityReport['top1'] {
  const rows: Numbers[] = [];
  const top1 = { output, agree: 0, of: 0 };
  for (const [float, quantized] of pairs) {
    const classes = classCount(float.dims);
    const [x, y] = [floatValues(float), floatValues(quantized)];
    if (classes === null || !x || !y || !sameShape(float.dims, quantized.dims)) return null;
    const others = topClasses(y, classes);
    for (const [row, best] of topClasses(x, classes).entries()) {
      top1.agree += best === others[row] ? 1 : 0;
      top1.of++;
      rows.push(Array.prototype.slice.call(x, row * classes, (row + 1) * classes));
    }
  }
  return rows.length > 0 && areScores(rows) ? top1 : null;
}

/** A report for a result that was loaded and not run, or not loaded. */
export function unmeasured(loaded: boolean): QualityReport {
  return {
    samples: 0,
    heldOut: false,
    loaded,
    sqnr: null,
    outputs: [],
    top1: null,
    latency: null,
  };
}
