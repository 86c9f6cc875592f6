// The samples of a model of ../shared/data, as its manifest describes them: a reader for
// calibration, a reader for measuring, labels where there are any, and the same tensors as .npy
// files for the reference.
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { imageReader, npzReader } from 'onnx-ptq';

const cifarClasses = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');

/**
 * The readers of one entry of the manifest. `most`: at most this many samples of each kind; a
 * smaller number of test images is spread over the list, so that every class is in it.
 */
export function samplesOf(data, entry, most) {
  if (entry.dataset?.startsWith('npz:')) {
    const file = (kind) => join(data, 'tensors', `${entry.dataset.slice(4)}.${kind}.npz`);
    return {
      calibration: npzReader(file('calib'), { limit: most.calibration }),
      test: npzReader(file('test'), { limit: most.test }),
      labels: null,
    };
  }
  // A model without a dataset decodes images itself: it gets the files as they are.
  const { calibration, test } = imagesOf(data, entry.dataset ?? 'coco');
  const few = { calibration: spread(calibration, most.calibration), test: spread(test, most.test) };
  const labelOf = labelsOf(data, entry);
  const reader = entry.preprocess
    ? (paths) => imageReader(paths, { preprocess: entry.preprocess })
    : bytesReader;
  return {
    calibration: reader(few.calibration),
    test: reader(few.test),
    labels: labelOf && few.test.map(labelOf),
  };
}

/**
 * Writes the samples of a reader for numpy: <folder>/<index of the input>.npy, one axis more in
 * front.
 */
export async function writeArrays(reader, summary, folder) {
  mkdirSync(folder, { recursive: true });
  const files = new Map();
  let samples = 0;
  for await (const feeds of reader.open(summary)) {
    for (const [index, { name }] of summary.inputs.entries()) {
      const { type, dims, data } = feeds[name];
      const file = files.get(name) ?? {
        fd: openSync(join(folder, `${index}.npy`), 'w'),
        type,
        dims,
      };
      if (!files.has(name)) {
        files.set(name, file);
        writeSync(file.fd, Buffer.alloc(headerBytes)); // filled in when the samples are counted
      }
      if (file.dims.join() !== dims.join()) throw new Error(`${name}: shapes differ`);
      writeSync(file.fd, bytesOf(type, data));
    }
    samples++;
  }
  for (const { fd, type, dims } of files.values()) {
    writeSync(fd, npyHeader(type, [samples, ...dims]), 0, headerBytes, 0);
    closeSync(fd);
  }
}

/** Characters of a word at most. */
const textWidth = 64;

function bytesOf(type, data) {
  if (type !== 'string') return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const codes = new Uint32Array(data.length * textWidth);
  for (const [i, text] of data.entries()) {
    for (const [k, letter] of [...text].entries()) codes[i * textWidth + k] = letter.codePointAt(0);
  }
  return new Uint8Array(codes.buffer);
}

const headerBytes = 256;
const dtypes = {
  float32: '<f4',
  float16: '<f2',
  int64: '<i8',
  int32: '<i4',
  uint8: '|u1',
  bool: '|b1',
  string: `<U${textWidth}`,
};

function npyHeader(type, shape) {
  const text = `{'descr': '${dtypes[type]}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 0, 0]);
  start.writeUInt16LE(headerBytes - start.length, 8);
  return Buffer.concat([start, Buffer.from(`${text.padEnd(headerBytes - start.length - 1)}\n`)]);
}

/**
 * Images of a data set in the order of their names; a set without parts is dealt out alternately.
 */
function imagesOf(data, dataset) {
  const folder = join(data, 'images', dataset);
  const files = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => /\.(jpe?g|png)$/i.test(name))
    .sort();
  const within = (part) => files.filter((name) => name.startsWith(`${part}/`));
  const parts = [within('calib'), within('test')];
  const [calibration, test] = parts[0].length
    ? parts
    : [0, 1].map((odd) => files.filter((_, index) => index % 2 === odd));
  const paths = (names) => names.map((name) => join(folder, name));
  return { calibration: paths(calibration), test: paths(test) };
}

function spread(list, most) {
  const count = Math.min(list.length, most);
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]);
}

/** Path → class index; null where the model's task has no labels. */
function labelsOf(data, { task, dataset, label_offset: offset = 0 }) {
  if (task !== 'classify') return null;
  if (dataset === 'cifar10') return (path) => cifarClasses.indexOf(basename(dirname(path)));
  const lines = readFileSync(join(data, 'images', dataset, 'labels.csv'), 'utf8')
    .trim()
    .split('\n');
  const labels = new Map(lines.slice(1).map((line) => line.split(',').slice(0, 2)));
  return (path) => Number(labels.get(`test/${basename(path)}`)) + offset;
}

/** The first file's bytes as a vector: one sample, because their lengths differ. */
function bytesReader([path]) {
  return {
    length: 1,
    async *open({ inputs }) {
      const bytes = new Uint8Array(readFileSync(path));
      yield { [inputs[0].name]: { type: 'uint8', dims: [bytes.length], data: bytes } };
    },
    describe: () => 'one image file',
  };
}
