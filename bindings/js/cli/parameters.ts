// What commands have in common: required paths and the samples.
import { QuantizeError } from '../base/errors.js';
import type { SampleSource } from '../base/types.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import { datasetReader } from '../samples/dataset.js';

/** The path. Throws INVALID_OPTION where it is not given; `flag` is how to give it. */
export function requirePath(path: string | null, name: string, flag: string): string {
  if (path !== null) return path;
  throw new QuantizeError('INVALID_OPTION', `${name} is missing`, {
    hint: `give it as ${flag} FILE`,
  });
}

type DatasetOptions = Pick<CheckedStatic, 'calibrate_dataset' | 'preprocess' | 'sample_rate'>;

export function openDataset({
  calibrate_dataset: dataset,
  preprocess,
  sample_rate,
}: DatasetOptions): SampleSource | null {
  if (dataset === null) {
    if (preprocess === null) return null;
    throw new QuantizeError('INVALID_OPTION', 'preprocess has no effect without calibrate_dataset');
  }
  return datasetReader(dataset, {
    preprocess: preprocess ?? undefined,
    sampleRate: sample_rate ?? undefined,
  });
}
