// The commands calibrate and merge_ranges: ranges as files.
import fs from 'node:fs';
import path from 'node:path';
import { QuantizeError } from '../base/errors.js';
import { calibrationTables } from '../calibration/files/calibration-tables.js';
import { tensorRtCache } from '../calibration/files/tensorrt-cache.js';
import { type MergedRanges, mergeRanges } from '../calibration/merge-states.js';
import type { TensorRanges } from '../core/core.js';
import { calibrateOn } from '../jobs/calibrate-model.js';
import type { CalibrateOptions } from '../options/api.js';
import { mergeRangesOptions } from '../options/schema.js';
import { checkCalibrate, checkOptions, type OptionValues } from '../options/validate.js';
import { nodePlatform } from '../platform/node.js';
import { checkTextTarget, writeTextFile } from '../platform/node-files.js';
import { openDataset, requirePath, toCamelCase } from './parameters.js';
import type { RunContext } from './run-context.js';

const targets = ['ranges', 'tables', 'tensorrt_cache'] as const;

export async function calibrateCommand(given: OptionValues, context: RunContext): Promise<void> {
  const checked = checkCalibrate(given);
  requirePath(checked, 'model_input', '--input_model');
  checkTargets(checked);
  const source = openDataset(checked);
  context.describe = () => source?.describe() ?? '';
  const output = (targets.map((name) => checked[name]).find(Boolean) ?? 'shard') as string;
  const state = context.useState(checked, output);
  const options = {
    ...toCamelCase(checked, [...targets, 'calibration_state', 'resume']),
    ...context.callbacks,
    calibrationDataReader: source,
    resume: state.read(),
    onCalibrationState: (text: string) => state.keep(text),
  };
  const result = await calibrateOn(nodePlatform, options as unknown as CalibrateOptions);
  context.finish();
  const method = checked.calibrate_method as string;
  const written = result.ranges ? writeRanges(checked, result, method) : [state.path];
  if (result.calibrationState) writeTextFile(state.path, result.calibrationState);
  else state.remove();
  const { samples, description, diagnostics } = result;
  const complete = result.ranges !== null;
  context.report({ complete, written, samples, description, diagnostics }, written);
}

export async function mergeCommand(given: OptionValues, context: RunContext): Promise<void> {
  const checked = checkOptions(mergeRangesOptions, given);
  requirePath(checked, 'calibration_state', '--calibration_state');
  checkTargets(checked);
  const files = [checked.calibration_state as string | string[]].flat();
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

function writeMergedState(checked: OptionValues, { calibrationState }: MergedRanges): string[] {
  const file = checked.ranges as string | null;
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
function checkTargets(checked: OptionValues): void {
  const asked = targets.filter((name) => checked[name] !== null);
  if (asked.length === 0 && (checked.shard ?? null) === null) {
    throw new QuantizeError('INVALID_OPTION', 'ranges is missing', {
      hint: 'give --ranges FILE, --tables FOLDER or --tensorrt_cache FILE',
    });
  }
  for (const name of asked) {
    const target = checked[name] as string;
    checkTextTarget(name === 'tables' ? path.join(target, 'calibration.json') : target);
  }
}

/** Writes what was asked for; returns the files. */
function writeRanges(
  checked: OptionValues,
  { ranges, calibrationCache }: { ranges: TensorRanges | null; calibrationCache: string | null },
  method: string,
): string[] {
  const written: string[] = [];
  const write = (file: string, content: string | Uint8Array) => {
    writeTextFile(file, content);
    written.push(file);
  };
  if (checked.ranges !== null) write(checked.ranges as string, calibrationCache as string);
  if (checked.tensorrt_cache !== null) {
    write(checked.tensorrt_cache as string, tensorRtCache(ranges as TensorRanges, method));
  }
  if (checked.tables !== null) {
    for (const [name, content] of Object.entries(calibrationTables(ranges as TensorRanges))) {
      write(path.join(checked.tables as string, name), content);
    }
  }
  return written;
}
