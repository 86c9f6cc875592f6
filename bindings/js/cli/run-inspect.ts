// inspect: what a model is and which of its nodes would be quantized, as text or JSON.
import type { FormatForecast, OptionValues, ValueSummary } from '../base/types.js';
import { bytesText } from '../base/values.js';
import { inspectChecked, type ModelInspection } from '../jobs/inspect-model.js';
import { formatConfig } from '../options/config-file.js';
import { inspectOptions } from '../options/inspect.js';
import { checkOptions } from '../options/validate.js';
import { refuseMeetings } from '../platform/file-uses.js';
import { nodePlatform } from '../platform/node.js';
import type { ParsedArgs } from './args.js';
import { printable } from './error-text.js';
import { configUses, StagedFiles } from './outputs.js';
import { requirePath } from './parameters.js';
import { type OutStream, print } from './print.js';

export async function inspectCommand(
  args: ParsedArgs,
  given: OptionValues,
  out: OutStream,
): Promise<void> {
  const checked = checkOptions(inspectOptions, given);
  const path = requirePath(checked.model_input, 'model_input', '--input_model');
  refuseMeetings([...configUses(args), { option: 'model_input', path, writes: false }]);
  const inspection = await inspectChecked(nodePlatform, path, checked);
  const files = new StagedFiles();
  try {
    if (args.saveConfig !== null) files.add(args.saveConfig, formatConfig(checked), 'save_config');
    if (args.json) await print(out, `${JSON.stringify(inspection, null, 2)}\n`);
    else if (!args.quiet) await print(out, printable(inspectionText(inspection)));
    files.commit();
  } finally {
    files.discard();
  }
}

export function inspectionText(model: ModelInspection): string {
  const { formats, weightBytes, activationBytes, allShapesKnown } = model;
  const known = allShapesKnown ? '' : ' or more: some shapes are not known';
  const row = (name: string, text: string) => `${name.padEnd(11)} ${text}`;
  return `${[
    ...model.inputs.map((value) => row('input', valueText(value))),
    ...model.outputs.map((value) => row('output', valueText(value))),
    row('opset', `${model.opset}, IR version ${model.irVersion}`),
    row('nodes', `${model.nodes} (${model.nodesAfter} prepared): ${counted(model.opTypes)}`),
    row('weights', `${model.parameters} parameters, ${bytesText(weightBytes)}`),
    row('memory', `${bytesText(weightBytes + activationBytes)} for a run of one sample${known}`),
    ...model.externalFiles.map((name) => row('data file', name)),
    ...model.inputSteps.map(({ input, node, opType, values }) =>
      row(
        'input step',
        `"${input}": ${opType} "${node}"${values.length > 0 ? ` by ${values.map(short).join(', ')}` : ''}; samples must not have it done`,
      ),
    ),
    ...(model.alreadyQuantized ? [row('quantized', 'already, at least in part')] : []),
    ...formatRows('QOperator', formats.QOperator, row),
    ...formatRows('QDQ', formats.QDQ, row),
  ].join('\n')}\n`;
}

const short = (value: number) => String(Number(value.toPrecision(4)));

function valueText({ name, type, shape }: ValueSummary): string {
  const dims = shape === null ? 'unknown shape' : `[${shape.map((dim) => dim ?? '?').join(', ')}]`;
  return `"${name}" ${type} ${dims}`;
}

/** "52 Conv, 35 Relu", the most frequent first. */
function counted(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([opType, count]) => `${count} ${opType}`)
    .join(', ');
}

function formatRows(
  name: string,
  { opset, nodesQuantized, nodesLeftFloat, refused }: FormatForecast,
  row: (name: string, text: string) => string,
): string[] {
  if (refused) return [row(name, refused)];
  const byReason = new Map<string, string[]>();
  for (const { name: node, opType, reason } of nodesLeftFloat) {
    const nodes = byReason.get(reason) ?? [];
    nodes.push(`${opType} "${node}"`);
    byReason.set(reason, nodes);
  }
  const most = 3; // all are in the JSON
  const left = [...byReason].map(([reason, nodes]) => {
    const more = nodes.length > most ? ` and ${nodes.length - most} more` : '';
    return row('', `float: ${nodes.slice(0, most).join(', ')}${more}: ${reason}`);
  });
  const total = nodesQuantized.length + nodesLeftFloat.length;
  return [row(name, `${nodesQuantized.length} of ${total} nodes in int8, opset ${opset}`), ...left];
}
