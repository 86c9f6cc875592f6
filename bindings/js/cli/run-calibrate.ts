// The commands calibrate and merge_ranges: ranges as files.
import path from 'node:path';
import { QuantizeError } from '../base/errors.js';
import type { OptionValues, TensorRanges } from '../base/types.js';
import { calibrationTables, tableNames } from '../calibration/files/calibration-tables.js';
import { tensorRtCache } from '../calibration/files/tensorrt-cache.js';
import { type MergedRanges, mergeRanges } from '../calibration/merge-states.js';
import { loadCore } from '../core/load.js';
import { calibrateChecked } from '../jobs/calibrate-model.js';
import { type CheckedMerge, mergeRangesOptions } from '../options/calibrate.js';
import { checkCalibrate, checkOptions } from '../options/validate.js';
import { refuseMeetings } from '../platform/file-uses.js';
import { nodePlatform } from '../platform/node.js';
import { readTextFile } from '../platform/node-files.js';
import type { FileUse } from '../platform/platform.js';
import { checkTextTarget } from '../platform/targets.js';
import type { CommandContext } from './command-context.js';
import { StagedFiles } from './outputs.js';
import { openDataset, requirePath } from './parameters.js';

const targets = ['ranges', 'tables', 'tensorrt_cache'] as const;
type Targets = Pick<CheckedMerge, (typeof targets)[number]>;

export async function calibrateCommand(
  given: OptionValues,
  configs: readonly FileUse[],
  context: CommandContext,
): Promise<void> {
  const checked = checkCalibrate(given, await loadCore());
  const modelInput = requirePath(checked.model_input, 'model_input', '--input_model');
  checkTargets(checked);
  const source = openDataset(checked);
  context.describe = () => source?.describe() ?? '';
  const output = targets.map((name) => checked[name]).find((file) => file !== null) ?? 'shard';
  const state = context.useState(checked, output);
  const input = {
    modelInput,
    calibrationDataReader: source,
    resume: state.read(),
    onCalibrationState: (text: string) => state.keep(text),
    ...context.callbacks,
  };
  const files = [...configs, ...targetUses(checked), ...state.uses];
  const result = await calibrateChecked(nodePlatform, input, checked, { files });
  context.finish();
  await withFiles(async (staged) => {
    const written = result.ranges
      ? stageRanges(staged, checked, result, checked.calibrate_method)
      : [state.path];
    if (result.calibrationState) {
      staged.add(state.path, result.calibrationState, 'calibration_state');
    }
    const { samples, description, diagnostics } = result;
    const complete = result.ranges !== null;
    await context.report({ complete, written, samples, description, diagnostics }, written);
  });
  if (!result.calibrationState) state.remove();
}

/** Puts in place what `work` has staged, if that succeeds. */
async function withFiles(work: (staged: StagedFiles) => Promise<void>): Promise<void> {
  const staged = new StagedFiles();
  try {
    await work(staged);
    staged.commit();
  } finally {
    staged.discard();
  }
}

export async function mergeCommand(
  given: OptionValues,
  configs: readonly FileUse[],
  context: CommandContext,
): Promise<void> {
  const checked = checkOptions(mergeRangesOptions, given);
  const states = checked.calibration_state;
  const [first = null, ...others] = states === null ? [] : [states].flat();
  const files = [requirePath(first, 'calibration_state', '--calibration_state'), ...others];
  checkTargets(checked);
  const read = files.map((path) => ({ option: 'calibration_state', path, writes: false }));
  refuseMeetings([...configs, ...read, ...targetUses(checked)]);
  const merged = await mergeRanges(stateTexts(files), files);
  for (const diagnostic of merged.diagnostics) context.callbacks.onDiagnostic(diagnostic);
  const complete = merged.ranges !== null;
  await withFiles(async (staged) => {
    const written = complete
      ? stageRanges(staged, checked, merged, merged.method)
      : stageMergedState(staged, checked, merged);
    const ranges = written[0];
    const next = complete
      ? []
      : [`the method needs another pass: calibrate every shard again with --resume ${ranges}`];
    await context.report({ complete, ranges, written }, written, next);
  });
}

/** One after the other: of a thousand shards, a gigabyte. */
function* stateTexts(files: readonly string[]): Generator<string> {
  for (const file of files) {
    const text = readTextFile(file, `the calibration state ${file}`);
    if (text === null) {
      throw new QuantizeError('FILE_NOT_FOUND', `there is no calibration state ${file}`);
    }
    yield text;
  }
}

function stageMergedState(
  staged: StagedFiles,
  { ranges: file }: Targets,
  { calibrationState }: MergedRanges,
): string[] {
  if (file === null) {
    throw new QuantizeError(
      'INVALID_OPTION',
      'the method needs another pass, and its state has nowhere to go',
      { hint: 'give --ranges FILE' },
    );
  }
  staged.add(file, calibrationState as string, 'ranges');
  return [file];
}

/** Whatever was asked for can be written. Throws INVALID_OPTION, OUTPUT_NOT_WRITABLE. */
function checkTargets(checked: Targets & { shard?: string | null }): void {
  const asked = targets.filter((name) => checked[name] !== null);
  if (asked.length === 0 && (checked.shard ?? null) === null) {
    throw new QuantizeError('INVALID_OPTION', 'ranges is missing', {
      hint: 'give --ranges FILE, --tables FOLDER or --tensorrt_cache FILE',
    });
  }
  for (const { path: file, option } of targetUses(checked)) checkTextTarget(file, option);
}

/** The files that were asked for. */
function targetUses(checked: Targets): FileUse[] {
  return targets.flatMap((option) => {
    const target = checked[option];
    if (target === null) return [];
    const files =
      option === 'tables' ? tableNames.map((name) => path.join(target, name)) : [target];
    return files.map((file) => ({ option, path: file, writes: true }));
  });
}

/** Begins what was asked for; returns the files. */
function stageRanges(
  staged: StagedFiles,
  targets: Targets,
  { ranges, calibrationCache }: { ranges: TensorRanges | null; calibrationCache: string | null },
  method: string,
): string[] {
  const written: string[] = [];
  const add = (file: string, content: string | Uint8Array, option: string) => {
    staged.add(file, content, option);
    written.push(file);
  };
  if (targets.ranges !== null) add(targets.ranges, calibrationCache!, 'ranges');
  if (targets.tensorrt_cache !== null) {
    add(targets.tensorrt_cache, tensorRtCache(ranges!, method), 'tensorrt_cache');
  }
  if (targets.tables !== null) {
    const tables = calibrationTables(ranges!);
    for (const name of tableNames) add(path.join(targets.tables, name), tables[name], 'tables');
  }
  return written;
}
