// Calibration samples from .npz files (numpy.savez, savez_compressed): an array for each input of
// the model, under its name, with one axis more in front: the sample. Read one sample at a time.

import { describeInput, invalidData } from '../../base/inputs.js';
import { didYouMean } from '../../base/near-matches.js';
import { say } from '../../base/text.js';
import type { Feeds, ModelSummary, SampleSource } from '../../base/types.js';
import { extensions } from '../files/extensions.js';
import {
  type FileKind,
  type FileReaderOptions,
  type OpenPart,
  openFiles,
  partsSource,
  placeOf,
} from '../files/file-source.js';
import type { FileInput, NamedBytes } from '../files/files.js';
import { readZip, type ZipEntry, ZipStream } from '../files/zip.js';
import { SampleArray } from './sample-array.js';

export type NpzReaderOptions = FileReaderOptions;

/**
 * Reads .npz files in the order of their names; samples may differ in shape from file to file.
 * `source`: a file, a folder (with its subfolders), a zip, Files or Blobs, or a list of these.
 * Arrays that are no input of the model are left alone. Throws QuantizeError NO_SAMPLES,
 * FILE_NOT_FOUND at once; while reading INVALID_DATA, which names the file, the input, and what it
 * expects.
 */
export function npzReader(source: FileInput, options: NpzReaderOptions = {}): SampleSource {
  return openFiles(source, npzFiles, options);
}

export const npzFiles: FileKind = {
  name: '.npz files',
  extensions: extensions.npz,
  source: (files, options) =>
    partsSource(
      {
        place: placeOf(files, '.npz files'),
        files,
        nameOf: (file) => file.name,
        parts: () => files,
        open: openNpz,
      },
      options,
    ),
};

async function openNpz(file: NamedBytes, model: ModelSummary): Promise<OpenPart> {
  return inStep(file, await openArrays(file, model));
}

/**
 * The arrays of several inputs, read side by side. Throws INVALID_DATA where one has more samples
 * than another.
 */
export function inStep(file: NamedBytes, arrays: readonly SampleArray[]): OpenPart {
  const count = arrays[0]?.count ?? 0;
  for (const { input, count: other } of arrays) {
    if (other === count) continue;
    const message = say`"${input.name}" has ${other} samples, "${arrays[0]!.input.name}" has ${count}`;
    throw invalidData(file, message, input);
  }
  const note = arrays.find((array) => array.note)?.note;
  return {
    count,
    note,
    async read(index) {
      const entries: [string, Feeds[string]][] = [];
      for (const array of arrays) entries.push([array.input.name, await array.read(index)]);
      return Object.fromEntries(entries);
    },
  };
}

async function openArrays(file: NamedBytes, model: ModelSummary): Promise<SampleArray[]> {
  const entries = new Map<string, ZipEntry>();
  for (const entry of await readZip(file)) entries.set(entry.name.replace(/\.npy$/, ''), entry);
  const arrays: SampleArray[] = [];
  for (const input of model.inputs) {
    const entry = entries.get(input.name);
    if (!entry) {
      const names = [...entries.keys()];
      const hint = didYouMean(input.name, names) ?? say`its arrays are: ${names.join(', ')}`;
      const message = say`no array "${input.name}", which the model needs as ${describeInput(input)}`;
      throw invalidData(file, message, input, hint);
    }
    const stream = new ZipStream(file, entry);
    arrays.push(await SampleArray.open(file, stream, input, 'samples'));
  }
  return arrays;
}
