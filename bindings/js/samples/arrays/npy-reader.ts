// Calibration samples from .npy files (numpy.save). An array in the shape of the model's input is
// one sample; one with an axis more in front is several. For a model with one input every file is
// its input, whatever its name. With several inputs a file is named after its input (input_ids.npy,
// attention_mask.npy), and those of one folder belong together: one folder with arrays of many
// samples, or many folders of a sample each.

import type { QuantizeError } from '../../base/errors.js';
import { describeInput, invalidData } from '../../base/inputs.js';
import { didYouMean } from '../../base/near-matches.js';
import { say } from '../../base/text.js';
import type { ModelSummary, SampleSource, ValueSummary } from '../../base/types.js';
import { extensions } from '../files/extensions.js';
import {
  type FileKind,
  type FileReaderOptions,
  type OpenPart,
  openFiles,
  partsSource,
  placeOf,
} from '../files/file-source.js';
import { baseName, type FileInput, FileStream, type NamedBytes } from '../files/files.js';
import { type FileGroup, groupFiles } from '../files/groups.js';
import { inStep } from './npz.js';
import { SampleArray } from './sample-array.js';

/**
 * Reads .npy files in the order of their names. `source`: a file, a folder (with its subfolders), a
 * zip, Files or Blobs, or a list of these. Files that are named after no input are left alone where
 * the model has several. Throws QuantizeError NO_SAMPLES, FILE_NOT_FOUND at once; while reading
 * INVALID_DATA.
 */
export function npyReader(source: FileInput, options: FileReaderOptions = {}): SampleSource {
  return openFiles(source, npyFiles, options);
}

export const npyFiles: FileKind = {
  name: '.npy files',
  extensions: extensions.npy,
  source: (files, options) =>
    partsSource(
      {
        place: placeOf(files, '.npy files'),
        files,
        nameOf: ({ folder, files: inside }) => folder || [...inside.values()][0]!.name,
        parts: ({ inputs }) =>
          inputs.length === 1 ? oneEach(files, inputs[0]!) : byInput(files, inputs),
        open: openArrays,
      },
      options,
    ),
};

function oneEach(files: readonly NamedBytes[], { name }: ValueSummary): FileGroup[] {
  return files.map((file) => ({ folder: '', files: new Map([[name, file]]) }));
}

function byInput(files: readonly NamedBytes[], inputs: readonly ValueSummary[]): FileGroup[] {
  const groups = groupFiles(files, (file) => baseName(file.name).replace(/\.npy$/i, ''));
  const used = groups.filter((group) => inputs.some(({ name }) => group.files.has(name)));
  return used.length > 0 ? used : groups; // the error then names what was found
}

async function openArrays(group: FileGroup, { inputs }: ModelSummary): Promise<OpenPart> {
  const arrays: SampleArray[] = [];
  for (const input of inputs) {
    const file = group.files.get(input.name);
    if (!file) throw missing(group, input);
    arrays.push(await SampleArray.open(file, new FileStream(file), input, 'optional'));
  }
  const [first] = group.files.values();
  return inStep(first!, arrays);
}

function missing({ folder, files }: FileGroup, input: ValueSummary): QuantizeError {
  const names = [...files.values()].map((file) => baseName(file.name)).join(', ');
  const message = say`no file "${input.name}.npy", which the model needs as ${describeInput(input)}`;
  const near = didYouMean(input.name, [...files.keys()]);
  const hint = near ?? say`where a model has several inputs, each file is named after its input`;
  return invalidData({ name: folder || names }, message, input, hint);
}
