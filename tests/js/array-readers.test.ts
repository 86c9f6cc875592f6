// The readers of .npy, .pb and raw files, on the files of tests/fixtures/make_reader_fixtures.py
// and arrays made here.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { zipSync } from 'fflate';
import {
  datasetReader,
  npyReader,
  npzReader,
  pbReader,
  quantizeStatic,
  rawReader,
  type SampleSource,
} from '#dist/index.js';
import { checkSample } from '#dist/samples/samples.js';
import { counting, npy } from './support/npy.js';
import { model as fixtureModel, noise } from './support/pipeline.js';
import { all, fileOf, input, modelOf, refused } from './support/readers.js';

const fixtures = 'tests/fixtures/readers';
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'ptq-arrays-'));
after(() => fs.rmSync(work, { recursive: true }));

const x = modelOf(input('x', 'float32', ['N', 3]));
const two = modelOf(
  input('ids', 'int64', ['N', 'length']),
  input('x', 'float32', ['N', 'length', 4]),
);

/** A new folder with these files. */
function folder(name: string, files: Record<string, Uint8Array>): string {
  const root = path.join(work, name);
  fs.mkdirSync(root);
  for (const [file, bytes] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), bytes);
  }
  return root;
}

const values = async (source: SampleSource, model = x) =>
  (await all(source, model)).map(({ x }) => [[...x!.dims], ...(x!.data as Float32Array)]);

test('a .npy in the shape of the input is one sample, with an axis more in front several', async () => {
  const root = folder('npy', {
    'b.npy': counting([2, 1, 3], 10),
    'a.npy': counting([2, 3]),
    'c/anything.npy': counting([1, 3], 20),
  });
  const reader = datasetReader(root);
  assert.deepEqual(await values(reader), [
    [[2, 3], 0, 1, 2, 3, 4, 5],
    [[1, 3], 10, 11, 12],
    [[1, 3], 13, 14, 15],
    [[1, 3], 20, 21, 22],
  ]);
  assert.equal(reader.length, 4);
  assert.equal((await all(npyReader(root, { limit: 2 }), x)).length, 2);
});

test('with several inputs .npy files are named after them, and those of one folder belong together', async () => {
  const int64 = (shape: number[], ...numbers: number[]) =>
    npy('<i8', shape, BigInt64Array.from(numbers, BigInt));
  const root = folder('named', {
    '1/ids.npy': int64([2, 1, 1], 7, 8),
    '1/x.npy': counting([2, 1, 1, 4]),
    '1/labels.npy': int64([1], 0),
    '2/x.npy': counting([1, 2, 4]),
    '2/ids.npy': int64([1, 2], 9, 10),
    'labels/all.npy': int64([1], 0),
  });
  const expected = [
    [[7n], [0, 1, 2, 3]],
    [[8n], [4, 5, 6, 7]],
    [
      [9n, 10n],
      [0, 1, 2, 3, 4, 5, 6, 7],
    ],
  ];
  // Paths of folders have names that are the same in each.
  for (const source of [root, [`${root}/1`, `${root}/2`]]) {
    const samples = await all(npyReader(source), two);
    const found = samples.map(({ ids, x }) => [[...ids!.data], [...x!.data]]);
    assert.deepEqual(found, expected);
  }
});

test('.npy files that do not fit say which input expects what', async () => {
  const one = (array: Uint8Array, ...expected: [RegExp, RegExp?]) =>
    refused(() => npyReader(fileOf('a.npy', array)), x, 'INVALID_DATA', ...expected);
  await one(counting([2, 4]), /^a\.npy: input "x" expects float32 \[N,3\].*float32 \[2,4\]/);
  await one(counting([3]), /float32 \[3\]/, /array\[None\]/);
  await one(npy('<f8', [1, 3], new Float64Array(3)), /float64 \[1,3\]/, /astype\("float32"\)/);
  await one(new Uint8Array(200), /"x": not a \.npy array/);
  const root = folder('missing', {
    '1/ids.npy': npy('<i8', [1, 1], new BigInt64Array(1)),
    '1/pixels.npy': counting([1, 1, 4]),
  });
  await refused(
    () => npyReader(root),
    two,
    'INVALID_DATA',
    /^1: no file "x\.npy".*float32/,
    /named/,
  );
  const uneven = folder('uneven', {
    'ids.npy': npy('<i8', [2, 1, 1], new BigInt64Array(2)),
    'x.npy': counting([3, 1, 1, 4]),
  });
  await refused(() => npyReader(uneven), two, 'INVALID_DATA', /"x" has 3 samples, "ids" has 2/);
});

const tensors = JSON.parse(fs.readFileSync(`${fixtures}/tensors.json`, 'utf8'));
const typeNames: Record<string, string> = { float: 'float32', double: 'float64' };
for (const [name, { dims, bytes }] of Object.entries<{ dims: number[]; bytes: string }>(tensors)) {
  test(`a .pb of ${name} has the same values as raw_data and in its typed field`, async () => {
    const type = typeNames[name] ?? name;
    for (const form of ['raw', 'typed']) {
      const model = modelOf(input('x', type, [null, 3]));
      const [sample] = await all(pbReader(`${fixtures}/tensors/${name}_${form}.pb`), model);
      assert.ok(sample?.x);
      checkSample(sample, model.inputs, 0);
      assert.deepEqual(sample.x.dims, dims);
      const { buffer } = sample.x.data as Float32Array;
      assert.equal(Buffer.from(buffer as ArrayBuffer).toString('hex'), bytes, form);
    }
  });
}

test('each test_data_set folder is a sample, of its own shape; outputs are left alone', async () => {
  const folders = [0, 1, 2].map((index) => `${fixtures}/test_data_set_${index}`);
  const root = folder('node', {});
  for (const from of folders)
    fs.cpSync(from, path.join(root, path.basename(from)), { recursive: true });
  const reader = datasetReader(root);
  const samples = await all(reader, two);
  assert.equal(reader.length, 3);
  assert.deepEqual(
    samples.map(({ ids, x }) => [ids!.dims, x!.dims]),
    [2, 3, 4].map((length) => [
      [1, length],
      [1, length, 4],
    ]),
  );
  assert.deepEqual([...samples[2]!.ids!.data], [20n, 21n, 22n, 23n]);
  for (const [index, sample] of samples.entries()) checkSample(sample, two.inputs, index);
  assert.deepEqual(await all(pbReader(folders), two), samples);
});

test('for a model with one input every .pb is a sample', async () => {
  const tensor = fs.readFileSync(`${fixtures}/tensors/float_raw.pb`);
  const files = ['cat.pb', 'dog.pb', '3/input_0.pb'].map((name) => fileOf(name, tensor));
  assert.equal((await all(datasetReader(files), x)).length, 3);
  await refused(() => pbReader(files), two, 'INVALID_DATA', /\.pb files.*\(cat\.pb\).*one input/);
});

test('.pb files that do not fit say which input expects what', async () => {
  const set = `${fixtures}/test_data_set_0`;
  const swapped = modelOf(two.inputs[1]!, two.inputs[0]!);
  await refused(
    () => pbReader(set),
    swapped,
    'INVALID_DATA',
    /^input_0\.pb: input "x" expects float32 \[N,length,4\], the tensor is int64 \[1,2\]/,
    /k-th input/,
  );
  const three = modelOf(...two.inputs, input('mask', 'int64', ['N', 'length']));
  await refused(
    () => pbReader(set),
    three,
    'INVALID_DATA',
    /no input_2\.pb, for input "mask" int64/,
  );
  await refused(() => pbReader(set), x, 'INVALID_DATA', /^input_1\.pb: .*only 1 input/, /: x$/);
  const tensor = fs.readFileSync(`${fixtures}/tensors/float_raw.pb`);
  const one = (bytes: Uint8Array, message: RegExp) =>
    refused(() => pbReader(fileOf('a.pb', bytes)), x, 'INVALID_DATA', message);
  await one(tensor.subarray(0, -4), /^a\.pb: not an ONNX tensor/);
  await one(Buffer.from('{"json": 1}'), /^a\.pb: not an ONNX tensor/);
  await one(fs.readFileSync(`${fixtures}/string.pb`), /type string/);
  const outputs = () => pbReader(`${set}/output_0.pb`);
  await refused(outputs, x, 'NO_SAMPLES', /all outputs/);
});

const floats = (count: number) => Float32Array.from({ length: count }, (_, i) => i);

test('raw float32 fills the shape of the input; a file may hold several samples', async () => {
  const files = [
    fileOf('b.raw', floats(6)),
    fileOf('a.f32', floats(3)),
    fileOf('c.bin', floats(3)),
  ];
  const reader = datasetReader(files);
  assert.deepEqual(await values(reader), [
    [[1, 3], 0, 1, 2],
    [[1, 3], 0, 1, 2],
    [[1, 3], 3, 4, 5],
    [[1, 3], 0, 1, 2],
  ]);
  assert.equal(reader.length, 4);
});

test('one more dynamic dimension of raw float32 follows from the size', async () => {
  const dimsFor = async (shape: (number | string | null)[], count: number) =>
    (
      await all(rawReader(fileOf('a.raw', floats(count))), modelOf(input('x', 'float32', shape)))
    )[0]!.x!.dims;
  assert.deepEqual(await dimsFor(['N', 'time', 4], 12), [1, 3, 4]);
  assert.deepEqual(await dimsFor([2, 'time'], 12), [2, 6]);
  assert.deepEqual(await dimsFor(['time'], 12), [12]);
});

test('raw files of a wrong size are refused with the bytes that are expected', async () => {
  const refusedFor = (
    shape: (number | string | null)[] | null,
    message: RegExp,
    type = 'float32',
  ) =>
    refused(
      () => rawReader(fileOf('a.raw', floats(5))),
      modelOf(input('x', type, shape)),
      'INVALID_DATA',
      message,
    );
  await refusedFor(
    ['N', 3],
    /^a\.raw: input "x" expects float32 \[N,3\], which is 12 bytes.*has 20/,
  );
  await refusedFor(['N', 'time', 3], /a multiple of 12 bytes; it has 20/);
  await refusedFor(['N', 'height', 'width'], /does not tell its shape/);
  await refusedFor(null, /does not tell its shape/);
  await refusedFor([5], /expects float16.*float32/, 'float16');
  await refused(() => rawReader(fileOf('a.raw', floats(3))), two, 'INVALID_DATA', /one input/);
});

test('a model with dynamic dimensions is calibrated with samples of different shapes', async () => {
  const root = folder('shapes', {});
  for (const batch of [1, 2, 3]) {
    const data = noise(batch * 192, batch);
    fs.writeFileSync(`${root}/${batch}.npy`, npy('<f4', [batch, 3, 8, 8], data));
  }
  const { report } = await quantizeStatic({
    modelInput: fixtureModel('classifier.onnx'),
    calibrationDataReader: datasetReader(root),
  });
  assert.equal(report.calibration.samples, 3);
  assert.ok(report.nodesQuantized.length > 0);
});

/** numpy's U: UTF-32, filled up with zeros. */
function utf32(texts: string[], width: number): Uint32Array {
  const codes = new Uint32Array(texts.length * width);
  for (const [i, text] of texts.entries()) {
    for (const [k, letter] of [...text].entries()) codes[i * width + k] = letter.codePointAt(0)!;
  }
  return codes;
}

test('strings are read from U and S arrays, in either byte order', async () => {
  const word = modelOf(input('word', 'string', ['N']));
  const texts = ['zero', 'drei', '日本😀', ''];
  const read = async (bytes: Uint8Array) =>
    (await all(npzReader(fileOf('a.npz', zipSync({ 'word.npy': bytes }))), word)).map(
      ({ word: tensor }) => {
        checkSample({ word: tensor! }, word.inputs, 0);
        return tensor!.data;
      },
    );
  const little = utf32(texts, 5);
  const big = new Uint8Array(little.buffer.slice(0));
  for (let at = 0; at < big.length; at += 4) big.subarray(at, at + 4).reverse();
  const pairs = [texts.slice(0, 2), texts.slice(2)];
  assert.deepEqual(await read(npy('<U5', [2, 2], little)), pairs);
  assert.deepEqual(await read(npy('>U5', [2, 2], big)), pairs);
  const bytes = new Uint8Array(8);
  bytes.set(Buffer.from('é'), 0);
  bytes.set(Buffer.from('ab'), 4);
  assert.deepEqual(await read(npy('|S4', [2, 1], bytes)), [['é'], ['ab']]);
});

test("Python's objects and strings without room are refused with what to do", async () => {
  const word = modelOf(input('word', 'string', ['N']));
  const of = (bytes: Uint8Array) => () =>
    npzReader(fileOf('a.npz', zipSync({ 'word.npy': bytes })));
  await refused(of(npy('|O', [1, 1], new Uint8Array(9))), word, 'INVALID_DATA', /astype\(str\)/);
  await refused(
    of(npy('<U0', [1000000000, 1], new Uint8Array(0))),
    word,
    'INVALID_DATA',
    /type <U0/,
  );
  await refused(of(counting([2, 1])), word, 'INVALID_DATA', /expects string/, /astype\(str\)/);
});

test('a model of words in and words out is quantized with words from an .npz', async () => {
  const codes = utf32(['zero', 'one', 'two', 'drei', 'vier', 'one', 'two', 'zero'], 4);
  const file = fileOf('words.npz', zipSync({ 'word.npy': npy('<U4', [4, 2], codes) }));
  for (const quantFormat of ['QDQ', 'QOperator'] as const) {
    for (const workers of [1, 2]) {
      const { report } = await quantizeStatic({
        modelInput: fixtureModel('words.onnx'),
        calibrationDataReader: npzReader(file),
        quantFormat,
        workers,
      });
      assert.equal(report.quality.samples, 4);
      assert.deepEqual(
        report.quality.outputs.map(({ name, different, sqnr }) => [name, different, sqnr]),
        [['label', 0, null]],
      );
      assert.ok(report.nodesQuantized.some(({ name }) => name === 'matmul'));
    }
  }
});
