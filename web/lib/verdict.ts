// What the figures of a run come to, in one word.
import type { QuantizationReport } from 'onnx-ptq';

export type Grade = 'good' | 'usable' | 'unusable' | 'identical' | 'unknown';

export interface Verdict {
  grade: Grade;
  /** In dB; null where it was not measured, or is exact or broken. */
  sqnr: number | null;
  exact: boolean;
  broken: boolean;
  /** Of samples, how many have the same top class; null where the output is no class scores. */
  agreement: { agree: number; of: number } | null;
}

/** From here on noise does not show. */
const goodDecibels = 20;
const poorDecibels = 10;
/** Below this even the same classes say little. */
const noSignal = 3;
const goodShare = 0.95;
const poorShare = 0.8;

/** `agreement`: measured on pictures that were held out, where there are some. */
export function judge(report: QuantizationReport, agreement = report.quality.top1): Verdict {
  const { quality, nodesQuantized } = report;
  const compared = quality.outputs.filter((output) => output.compared > 0);
  const exact = compared.length > 0 && compared.every((output) => output.exact);
  const broken = quality.outputs.some((output) => output.broken);
  const measured = { sqnr: quality.sqnr, exact, broken, agreement };
  return { grade: gradeOf(nodesQuantized.length, measured), ...measured };
}

function gradeOf(quantized: number, verdict: Omit<Verdict, 'grade'>): Grade {
  const { sqnr, exact, broken, agreement } = verdict;
  if (quantized === 0) return 'identical';
  if (broken) return 'unusable';
  if (exact) return 'good';
  if (sqnr === null) return 'unknown';
  const share = agreement && agreement.of > 0 ? agreement.agree / agreement.of : null;
  if (share === null ? sqnr < poorDecibels : share < poorShare || sqnr < noSignal) {
    return 'unusable';
  }
  return sqnr >= goodDecibels && (share ?? 1) >= goodShare ? 'good' : 'usable';
}
