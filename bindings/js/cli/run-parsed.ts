// Flags and configuration → the library's function of that name → what is printed. What only one
// command needs is loaded with it.
import '../set-up-node.js';
import { QuantizeError } from '../base/errors.js';
import type { OptionValues } from '../base/types.js';
import { bytesText } from '../base/values.js';
import type { StaticQuantConfig } from '../config/static-config.js';
import { loadCore } from '../core/load.js';
import { formatRecipe, parseRecipe } from '../effort/recipe.js';
import { preprocessChecked } from '../jobs/preprocess-model.js';
import { quantizeChecked } from '../jobs/quantize-static.js';
import { commandTables } from '../options/commands.js';
import { formatConfig, mergeConfig, parseConfig } from '../options/config-file.js';
import type { carriedOptions } from '../options/configs.js';
import { preprocessOptions } from '../options/preprocess.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import type { CheckedOf } from '../options/spec.js';
import { checkOptions, checkQuantizeStatic } from '../options/validate.js';
import type { FileSink } from '../platform/file-sink.js';
import { refuseMeetings } from '../platform/file-uses.js';
import { nodePlatform } from '../platform/node.js';
import { readTextFile } from '../platform/node-files.js';
import type { FileUse } from '../platform/platform.js';
import { writableTarget } from '../platform/targets.js';
import { removeUnfinishedAtExit } from '../platform/temporaries.js';
import type { QuantizationReport } from '../verify/report.js';
import type { ParsedArgs } from './args.js';
import type { CommandContext } from './command-context.js';
import { printable } from './error-text.js';
import { configUses, StagedFiles } from './outputs.js';
import { openDataset, requirePath } from './parameters.js';
import { type OutStream, print } from './print.js';
import { summaryText } from './summary.js';

/** What a command returns: a number is an exit code. */
export async function runParsed(
  args: ParsedArgs,
  out: OutStream,
  context: CommandContext,
): Promise<unknown> {
  removeUnfinishedAtExit();
  const table = commandTables[args.command];
  const file = args.config === null ? {} : parseConfig(readConfig(args.config), args.config, table);
  const given = mergeConfig(file, args.values);
  if (args.saveConfig !== null) writableTarget(args.saveConfig, 'save_config');
  switch (args.command) {
    case 'get_qdq_config':
    case 'get_qnn_qdq_config':
      return configure(args, args.command, given, out);
    case 'calibrate':
      return (await import('./run-calibrate.js')).calibrateCommand(
        given,
        configUses(args),
        context,
      );
    case 'merge_ranges':
      return (await import('./run-calibrate.js')).mergeCommand(given, configUses(args), context);
    case 'inspect':
      return (await import('./run-inspect.js')).inspectCommand(args, given, out);
    case 'debug': {
      const { debugCommand } = await import('./run-debug.js');
      return saving(args, given, () => debugCommand(given, configUses(args), context));
    }
    case 'compare': {
      const { compareCommand } = await import('./run-measure.js');
      return saving(args, given, () => compareCommand(given, configUses(args), context));
    }
    case 'evaluate': {
      const { evaluateCommand } = await import('./run-measure.js');
      return saving(args, given, () => evaluateCommand(given, configUses(args), context));
    }
    case 'preprocess':
      return preprocessCommand(args, given, out, context);
    case 'quantize_static':
      return quantizeCommand(args, given, out, context);
  }
}

/** With the configuration, where it is asked for, once the command is done. */
async function saving<Result>(
  args: ParsedArgs,
  given: OptionValues,
  command: () => Promise<Result>,
): Promise<Result> {
  const result = await command();
  if (args.saveConfig === null) return result;
  const files = new StagedFiles();
  try {
    const checked = checkOptions(commandTables[args.command], given);
    files.add(args.saveConfig, formatConfig(checked), 'save_config');
    files.commit();
  } finally {
    files.discard();
  }
  return result;
}

async function quantizeCommand(
  args: ParsedArgs,
  given: OptionValues,
  out: OutStream,
  context: CommandContext,
): Promise<void> {
  const checked = checkQuantizeStatic(given, await loadCore());
  const models = requireModels(checked);
  writableTarget(models.modelOutput, 'model_output');
  if (checked.save_recipe !== null) writableTarget(checked.save_recipe, 'save_recipe');
  const source = openDataset(checked);
  context.describe = () => source?.describe() ?? '';
  const state = context.useState(checked, models.modelOutput);
  const input = {
    ...models,
    calibrationDataReader: source,
    resume: state.read(),
    recipe: checked.recipe === null ? null : readRecipe(checked.recipe),
    onCalibrationState: (text: string) => state.keep(text),
    ...context.callbacks,
  };
  await withConfig(args, checked, (staged) =>
    quantizeChecked(nodePlatform, input, checked, {
      files: [...configUses(args), ...state.uses, ...recipeUses(checked)],
      async beforeCommit(report) {
        context.finish();
        const { calibrationCache: _, ...printed } = report;
        if (args.json) await print(out, `${JSON.stringify(printed, null, 2)}\n`);
        else if (!args.quiet) await print(out, printable(summaryText(report)));
        return staged(recipeFiles(checked, report));
      },
    }),
  );
  state.remove();
}

function readRecipe(file: string): object {
  const text = readTextFile(file, `recipe: ${file}`);
  if (text === null) throw new QuantizeError('INVALID_OPTION', `recipe: ${file} does not exist`);
  return parseRecipe(text, `recipe: ${file}`) as object;
}

type RecipePaths = Pick<CheckedStatic, 'recipe' | 'save_recipe'>;

function recipeUses({ recipe, save_recipe }: RecipePaths): FileUse[] {
  return [
    ...(recipe === null ? [] : [{ option: 'recipe', path: recipe, writes: false }]),
    ...(save_recipe === null ? [] : [{ option: 'save_recipe', path: save_recipe, writes: true }]),
  ];
}

/** A file that is written beside a model. */
interface StagedFile {
  path: string;
  text: string;
  option: string;
}

function recipeFiles({ save_recipe }: RecipePaths, { effort }: QuantizationReport): StagedFile[] {
  if (save_recipe === null || effort === null) return [];
  return [{ path: save_recipe, text: formatRecipe(effort.recipe), option: 'save_recipe' }];
}

/**
 * Runs a job that puts the configuration, where it is asked for, in place together with its result.
 */
async function withConfig(
  args: ParsedArgs,
  checked: object,
  job: (staged: (others?: readonly StagedFile[]) => readonly FileSink[]) => Promise<unknown>,
): Promise<void> {
  const files = new StagedFiles();
  try {
    await job((others = []) => {
      for (const { path, text, option } of others) files.add(path, text, option);
      if (args.saveConfig !== null) {
        files.add(args.saveConfig, formatConfig(checked), 'save_config');
      }
      return files.sinks;
    });
  } finally {
    files.discard();
  }
}

async function preprocessCommand(
  args: ParsedArgs,
  given: OptionValues,
  out: OutStream,
  context: CommandContext,
): Promise<void> {
  const checked = checkOptions(preprocessOptions, given);
  const source = { ...requireModels(checked), ...context.callbacks };
  await withConfig(args, checked, (staged) =>
    preprocessChecked(nodePlatform, source, checked, {
      files: configUses(args),
      async beforeCommit(report) {
        context.finish();
        const { bytesAfter, nodesBefore, nodesAfter, opsetAfter } = report;
        const size = `${bytesText(bytesAfter)}, ${nodesBefore} → ${nodesAfter} nodes, opset ${opsetAfter}`;
        if (args.json) await print(out, `${JSON.stringify(report, null, 2)}\n`);
        else if (!args.quiet)
          await print(out, printable(`written  ${checked.model_output} (${size})\n`));
        return staged();
      },
    }),
  );
}

interface Models {
  model_input: string | null;
  model_output: string | null;
}

const requireModels = ({ model_input, model_output }: Models) => ({
  modelInput: requirePath(model_input, 'model_input', '--input_model'),
  modelOutput: requirePath(model_output, 'model_output', '--output_model'),
});

/**
 * get_qdq_config and get_qnn_qdq_config: the configuration goes to --save_config, else to standard
 * output.
 */
async function configure(
  args: ParsedArgs,
  command: 'get_qdq_config' | 'get_qnn_qdq_config',
  given: OptionValues,
  out: OutStream,
): Promise<void> {
  const text = formatConfig(await configOf(command, given, configUses(args)));
  if (args.saveConfig === null) return print(out, text);
  const file = new StagedFiles();
  try {
    file.add(args.saveConfig, text, 'save_config');
    if (args.json) await print(out, text);
    file.commit();
  } finally {
    file.discard();
  }
}

async function configOf(
  command: 'get_qdq_config' | 'get_qnn_qdq_config',
  given: OptionValues,
  uses: readonly FileUse[],
): Promise<object> {
  if (command === 'get_qdq_config') {
    const checked = checkOptions(commandTables[command], given);
    const { qdqConfigChecked } = await import('../config/qdq-config.js');
    return carried(checked, uses, (source) => qdqConfigChecked(nodePlatform, source, checked));
  }
  const checked = checkOptions(commandTables[command], given);
  const { qnnConfigChecked } = await import('../config/qnn-config.js');
  return carried(checked, uses, (source) => qnnConfigChecked(nodePlatform, source, checked));
}

/** The configuration, with what it carries along for its run. */
async function carried(
  {
    model_input,
    model_output,
    calibrate_dataset,
    preprocess,
  }: CheckedOf<typeof carriedOptions> & Pick<Models, 'model_input'>,
  uses: readonly FileUse[],
  make: (source: { modelInput: string }) => Promise<StaticQuantConfig>,
): Promise<object> {
  const modelInput = requirePath(model_input, 'model_input', '--input_model');
  refuseMeetings([...uses, { option: 'model_input', path: modelInput, writes: false }]);
  const config = await make({ modelInput });
  return { model_input, model_output, calibrate_dataset, preprocess, ...config };
}

function readConfig(file: string): string {
  const text = readTextFile(file, `config: ${file}`);
  if (text !== null) return text;
  throw new QuantizeError('INVALID_OPTION', `config: ${file} does not exist`);
}
