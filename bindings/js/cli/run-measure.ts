// compare and evaluate: models on samples, as text or JSON, and exit code 3 below a stated line.
import { QuantizeError } from '../base/errors.js';
import type { OptionValues } from '../base/types.js';
import { bytesText } from '../base/values.js';
import type { Evaluation, MeasuredModel, ModelComparison, Share } from '../evaluation/report.js';
import { compareModelsOn } from '../jobs/compare-models.js';
import { evaluateOn } from '../jobs/evaluate.js';
import { compareOptions, evaluateOptions } from '../options/measuring.js';
import { checkOptions } from '../options/validate.js';
import { nodePlatform } from '../platform/node.js';
import { readTextFile } from '../platform/node-files.js';
import type { FileUse } from '../platform/platform.js';
import type { CommandContext } from './command-context.js';
import { checkReads, requireDataset, requirePath } from './parameters.js';

/** Returned where a result is below a line. */
export const belowLine = 3;

/** A figure and the line that is stated for it. */
interface Line {
  name: string;
  least: number | null;
  value: number | null;
}

export async function compareCommand(
  given: OptionValues,
  configs: readonly FileUse[],
  context: CommandContext,
): Promise<number> {
  const checked = checkOptions(compareOptions, given);
  const modelA = requirePath(checked.model_a, 'model_a', '--model_a');
  const modelB = requirePath(checked.model_b, 'model_b', '--model_b');
  checkLines(checked.strict, { min_sqnr: checked.min_sqnr, min_agreement: checked.min_agreement });
  checkReads(configs, { model_a: modelA, model_b: modelB });
  const source = requireDataset(checked);
  context.describe = () => source.describe();
  const comparison = await compareModelsOn(nodePlatform, {
    modelA,
    modelB,
    calibrationDataReader: source,
    runtime: checked.runtime,
    ...context.callbacks,
  });
  context.finish();
  await context.report(comparison, [], comparisonLines(comparison));
  const { sqnr, top1, outputs } = comparison;
  const isExact = outputs.every(({ exact }) => exact);
  return judged(context, [
    { name: 'min_sqnr', least: checked.min_sqnr, value: isExact ? Infinity : sqnr },
    { name: 'min_agreement', least: checked.min_agreement, value: top1?.share ?? null },
  ]);
}

export async function evaluateCommand(
  given: OptionValues,
  configs: readonly FileUse[],
  context: CommandContext,
): Promise<number> {
  const checked = checkOptions(evaluateOptions, given);
  const models = checked.models === null ? [] : [checked.models].flat();
  requirePath(models[0] ?? null, 'models', '--models');
  checkLines(checked.strict, { min_top1: checked.min_top1, min_map: checked.min_map });
  const { labels: file } = checked;
  checkReads(configs, { ...Object.fromEntries(models.entries()), ...(file && { labels: file }) });
  const source = requireDataset(checked);
  context.describe = () => source.describe();
  const labels = file === null ? undefined : readTextFile(file, `labels: ${file}`);
  if (labels === null) {
    throw new QuantizeError('FILE_NOT_FOUND', `labels: ${file} does not exist`);
  }
  const evaluation = await evaluateOn(nodePlatform, {
    models,
    labels,
    calibrationDataReader: source,
    runtime: checked.runtime,
    ...context.callbacks,
  });
  context.finish();
  await context.report(evaluation, [], evaluationLines(evaluation));
  const lowest = (values: readonly (number | undefined)[]) =>
    values.some((value) => value === undefined) ? null : Math.min(...(values as number[]));
  const top1 = evaluation.models.map(({ classification }) => classification?.top1.share);
  const maps = evaluation.models.map(({ detection }) => detection?.map);
  return judged(context, [
    { name: 'min_top1', least: checked.min_top1, value: lowest(top1) },
    { name: 'min_map', least: checked.min_map, value: lowest(maps) },
  ]);
}

/** A line without strict would have no effect, and strict none without a line. */
function checkLines(strict: boolean, lines: Record<string, number | null>): void {
  const names = Object.keys(lines);
  const given = names.filter((name) => lines[name] !== null);
  if (strict && given.length === 0) {
    throw new QuantizeError('INVALID_OPTION', 'strict has no effect without a line', {
      hint: `give --${names.join(' or --')}`,
    });
  }
  if (!strict && given.length > 0) {
    throw new QuantizeError('INVALID_OPTION', `${given[0]} has no effect without strict`, {
      hint: 'give --strict, which ends with exit code 3 below it',
    });
  }
}

/** 3 where a figure is below its line, or is not there; says so. */
function judged(context: CommandContext, lines: readonly Line[]): number {
  const below = lines.filter(
    ({ least, value }) => least !== null && !((value ?? -Infinity) >= least),
  );
  for (const { name, least, value } of below) {
    const what = value === null ? 'not measurable' : String(Number(value.toPrecision(4)));
    context.callbacks.onDiagnostic({
      severity: 'warning',
      code: 'BELOW_LINE',
      message: `${name}: ${what}, and ${least} was asked for`,
    });
  }
  return below.length > 0 ? belowLine : 0;
}

const row = (name: string, text: string) => `${name.padEnd(9)} ${text}`;

function modelRow({ model, bytes, latency }: MeasuredModel): string {
  return row('model', `${model}: ${bytesText(bytes)}, ${latency.toFixed(2)} ms`);
}

function shareText({ hits, of, share, standardError }: Share): string {
  return `${(100 * share).toFixed(1)} % ± ${(100 * standardError).toFixed(1)} (${hits} of ${of})`;
}

export function comparisonLines(comparison: ModelComparison): string[] {
  const { models, outputs, top1, top5, samples, description } = comparison;
  return [
    ...models.map(modelRow),
    row('samples', description || `${samples}`),
    ...outputs.map(({ name, exact, broken, sqnr, spread, cosine, different, otherShapes }) => {
      const parts = [
        exact ? 'exact' : '',
        broken ? 'NaN or infinite in the second model' : '',
        sqnr === null ? '' : `${sqnr.toFixed(1)} dB`,
        spread === null || samples < 2
          ? ''
          : `${spread.lowest.toFixed(1)} to ${spread.highest.toFixed(1)} by sample (mean ${spread.mean.toFixed(1)}, deviation ${spread.deviation.toFixed(1)})`,
        cosine === null || exact ? '' : `cosine ${cosine.toFixed(5)}`,
        different === null ? '' : `${(100 * different).toFixed(1)} % differ`,
        otherShapes > 0 ? `other shapes in ${otherShapes} samples` : '',
      ].filter(Boolean);
      return row('output', `${name}: ${parts.join(', ') || 'nothing to compare'}`);
    }),
    ...(top1 ? [row('agreement', `top-1 ${shareText(top1)}`)] : []),
    ...(top5 ? [row('', `in the other's top-5 ${shareText(top5)}`)] : []),
    row('latency', latencyText(models)),
  ];
}

function latencyText([a, b]: readonly MeasuredModel[]): string {
  const factor = a!.latency / b!.latency;
  return factor >= 1
    ? `the second is ${factor.toFixed(2)} times as fast, here`
    : `the second is slower: it takes ${(1 / factor).toFixed(2)} times as long, here`;
}

export function evaluationLines({ models, labels, samples, description }: Evaluation): string[] {
  return [
    row('samples', description || `${samples}`),
    row('labels', labels),
    ...models.flatMap((model) => [
      modelRow(model),
      ...(model.classification
        ? [
            row('', `top-1 ${shareText(model.classification.top1)}`),
            row('', `top-5 ${shareText(model.classification.top5)}`),
          ]
        : []),
      ...(model.detection
        ? [
            row(
              '',
              `mAP ${model.detection.map.toFixed(3)}, at IoU 0.50 ${model.detection.map50.toFixed(3)} (${model.detection.boxes} boxes in ${model.detection.images} pictures)`,
            ),
          ]
        : []),
    ]),
  ];
}
