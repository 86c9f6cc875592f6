// What commands have in common: required paths, the samples, and parameters under the names of the API.
import { QuantizeError } from '../base/errors.js';
import type { SampleSource } from '../base/types.js';
import { datasetReader } from '../index.js';
import { camelCase } from '../options/schema.js';
import type { OptionValues } from '../options/validate.js';

/** Throws INVALID_OPTION where it is not given. */
export function requirePath(checked: OptionValues, name: string, flag: string): void {
  if (checked[name] !== null) return;
  throw new QuantizeError('INVALID_OPTION', `${name} is missing`, {
    hint: `give it as ${flag} FILE`,
  });
}

export function openDataset(checked: OptionValues): SampleSource | null {
  const { calibrate_dataset: dataset, preprocess, sample_rate } = checked;
  if (dataset === null) {
    if (preprocess === null) return null;
    throw new QuantizeError('INVALID_OPTION', 'preprocess has no effect without calibrate_dataset');
  }
  return datasetReader(dataset as string | string[], {
    preprocess: (preprocess ?? undefined) as string | Record<string, unknown> | undefined,
    sampleRate: (sample_rate ?? undefined) as number | undefined,
  });
}

/** The API's names; the data set is a reader there. `own`: what the command does itself. */
export function toCamelCase(
  checked: OptionValues,
  own: readonly string[] = [],
): Record<string, unknown> {
  const ours = ['calibrate_dataset', 'preprocess', 'sample_rate', ...own];
  const entries = Object.entries(checked).filter(
    ([name, value]) => !ours.includes(name) && value !== null,
  );
  return Object.fromEntries(entries.map(([name, value]) => [camelCase(name), value]));
}
