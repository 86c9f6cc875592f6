// What commands have in common: required paths and the samples.
import { QuantizeError } from '../base/errors.js';
import type { SampleSource } from '../base/types.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import { refuseMeetings } from '../platform/file-uses.js';
import type { FileUse } from '../platform/platform.js';
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

/** The samples. Throws INVALID_OPTION where none are given. */
export function requireDataset(options: DatasetOptions): SampleSource {
  const source = openDataset(options);
  if (source) return source;
  throw new QuantizeError('INVALID_OPTION', 'calibrate_dataset is missing', {
    hint: 'give it as --dataset FOLDER',
  });
}

/** Nothing that is written is one of the files that are read, by option. */
export function checkReads(configs: readonly FileUse[], files: Record<string, string>): void {
  const reads = Object.entries(files).map(([option, path]) => ({ option, path, writes: false }));
  refuseMeetings([...configs, ...reads]);
}
