// What a job reads and writes, for the comparison of all of it before any work.
import type { InputFiles, OutputFiles } from '../base/bytes.js';
import type { SampleSource } from '../base/types.js';
import type { QuantizeSource } from '../options/api.js';
import type { FileUse, Platform } from '../platform/platform.js';

interface Uses {
  input: InputFiles;
  /** Names of the model's data files. */
  externalFiles: readonly string[];
  reader?: QuantizeSource['calibrationDataReader'];
  output?: OutputFiles<unknown>;
  /** Whether the output has a data file. */
  writesData?: boolean | undefined;
  /** What else is read or written. */
  others: readonly FileUse[];
}

/** Throws INVALID_OPTION where a file that is read would be overwritten, or one is written twice. */
export function refuseToOverwrite(
  platform: Platform<unknown>,
  { input, externalFiles, reader, output, writesData, others }: Uses,
): void {
  if (!platform.refuseMeetings) return;
  const uses: FileUse[] = [...others];
  const add = (option: string, path: unknown, writes: boolean) => {
    if (typeof path === 'string') uses.push({ option, path, writes });
  };
  add('model_input', input.runtimeBytes('~model'), false);
  for (const name of externalFiles) {
    if (input.source(name)) add('the data of model_input', input.runtimeBytes(name), false);
  }
  for (const file of sampleFiles(reader)) {
    if (file.identity === undefined) continue;
    const { name: path, identity } = file;
    uses.push({ option: 'calibrate_dataset', path, identity, writes: false });
  }
  add('model_output', output?.modelPath, true);
  if (writesData) add('the data file of model_output', output?.dataPath, true);
  platform.refuseMeetings(uses);
}

const sampleFiles = (reader: Uses['reader']) =>
  (reader as Partial<SampleSource> | null | undefined)?.files ?? [];
