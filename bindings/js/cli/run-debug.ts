// debug: where a quantized model goes wrong, as a table or JSON.
import type { OptionValues } from '../base/types.js';
import { bytesText } from '../base/values.js';
import type { Diagnosis, LayerDiagnosis } from '../diagnosis/report.js';
import { diagnoseOn } from '../jobs/diagnose.js';
import { type CheckedDebug, debugOptions } from '../options/measuring.js';
import { checkOptions } from '../options/validate.js';
import { nodePlatform } from '../platform/node.js';
import type { FileUse } from '../platform/platform.js';
import type { CommandContext } from './command-context.js';
import { checkReads, requireDataset, requirePath } from './parameters.js';

export async function debugCommand(
  given: OptionValues,
  configs: readonly FileUse[],
  context: CommandContext,
): Promise<void> {
  const checked = checkOptions(debugOptions, given);
  const modelInput = requirePath(checked.model_input, 'model_input', '--input_model');
  const quantizedModel = requirePath(
    checked.quantized_model,
    'quantized_model',
    '--quantized_model',
  );
  checkReads(configs, { model_input: modelInput, quantized_model: quantizedModel });
  const source = requireDataset(checked);
  context.describe = () => source.describe();
  const diagnosis = await diagnoseOn(nodePlatform, {
    modelInput,
    quantizedModel,
    calibrationDataReader: source,
    samples: checked.samples,
    aloneSamples: checked.alone_samples,
    memoryBudget: checked.memory_budget,
    runtime: checked.runtime,
    ...context.callbacks,
  });
  context.finish();
  await context.report(
    { ...diagnosis, ...lossDebug(diagnosis) },
    [],
    diagnosisLines(diagnosis, checked),
  );
}

/** What the reference's qdq_loss_debug computes, under its names. */
function lossDebug({ tensors, format }: Diagnosis) {
  if (format !== 'QDQ') return {};
  const known = <Value>(entries: (readonly [string, Value | null])[]) =>
    Object.fromEntries(entries.filter(([, value]) => value !== null));
  return {
    compute_weight_error: known(
      tensors
        .filter(({ kind }) => kind === 'weight')
        .map(({ tensor, alone }) => [tensor, alone] as const),
    ),
    compute_activation_error: known(
      tensors
        .filter(({ kind }) => kind === 'activation')
        .map(
          ({ tensor, rounding, accumulated }) =>
            [tensor, { qdq_err: rounding, xmodel_err: accumulated }] as const,
        ),
    ),
  };
}

const db = (value: number | null) =>
  value === null ? '-' : Number.isFinite(value) ? value.toFixed(1) : 'broken';

const columns = ['layer', 'makes', 'lost so far', 'by itself', 'at outputs', 'size'];
/** Of the table by harm; the graph's order has all. */
const mostRows = 20;

export function diagnosisLines(
  diagnosis: Diagnosis,
  { order }: Pick<CheckedDebug, 'order'>,
): string[] {
  const { layers, worst, outputs, samples, saturation, format } = diagnosis;
  const rows = order === 'graph' ? layers : byHarm(layers).slice(0, mostRows);
  const cells = rows.map((layer) => [
    `${layer.opType} ${layer.node}`.trim() + (layer.enters ? ' *' : ''),
    layer.tensor,
    db(layer.accumulated),
    db(layer.own),
    db(layer.alone),
    layer.weightBytes > 0 ? bytesText(layer.weightBytes) : '',
  ]);
  const widths = columns.map((name, i) =>
    Math.max(name.length, ...cells.map((row) => Math.min(row[i]!.length, 44))),
  );
  const text = (row: readonly string[]) =>
    row
      .map((cell, i) => (i < 2 ? shortened(cell).padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  const left = layers.length - rows.length;
  return [
    ...outputs.map(
      ({ name, sqnr }) => `output   ${name}: ${db(sqnr)} dB (${format}, ${samples} samples)`,
    ),
    '',
    text(columns),
    ...cells.map(text),
    ...(left > 0 ? [`and ${left} layers that do less harm: --order graph has all`] : []),
    '',
    'Signal to noise in dB: of what the quantized model makes, of the layer alone, and of the',
    'layer alone at the worst output. *: the layer adds at least as much noise as reaches it.',
    ...(saturation === null
      ? []
      : [
          '',
          `this processor cuts sums of 8-bit products off (${db(saturation)} dB): --reduce_range`,
        ]),
    '',
    ...(worst.length === 0 ? ['no cause stands out'] : []),
    ...worst.map(
      ({ node, tensor, share, cause }) =>
        `${Math.round(100 * share)} % of the harm: "${node || tensor}": "${cause.tensor}": ${cause.text}; ${cause.remedy}`,
    ),
  ];
}

function shortened(cell: string): string {
  return cell.length <= 44 ? cell : `${cell.slice(0, 20)}…${cell.slice(-23)}`;
}

/** By what reaches the outputs, else by what is lost. */
function byHarm(layers: readonly LayerDiagnosis[]): LayerDiagnosis[] {
  const harm = ({ alone, own, accumulated }: LayerDiagnosis) =>
    alone ?? own ?? accumulated ?? Number.POSITIVE_INFINITY;
  return layers.filter(({ isQuantized }) => isQuantized).sort((a, b) => harm(a) - harm(b));
}
