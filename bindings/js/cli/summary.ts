// The report for people, as printed at the end of a run.
import { bytesText } from '../base/values.js';
import { qualityText } from '../verify/judge.js';
import type { QuantizationReport } from '../verify/report.js';

function leftFloat(report: QuantizationReport): string {
  const counts = new Map<string, number>();
  for (const { opType } of report.nodesLeftFloat) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const named = sorted.slice(0, 4).map(([opType, count]) => `${count} ${opType}`);
  if (sorted.length > 4) named.push('…');
  const count = report.nodesLeftFloat.length;
  return count === 0 ? '' : `, ${count} left float (${named.join(', ')})`;
}

/** ", 12 % of the weights' bytes are float", where that is at least 1 %. */
function floatShare({ weights }: QuantizationReport): string {
  const share = Math.round((100 * weights.floatBytes) / Math.max(weights.bytes, 1));
  return share > 0 ? `, ${share} % of the weights' bytes are float` : '';
}

/** A guess is called one: "; found by the model: imagenet; guessed: fit". */
const guessText = ({ assumed, found }: QuantizationReport['calibration']) =>
  (found?.decided.normalization ? `; found by the model: ${found.chosen.option}` : '') +
  (assumed.length > 0 ? `; guessed: ${assumed.join(', ')}` : '');

/** Five lines, each with a name. */
export function summaryText(report: QuantizationReport): string {
  const { bytesBefore, bytesAfter, calibration } = report;
  const share = Math.round((100 * bytesAfter) / bytesBefore);
  const samples =
    calibration.source === 'cache'
      ? 'ranges from the calibration cache'
      : (calibration.done || `${calibration.samples}`) + guessText(calibration);
  const rows = [
    ['written', report.modelOutput ?? ''],
    [
      'size',
      `${bytesText(bytesBefore)} → ${bytesText(bytesAfter)} (${share} %)${floatShare(report)}`,
    ],
    ['nodes', `${report.nodesQuantized.length} quantized${leftFloat(report)}`],
    ['samples', samples],
    ['quality', qualityText(report.quality, calibration.assumed)],
    ['time', `${(report.timings.total / 1000).toFixed(1)} s`],
  ];
  return `${rows.map(([name, text]) => `${name?.padEnd(8)} ${text}`).join('\n')}\n`;
}
