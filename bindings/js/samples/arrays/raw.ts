// Calibration samples from raw files: little-endian float32 values in C order and nothing else, as
// numpy's tofile() and most inference tools (SNPE, QNN) write them. The shape is the model's; what
// it leaves open follows from the size.

import { describeInput, fixedSize, invalidData, onlyInput } from '../../base/inputs.js';
import { say } from '../../base/text.js';
import type { ModelSummary, SampleSource, ValueSummary } from '../../base/types.js';
import { extensions } from '../files/extensions.js';
import {
  type FileKind,
  type FileReaderOptions,
  openFiles,
  partsSource,
  placeOf,
} from '../files/file-source.js';
import { type FileInput, type NamedBytes, ownBytes } from '../files/files.js';

/**
 * Reads raw float32 files, for models with one float32 input. A dynamic batch is 1, one more
 * dynamic dimension follows from the file's size; where all others are fixed, a file may hold
 * several samples. `source`: files, folders (with their subfolders), a zip, Files or Blobs, or a
 * list of these. Throws QuantizeError NO_SAMPLES, FILE_NOT_FOUND at once; when it is opened
 * INVALID_DATA, which says how many bytes are expected.
 */
export function rawReader(source: FileInput, options: FileReaderOptions = {}): SampleSource {
  return openFiles(source, rawFiles, options);
}

export const rawFiles: FileKind = {
  name: 'raw float32 files',
  extensions: extensions.raw,
  source: (files, options) =>
    partsSource(
      {
        place: placeOf(files, 'raw float32 files'),
        files,
        nameOf: (file) => file.name,
        parts: () => files,
        count: (file, model) => layoutOf(file, rawInput(model)).count,
        async open(file, model) {
          const input = rawInput(model);
          const { count, dims, bytes } = layoutOf(file, input);
          return {
            count,
            async read(index) {
              const part = await file.read(index * bytes, (index + 1) * bytes);
              if (part.length < bytes) throw invalidData(file, say`it ends early`, input);
              const data = new Float32Array(ownBytes(part).buffer);
              return { [input.name]: { type: 'float32', dims, data } };
            },
          };
        },
      },
      options,
    ),
};

function rawInput(model: ModelSummary): ValueSummary {
  return onlyInput(model, 'raw float32 files');
}

interface Layout {
  /** Samples in the file. */
  count: number;
  /** Shape of one. */
  dims: number[];
  /** Size of one. */
  bytes: number;
}

function layoutOf(file: NamedBytes, input: ValueSummary): Layout {
  const expected = say`input "${input.name}" expects ${describeInput(input)}`;
  const useNpy = say`give .npy files, which say their type and shape`;
  if (input.type !== 'float32') {
    throw invalidData(file, say`${expected}, raw files are read as float32`, input, useNpy);
  }
  const dims = input.shape?.map(fixedSize) ?? [null, null];
  if (dims.length > 1) dims[0] ??= 1; // the batch
  const open = dims.indexOf(null);
  if (input.shape === null || dims.indexOf(null, open + 1) > open) {
    throw invalidData(
      file,
      say`${expected}: a size in bytes does not tell its shape`,
      input,
      useNpy,
    );
  }
  const unit = dims.reduce<number>((product, dim) => product * (dim ?? 1), 4);
  if (file.size === 0 || file.size % unit !== 0) {
    const wanted = open < 0 ? say`${unit} bytes a sample` : say`a multiple of ${unit} bytes`;
    const hint = say`the values are float32, little-endian, without a header`;
    throw invalidData(file, say`${expected}, which is ${wanted}; it has ${file.size}`, input, hint);
  }
  if (open < 0) return { count: file.size / unit, dims: dims as number[], bytes: unit };
  dims[open] = file.size / unit;
  return { count: 1, dims: dims as number[], bytes: file.size };
}
