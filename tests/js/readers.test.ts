// The shipped sample readers on the files of tests/fixtures/make_image_fixtures.py.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { toFloat16 } from '#dist/base/float16.js';
import type { ValueSummary } from '#dist/base/types.js';
import { datasetReader, imageReader, npzReader } from '#dist/index.js';
import { all, isError, modelOf as model } from './support/readers.js';

const folder = 'tests/fixtures/image';
const expected = JSON.parse(fs.readFileSync(`${folder}/expected.json`, 'utf8'));
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'ptq-readers-'));
after(() => fs.rmSync(work, { recursive: true }));

const image = model({ name: 'data', type: 'float32', shape: ['N', 3, 8, 8] });
const arrays = model(
  { name: 'x', type: 'float32', shape: [2, 'width'] },
  { name: 'rate', type: 'int64', shape: [] },
);

/** Copies fixtures into a new folder, by [name there, fixture]. */
function folderOf(name: string, files: [string, string][]): string {
  const root = path.join(work, name);
  fs.mkdirSync(root);
  for (const [to, from] of files) {
    fs.mkdirSync(path.dirname(path.join(root, to)), { recursive: true });
    fs.copyFileSync(path.join(folder, from), path.join(root, to));
  }
  return root;
}

function sha256(data: ArrayBufferView): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return createHash('sha256').update(bytes).digest('hex');
}

for (const [name, { tensors }] of Object.entries<{ tensors: string[] }>(expected.images)) {
  if (tensors.length === 0) continue;
  test(`${name} becomes the tensors that Pillow and numpy give`, async () => {
    for (const [index, spec] of expected.specs.entries()) {
      const channels = spec.order === 'Y' ? 1 : 3;
      const { width, height } = spec;
      const shape =
        spec.layout === 'NCHW' ? [1, channels, height, width] : [1, height, width, channels];
      const reader = imageReader(`${folder}/${name}`, { preprocess: spec });
      const [sample] = await all(reader, model({ name: 'in', type: 'float32', shape }));
      const tensor = sample?.in;
      assert.ok(tensor);
      assert.deepEqual(tensor.dims, shape);
      assert.equal(sha256(tensor.data as Float32Array), tensors[index], JSON.stringify(spec));
    }
  });
}

test('a folder is read with its subfolders, in the order of the names, without hidden files', async () => {
  const root = folderOf('order', [
    ['b/1.JPEG', 'rgb_444.jpg'],
    ['a.png', 'gray.png'],
    ['b.jpg', 'rgb_420.jpg'],
    ['._a.png', 'animated.gif'],
    ['labels.csv', 'animated.gif'],
  ]);
  const reader = imageReader(root, { preprocess: 'zero-to-255' });
  assert.equal(reader.length, 3);
  const samples = await all(reader, image);
  // "b.jpg" < "b/1.JPEG", since '.' comes before '/'.
  const single = async (name: string) =>
    all(imageReader(path.join(folder, name), { preprocess: 'zero-to-255' }), image);
  for (const [i, name] of ['gray.png', 'rgb_420.jpg', 'rgb_444.jpg'].entries()) {
    assert.deepEqual(samples[i], (await single(name))[0], name);
  }
});

test('Files give the same samples as paths, in the order of their names; paths keep their own', async () => {
  const file = (name: string) => new File([fs.readFileSync(path.join(folder, name))], name);
  const names = ['rgba.png', 'gray.jpg'];
  const fromFiles = await all(datasetReader(names.map(file)), image);
  const fromPaths = await all(datasetReader(names.map((name) => path.join(folder, name))), image);
  assert.equal(fromFiles.length, 2);
  assert.deepEqual(fromFiles, fromPaths.reverse());
  assert.deepEqual(fromFiles[0], (await all(imageReader(file('gray.jpg')), image))[0]);
});

test('a File that says it is an image is not passed over, whatever its extension', async () => {
  const gif = new File([fs.readFileSync(`${folder}/animated.gif`)], 'a.gif', { type: 'image/gif' });
  const csv = new File(['a,b'], 'labels.csv', { type: 'text/csv' });
  const reader = datasetReader([csv, gif]);
  assert.equal(reader.length, 1);
  await assert.rejects(all(reader, image), isError('INVALID_IMAGE', /^a\.gif .*\(GIF\)/));
});

test('a reader can be opened again and says what it did', async () => {
  const reader = imageReader(`${folder}/rgb.png`);
  const first = await all(reader, image);
  assert.deepEqual(await all(reader, image), first);
  assert.match(reader.describe(), /^1 image, 8x8 .*guessed/);
});

test('a fixed batch takes that many images a sample; the last image fills the rest', async () => {
  const paths = ['gray.png', 'rgb.png', 'rgba.png'].map((name) => path.join(folder, name));
  const reader = imageReader(paths);
  const samples = await all(reader, model({ name: 'd', type: 'float32', shape: [2, 3, 8, 8] }));
  assert.equal(samples.length, 2);
  assert.equal(reader.length, 2);
  const [first, second] = samples.map((sample) => sample.d?.data as Float32Array);
  const ones = (await all(imageReader(paths), image)).map((s) => s.data?.data as Float32Array);
  assert.deepEqual(first, Float32Array.from([...ones[0]!, ...ones[1]!]));
  assert.deepEqual(second, Float32Array.from([...ones[2]!, ...ones[2]!]));
});

test('float16 and uint8 inputs get their own types', async () => {
  const reader = () => imageReader(`${folder}/rgb.png`, { preprocess: 'zero-to-255' });
  const [float] = await all(reader(), image);
  const of = async (type: string) =>
    (await all(reader(), model({ name: 'data', type, shape: [1, 3, 8, 8] })))[0]?.data;
  const values = float?.data?.data as Float32Array;
  assert.deepEqual((await of('uint8'))?.data, Uint8Array.from(values));
  assert.deepEqual((await of('float16'))?.data, toFloat16(values));
});

test('float16 is rounded to nearest, ties to even', () => {
  const cases: [number, number][] = [
    [0, 0],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2047.5, 0x6800],
    [2 ** -14, 0x0400],
    [2 ** -24, 1],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2],
    [2 ** -14 - 2 ** -25, 0x0400],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [Number.NaN, 0x7e00],
  ];
  const bits = toFloat16(Float32Array.from(cases, ([value]) => value));
  for (const [i, [value, expectedBits]] of cases.entries())
    assert.equal(bits[i], expectedBits, `${value}`);
});

test('a folder without images, or that does not exist, is refused with what was looked for', () => {
  const empty = folderOf('empty', []);
  const other = folderOf('other', [['a.gif', 'animated.gif']]);
  assert.throws(() => imageReader(empty), isError('NO_SAMPLES', /empty.*\.jpg, \.jpeg and \.png/));
  assert.throws(() => datasetReader(other), isError('NO_SAMPLES', /\.npz.*1 \.gif file/));
  assert.throws(() => npzReader(other), isError('NO_SAMPLES', /no \.npz/));
  assert.throws(() => datasetReader(`${work}/nowhere`), isError('FILE_NOT_FOUND', /nowhere/));
  assert.throws(() => imageReader([]), isError('NO_SAMPLES', /no images/));
});

test('a broken image is refused by its name, also when its extension is right', async () => {
  const root = folderOf('broken', [
    ['a.png', 'rgb.png'],
    ['b.png', 'animated.gif'],
  ]);
  await assert.rejects(all(datasetReader(root), image), isError('INVALID_IMAGE', /^b\.png .*GIF/));
  const none = imageReader(`${folder}/rgb.png`, { preprocess: 'mode=none' });
  await assert.rejects(all(none, image), isError('INVALID_IMAGE', /^rgb\.png: .*49x35.*8x8/));
});

test('a folder with both images and .npz is refused, and so is preprocess for .npz', () => {
  const both = folderOf('both', [
    ['a.png', 'rgb.png'],
    ['b.npz', 'stored.npz'],
  ]);
  assert.throws(() => datasetReader(both), isError('INVALID_OPTION', /both/));
  const withPreprocess = () => datasetReader(`${folder}/stored.npz`, { preprocess: 'tf' });
  assert.throws(withPreprocess, isError('INVALID_OPTION', /preprocess/));
});

for (const name of ['stored.npz', 'deflated.npz', 'zip64.npz', 'layouts.npz']) {
  test(`${name} is read sample by sample, whatever its compression, byte order or memory order`, async () => {
    const reader = datasetReader(path.join(folder, name));
    const samples = await all(reader, arrays);
    assert.equal(samples.length, 3);
    assert.equal(reader.length, 3);
    for (const [i, rate] of [16000n, 8000n, 44100n].entries()) {
      const values = Float32Array.from({ length: 8 }, (_, k) => (i * 8 + k) / 4 - 2);
      assert.deepEqual(samples[i], {
        x: { type: 'float32', dims: [2, 4], data: values },
        rate: { type: 'int64', dims: [], data: BigInt64Array.from([rate]) },
      });
    }
  });
}

test('float16, bool and int8 arrays keep their type', async () => {
  const wanted = model(
    { name: 'half', type: 'float16', shape: [2, 4] },
    { name: 'flag', type: 'bool', shape: [2, 4] },
    { name: 'byte', type: 'int8', shape: null },
  );
  const [first] = await all(npzReader(`${folder}/layouts.npz`), wanted);
  const values = Float32Array.from({ length: 8 }, (_, k) => k / 4 - 2);
  assert.deepEqual(first?.half?.data, toFloat16(values));
  assert.deepEqual(first?.flag?.data, new Uint8Array(8));
  assert.deepEqual(first?.byte?.data, Int8Array.from(values));
});

test('a folder of .npz is read in the order of the names', async () => {
  const root = folderOf('npz', [
    ['2.npz', 'stored.npz'],
    ['1.npz', 'layouts.npz'],
  ]);
  const samples = await all(datasetReader(root, { limit: 4 }), arrays);
  assert.equal(samples.length, 4);
  assert.deepEqual(samples[3], samples[0]);
});

test('arrays that do not fit are refused with the input and what it expects', async () => {
  const refusedFor = async (input: ValueSummary, message: RegExp, hint?: RegExp, name = 'stored') =>
    assert.rejects(
      all(npzReader(`${folder}/${name}.npz`), model(input)),
      isError('INVALID_DATA', message, hint),
    );
  const x = { name: 'x', type: 'float32', shape: [2, 4] };
  await refusedFor({ ...x, name: 'rat' }, /stored\.npz: no array "rat".*float32 \[2,4\]/, /"rate"/);
  await refusedFor({ ...x, name: 'pixels' }, /no array "pixels"/, /x, rate/);
  await refusedFor(
    { ...x, type: 'float16' },
    /expects float16 \[2,4\].*float32 \[3,2,4\]/,
    /astype/,
  );
  await refusedFor({ ...x, shape: [2, 5] }, /expects float32 \[2,5\]/);
  await refusedFor({ ...x, shape: ['N', 2, 4] }, /expects float32 \[N,2,4\]/, /batch axis/);
  await refusedFor(x, /expects float32 .*, the array is string/, undefined, 'strings');
});

test('a damaged .npz is refused', async () => {
  const damage = async (
    change: (bytes: Uint8Array) => Uint8Array,
    from: string,
    message: RegExp,
  ) => {
    const blob = new File(
      [change(fs.readFileSync(`${folder}/${from}`)) as Uint8Array<ArrayBuffer>],
      'd.npz',
    );
    await assert.rejects(all(npzReader(blob), arrays), isError('INVALID_DATA', message));
  };
  const flip = (at: number) => (bytes: Uint8Array) => {
    bytes[at]! ^= 1;
    return bytes;
  };
  await damage(flip(250), 'stored.npz', /d\.npz.*checksum of x\.npy/);
  await damage(flip(90), 'deflated.npz', /d\.npz/);
  await damage((bytes) => bytes.subarray(0, 300), 'stored.npz', /no zip file, or ends early/);
  await damage(() => new Uint8Array(100), 'stored.npz', /no zip file/);
});
