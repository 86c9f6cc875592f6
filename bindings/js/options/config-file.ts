// The configuration file: one JSON object with the parameters under the reference's names. Relative
// paths in it are relative to the working directory, as those on the command line are.

import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';
import type { OptionValues } from '../base/types.js';
import { isObject } from '../base/values.js';
import type { OptionSpec } from './spec.js';
import { checkKnown } from './validate.js';

/**
 * Reads a configuration for the options in `table`; aliases become the option's own name.
 * Throws INVALID_OPTION for what is no JSON object and for unknown keys, with near matches.
 */
export function parseConfig(
  text: string,
  label: string,
  table: readonly OptionSpec[],
): OptionValues {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (cause) {
    throw new QuantizeError(
      'INVALID_OPTION',
      say`${label}: not valid JSON: ${(cause as Error).message}`,
    );
  }
  if (!isObject(root)) {
    throw new QuantizeError('INVALID_OPTION', say`${label}: expected one JSON object`);
  }
  const names = new Map<string, string>();
  for (const spec of table) {
    for (const alias of spec.aliases ?? []) if (alias.length > 1) names.set(alias, spec.name);
  }
  for (const spec of table) names.set(spec.name, spec.name);
  const values: OptionValues = {};
  for (const [key, value] of Object.entries(root)) {
    checkKnown(say`option in ${label}`, key, names.keys());
    const name = names.get(key) as string;
    if (Object.hasOwn(values, name)) {
      throw new QuantizeError('INVALID_OPTION', say`${label}: ${name} is given twice`);
    }
    values[name] = value;
  }
  return values;
}

/**
 * Values of the file with those of the command line over them; extra_options are merged key by key.
 */
export function mergeConfig(file: OptionValues, flags: OptionValues): OptionValues {
  const merged = { ...file, ...flags };
  if (isObject(file.extra_options) && isObject(flags.extra_options)) {
    merged.extra_options = {
      ...file.extra_options,
      ...flags.extra_options,
    };
  }
  return merged;
}

/** The file that repeats a run: every option with its value, those that are not set left out. */
export function formatConfig(checked: object): string {
  const set = Object.entries(checked).filter(([, value]) => value !== null && value !== undefined);
  return `${JSON.stringify(Object.fromEntries(set), null, 2)}\n`;
}
