// The commands calibrate and merge_ranges: ranges as files.
import fs from 'node:fs';
import path from 'node:path';
import { QuantizeError } from '../base/errors.js';
import type { OptionValues, TensorRanges } from '../base/types.js';
import { calibrationTables } from '../calibration/files/calibration-tables.js';
import { tensorRtCache } from '../calibration/files/tensorrt-cache.js';
import { type MergedRanges, mergeRanges } from '../calibration/merge-states.js';
import { loadCore } from '../core/load.js';
import { calibrateChecked } from '../jobs/calibrate-model.js';
import { type CheckedMerge, mergeRangesOptions } from '../options/calibrate.js';
import { checkCalibrate, checkOptions } from '../options/validate.js';
import { nodePlatform } from '../platform/node.js';
import { checkTextTarget, writeTextFile } from '../platform/node-files.js';
import type { CommandContext } from './command-context.js';
import { openDataset, requirePath } from './parameters.js';

const targets = ['ranges', 'tables', 'tensorrt_cache'] as const;
type Targets = Pick<CheckedMerge, (typeof targets)[number]>;

export async function calibrateCommand(
  given: OptionValues,
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
  const result = await calibrateChecked(nodePlatform, input, checked);
  context.finish();
  const written = result.ranges
    ? writeRanges(checked, result, checked.calibrate_method)
    : [state.path];
  if (result.calibrationState) writeTextFile(state.path, result.calibrationState);
  else state.remove();
  const { samples, description, diagnostics } = result;
  const complete = result.ranges !== null;
  context.report({ complete, written, samples, description, diagnostics }, written);
}

export async function mergeCommand(given: OptionValues, context: CommandContext): Promise<void> {
  const checked = checkOptions(mergeRangesOptions, given);
  const states = checked.calibration_state;
  const [first = null, ...others] = states === null ? [] : [states].flat();
  const files = [requirePath(first, 'calibration_state', '--calibration_state'), ...others];
  checkTargets(checked);
  const texts = files.map((file) => {
    if (fs.existsSync(file)) return fs.readFileSync(file, 'utf8');
    throw new QuantizeError('FILE_NOT_FOUND', `there is no calibration state ${file}`);
  });
  const merged = await mergeRanges(texts, files);
  for (const diagnostic of merged.diagnostics) context.callbacks.onDiagnostic(diagnostic);
  const complete = merged.ranges !== null;
  const written = complete
    ? writeRanges(checked, merged, merged.method)
    : writeMergedState(checked, merged);
  const ranges = written[0];
  const next = complete
    ? []
    : [`the method needs another pass: calibrate every shard again with --resume ${ranges}`];
  context.report({ complete, ranges, written }, written, next);
}

function writeMergedState({ ranges: file }: Targets, { calibrationState }: MergedRanges): string[] {
  if (file === null) {
    throw new QuantizeError(
      'INVALID_OPTION',
      'the method needs another pass, and its state has nowhere to go',
      { hint: 'give --ranges FILE' },
    );
  }
  writeTextFile(file, calibrationState as string);
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
  for (const name of asked) {
    const target = checked[name]!;
    checkTextTarget(name === 'tables' ? path.join(target, 'calibration.json') : target);
  }
}

/** Writes what was asked for; returns the files. */
function writeRanges(
  targets: Targets,
  { ranges, calibrationCache }: { ranges: TensorRanges | null; calibrationCache: string | null },
  method: string,
): string[] {
  const written: string[] = [];
  const write = (file: string, content: string | Uint8Array) => {
    writeTextFile(file, content);
    written.push(file);
  };
  if (targets.ranges !== null) write(targets.ranges, calibrationCache!);
  if (targets.tensorrt_cache !== null) {
    write(targets.tensorrt_cache, tensorRtCache(ranges!, method));
  }
  if (targets.tables !== null) {
    for (const [name, content] of Object.entries(calibrationTables(ranges!))) {
      write(path.join(targets.tables, name), content);
    }
  }
  return written;
}
