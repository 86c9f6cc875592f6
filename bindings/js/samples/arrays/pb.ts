// Calibration samples from the test data of ONNX (onnx/backend/test, the model zoo): each folder
// test_data_set_* is a sample, its input_0.pb, input_1.pb, … the model's inputs in their order,
// each a TensorProto. For a model with one input any other .pb is a sample too. output_*.pb are
// what the model should give, and are left alone.
import { QuantizeError } from '../../base/errors.js';
import {
  describeInput,
  describeTensor,
  invalidData,
  onlyInput,
  reasonOf,
  takesShape,
} from '../../base/inputs.js';
import { say } from '../../base/text.js';
import type { Feeds, ModelSummary, SampleSource, ValueSummary } from '../../base/types.js';
import { extensions } from '../files/extensions.js';
import {
  type FileKind,
  type FileReaderOptions,
  noSamples,
  openFiles,
  partsSource,
  placeOf,
} from '../files/file-source.js';
import { baseName, type FileInput, type NamedBytes, readAll } from '../files/files.js';
import { type FileGroup, groupFiles } from '../files/groups.js';
import { toTensorData } from './npy.js';
import { readTensorProto } from './tensor-proto.js';

/**
 * Reads .pb files in the order of the names of folders and files. `source`: a folder (with its
 * subfolders), a file, a zip, Files or Blobs, or a list of these. Throws QuantizeError NO_SAMPLES,
 * FILE_NOT_FOUND at once; while reading INVALID_DATA, which names the file, the input, and what it
 * expects.
 */
export function pbReader(source: FileInput, options: FileReaderOptions = {}): SampleSource {
  return openFiles(source, pbFiles, options);
}

export const pbFiles: FileKind = {
  name: '.pb files',
  extensions: extensions.pb,
  source(found, options) {
    const files = found.filter((file) => !/^output_\d+\.pb$/i.test(baseName(file.name)));
    if (files.length === 0) {
      throw noSamples('no samples in the .pb files: they are all outputs (output_*.pb)', new Map());
    }
    return partsSource<FileGroup>(
      {
        place: placeOf(files, '.pb files'),
        files,
        nameOf: ({ folder, files: inside }) => folder || [...inside.values()][0]!.name,
        parts: (model) => groupInputs(files, model),
        count: () => 1,
        open: async (group, model) => ({ count: 1, read: () => readGroup(group, model) }),
      },
      options,
    );
  },
};

/** The k of input_k.pb, null for other names. */
function inputNumber(file: NamedBytes): number | null {
  const digits = /^input_(\d+)\.pb$/i.exec(baseName(file.name))?.[1];
  return digits === undefined ? null : Number(digits);
}

function groupInputs(files: readonly NamedBytes[], model: ModelSummary): FileGroup[] {
  const other = files.find((file) => inputNumber(file) === null);
  if (other)
    onlyInput(model, `.pb files with names other than input_0.pb, input_1.pb (${other.name})`);
  return groupFiles(files, (file) => String(inputNumber(file) ?? 0));
}

async function readGroup(group: FileGroup, { inputs }: ModelSummary): Promise<Feeds> {
  for (const [key, file] of group.files) {
    if (Number(key) < inputs.length) continue;
    const has =
      inputs.length === 1
        ? say`the model has only 1 input`
        : say`the model has only ${inputs.length} inputs`;
    const names = inputs.map((input) => input.name).join(', ');
    throw invalidData(file, has, undefined, say`they are, from 0: ${names}`);
  }
  const entries: [string, Feeds[string]][] = [];
  for (const [index, input] of inputs.entries()) {
    const file = group.files.get(String(index));
    if (!file) {
      const at = { name: group.folder || [...group.files.values()][0]!.name };
      const message = say`no input_${index}.pb, for input "${input.name}" ${describeInput(input)}`;
      throw invalidData(at, message, input, say`each folder has one input_k.pb for every input`);
    }
    entries.push([input.name, await readTensor(file, input)]);
  }
  return Object.fromEntries(entries);
}

async function readTensor(file: NamedBytes, input: ValueSummary): Promise<Feeds[string]> {
  const bytes = await readAll(file);
  try {
    const tensor = readTensorProto(bytes);
    const { type, dims } = tensor;
    if (type === input.type && takesShape(input, dims)) {
      return { type, dims, data: toTensorData(tensor.bytes, type) };
    }
    throw invalidData(
      file,
      say`input "${input.name}" expects ${describeInput(input)}, the tensor is ${describeTensor(type, dims)}`,
      input,
      say`input_k.pb is for the k-th input of the model, counted from 0`,
    );
  } catch (error) {
    if (error instanceof QuantizeError) throw error;
    const hint = say`onnx.numpy_helper.from_array(array).SerializeToString() gives its bytes`;
    throw invalidData(file, reasonOf(error as Error), input, hint);
  }
}
