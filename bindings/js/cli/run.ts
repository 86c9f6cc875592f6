// The command: flags and configuration → the library's function of that name → what is printed.
import fs from 'node:fs';
import { makeQdqConfig } from '../config/qdq-config.js';
import { makeQnnConfig } from '../config/qnn-config.js';
import { readStructure } from '../config/static-config.js';
import { formatConfig, mergeConfig, parseConfig } from '../config-file.js';
import { QuantizeError } from '../errors.js';
import { datasetReader } from '../index.js';
import type { PreprocessOptions, QuantizeStaticOptions } from '../options.js';
import { nodePlatform } from '../platform/node.js';
import { writableFolder, writeTextFile } from '../platform/node-files.js';
import { preprocessOn } from '../preprocess-model.js';
import { quantizeOn } from '../quantize-static.js';
import { camelCase, commandTables, preprocessOptions } from '../schema.js';
import type { Diagnostic, SampleSource } from '../types.js';
import { checkOptions, checkQuantizeStatic, type OptionValues } from '../validate.js';
import { type ParsedArgs, parseArgs } from './args.js';
import { helpText } from './help.js';
import { ProgressLine, type ProgressStream } from './progress.js';
import { bytesText, summaryText } from './summary.js';

export interface CommandStreams {
  out: { write(text: string): unknown };
  err: ProgressStream;
}

/** Runs one command. Returns its exit code: 0 done, 1 failed, 2 bad usage. */
export async function runCommand(
  argv: readonly string[],
  { out, err }: CommandStreams,
  signal?: AbortSignal,
): Promise<number> {
  try {
    const args = parseArgs(argv);
    if (args.help) out.write(helpText(args.command));
    else if (args.version) out.write(`${packageVersion()}\n`);
    else await runParsed(args, out, err, signal);
    return 0;
  } catch (error) {
    if (signal?.aborted) {
      err.write('cancelled; nothing was written\n');
      return 1;
    }
    err.write(errorText(error));
    return exitCode(error);
  }
}

async function runParsed(
  args: ParsedArgs,
  out: CommandStreams['out'],
  err: ProgressStream,
  signal: AbortSignal | undefined,
): Promise<void> {
  const table = commandTables[args.command];
  const file = args.config === null ? {} : parseConfig(readConfig(args.config), args.config, table);
  const given = mergeConfig(file, args.values);
  if (args.command === 'get_qdq_config' || args.command === 'get_qnn_qdq_config') {
    return configure(args, args.command, given, out);
  }
  const isStatic = args.command === 'quantize_static';
  const checked = isStatic ? checkQuantizeStatic(given) : checkOptions(preprocessOptions, given);
  requirePath(checked, 'model_input', '--input_model');
  requirePath(checked, 'model_output', '--output_model');
  if (args.saveConfig !== null) writableFolder(args.saveConfig, 'save_config');

  const source = isStatic ? openDataset(checked) : null;
  let described = '';
  const progress = new ProgressLine(err, args.quiet, () => {
    described ||= source?.describe() ?? '';
    return described;
  });
  const shared = {
    signal,
    onProgress: (event: Parameters<ProgressLine['update']>[0]) => progress.update(event),
    onDiagnostic: (diagnostic: Diagnostic) => {
      if (diagnostic.severity === 'warning') progress.print(`warning: ${describe(diagnostic)}`);
    },
  };
  let finished = false;
  try {
    if (isStatic) {
      const options = { ...toCamelCase(checked), ...shared, calibrationDataReader: source };
      const { report } = await quantizeOn(
        nodePlatform,
        options as unknown as QuantizeStaticOptions,
      );
      finished = true;
      progress.end(true);
      const { calibrationCache: _, ...printed } = report;
      const all = { ...printed, options: checked };
      if (args.json) out.write(`${JSON.stringify(all, null, 2)}\n`);
      else if (!args.quiet) out.write(summaryText(report));
    } else {
      const options = { ...toCamelCase(checked), ...shared };
      const { report } = await preprocessOn(nodePlatform, options as unknown as PreprocessOptions);
      finished = true;
      progress.end(true);
      if (args.json) out.write(`${JSON.stringify(report, null, 2)}\n`);
      else if (!args.quiet) {
        out.write(
          `written  ${checked.model_output} (${bytesText(report.bytesAfter)}, ` +
            `${report.nodesBefore} → ${report.nodesAfter} nodes, opset ${report.opsetAfter})\n`,
        );
      }
    }
  } finally {
    if (!finished) progress.end(false);
  }
  if (args.saveConfig !== null) writeTextFile(args.saveConfig, formatConfig(checked));
}

function requirePath(checked: OptionValues, name: string, flag: string): void {
  if (checked[name] !== null) return;
  throw new QuantizeError('INVALID_OPTION', `${name} is missing`, {
    hint: `give it as ${flag} FILE`,
  });
}

/** get_qdq_config and get_qnn_qdq_config: the configuration goes to --save_config, else to standard output. */
async function configure(
  args: ParsedArgs,
  command: 'get_qdq_config' | 'get_qnn_qdq_config',
  given: OptionValues,
  out: CommandStreams['out'],
): Promise<void> {
  const checked = checkOptions(commandTables[command], given);
  requirePath(checked, 'model_input', '--input_model');
  if (args.saveConfig !== null) writableFolder(args.saveConfig, 'save_config');
  const model = await readStructure(nodePlatform, checked.model_input as string, {});
  const make = command === 'get_qdq_config' ? makeQdqConfig : makeQnnConfig;
  const { model_input, model_output, calibrate_dataset, preprocess } = checked;
  const paths = { model_input, model_output, calibrate_dataset, preprocess };
  const text = formatConfig({ ...paths, ...make(model, checked) });
  if (args.saveConfig !== null) writeTextFile(args.saveConfig, text);
  if (args.saveConfig === null || args.json) out.write(text);
}

function openDataset(checked: OptionValues): SampleSource | null {
  const { calibrate_dataset: dataset, preprocess } = checked;
  if (dataset === null) {
    if (preprocess === null) return null;
    throw new QuantizeError('INVALID_OPTION', 'preprocess has no effect without calibrate_dataset');
  }
  return datasetReader(dataset as string | string[], {
    preprocess: (preprocess ?? undefined) as string | Record<string, unknown> | undefined,
  });
}

/** The API's names; the data set is a reader there. */
function toCamelCase(checked: OptionValues): Record<string, unknown> {
  const entries = Object.entries(checked).filter(
    ([name, value]) => !['calibrate_dataset', 'preprocess'].includes(name) && value !== null,
  );
  return Object.fromEntries(entries.map(([name, value]) => [camelCase(name), value]));
}

function readConfig(file: string): string {
  const text = nodePlatform.readText?.(file);
  if (typeof text === 'string') return text;
  throw new QuantizeError('INVALID_OPTION', `config: ${file} does not exist`);
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return JSON.parse(fs.readFileSync(file, 'utf8')).version;
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Message, place and hint in one line. */
function describe({ message, node, tensor, hint }: Partial<Diagnostic>): string {
  const text = oneLine(message ?? '');
  const places = [
    node && !text.includes(node) ? `node "${node}"` : '',
    tensor && !text.includes(tensor) ? `tensor "${tensor}"` : '',
  ].filter(Boolean);
  const place = places.length > 0 ? ` (${places.join(', ')})` : '';
  return `${text}${place}${hint ? `; ${oneLine(hint)}` : ''}`;
}

/** At most three lines; no stack but for a bug in this tool. */
function errorText(error: unknown): string {
  if (error instanceof QuantizeError) {
    const { hint, ...rest } = { ...error, message: error.message };
    const text = `error: ${describe(rest)}\n`;
    return hint ? `${text}  ${oneLine(hint)}\n` : text;
  }
  const message = error instanceof Error ? error.message : String(error);
  const place = error instanceof Error ? (error.stack?.split('\n')[1]?.trim() ?? '') : '';
  return `error: ${oneLine(message)} ${place}\n  this is a bug in onnx-ptq: please report it\n`;
}

function exitCode(error: unknown): number {
  const usage = ['INVALID_OPTION', 'UNSUPPORTED_OPTION'];
  return error instanceof QuantizeError && usage.includes(error.code) ? 2 : 1;
}
