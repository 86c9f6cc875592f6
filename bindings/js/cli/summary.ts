// The report for people, as printed at the end of a run.
import { bytesText } from '../base/values.js';
import { qualityText } from '../verify/judge.js';
import { latencyText } from '../verify/judge-latency.js';
import type { EffortReport, QuantizationReport } from '../verify/report.js';

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

/** "biases corrected: 3.1 → 14.2 dB on 8 samples held out" */
function effortText({ level, held, repairs, tried }: EffortReport): string {
  const done = [
    repairs.layerIo ? 'linear layers only' : '',
    repairs.equalize ? 'channels equalized' : '',
    repairs.smooth > 0 ? 'inputs smoothed' : '',
    repairs.correctBiases ? 'biases corrected' : '',
    repairs.round ? 'weights rounded adaptively' : '',
    Object.keys(repairs.ranges).length > 0 ? 'ranges narrowed' : '',
    repairs.floatNodes.length > 0 ? `${repairs.floatNodes.length} nodes left float` : '',
  ].filter(Boolean);
  if (level === 'recipe') return `${done.join(', ') || 'nothing'}, as in the recipe`;
  if (tried.length === 0) return 'nothing tried';
  const accepted = tried.filter((one) => one.accepted && one.sqnr !== null);
  const [before, after] = [accepted[0]!.sqnr!.toFixed(1), accepted.at(-1)!.sqnr!.toFixed(1)];
  const gain = done.length > 0 ? `${before} → ${after}` : before;
  const what = done.length > 0 ? done.join(', ') : 'no repair helped';
  return `${what}: ${gain} dB on ${held} samples held out`;
}

/** A few lines, each with a name. */
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
    ...(report.effort ? [['effort', effortText(report.effort)]] : []),
    ['quality', qualityText(report.quality, calibration.assumed)],
    ...(report.quality.latency
      ? [['latency', `${latencyText(report.quality.latency)}, here`]]
      : []),
    ['time', `${(report.timings.total / 1000).toFixed(1)} s`],
  ];
  return `${rows.map(([name, text]) => `${name?.padEnd(8)} ${text}`).join('\n')}\n`;
}
