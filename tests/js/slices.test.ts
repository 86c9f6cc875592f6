// Slices of the samples (first, first + step, …), which shards and resumed runs read.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import type { Feeds, ModelSummary, SampleSlice } from '#dist/base/types.js';
import { datasetReader, imageReader, type SampleSource } from '#dist/index.js';
import { openSamples } from '#dist/samples/samples.js';
import { counting } from './support/npy.js';
import { imageFolder } from './support/pipeline.js';
import { all, fileOf, input, isError, modelOf } from './support/readers.js';

const x = modelOf(input('x', 'float32', ['N', 3]));
const image = modelOf(input('data', 'float32', ['N', 3, 8, 8]));
const slices: SampleSlice[] = [
  { first: 0, step: 1 },
  { first: 0, step: 3 },
  { first: 2, step: 3 },
  { first: 4, step: 2 },
  { first: 99, step: 1 },
];
const photos = imageFolder('gray.png', 'rgb.png', 'rgb_444.jpg', 'rgba.png', 'gray.jpg');
const paths = fs.readdirSync(photos).sort();
const npz = zipSync({ 'x.npy': counting([4, 1, 3], 12) }, { level: 0 });
const packed = zipSync({ 'x.npy': counting([4, 1, 3], 12) });
const test0 = new Uint8Array(fs.readFileSync('tests/fixtures/readers/tensors/float_raw.pb'));
const wav = new Uint8Array(fs.readFileSync('tests/fixtures/readers/pcm8_8000.wav'));

const sources: Record<string, [() => SampleSource, ModelSummary, number]> = {
  images: [() => datasetReader(photos), image, 5],
  'images in batches': [
    () => datasetReader(photos),
    modelOf(input('d', 'float32', [2, 3, 8, 8])),
    3,
  ],
  '.npy': [
    () =>
      datasetReader(['a', 'b', 'c'].map((n, i) => fileOf(`${n}.npy`, counting([3, 1, 3], i * 9)))),
    x,
    9,
  ],
  '.npz': [() => datasetReader([fileOf('a.npz', npz), fileOf('b.npz', packed)]), x, 8],
  '.npz with a limit': [() => datasetReader(fileOf('a.npz', packed), { limit: 3 }), x, 3],
  '.pb': [() => datasetReader(['a', 'b', 'c'].map((n) => fileOf(`${n}.pb`, test0))), x, 3],
  raw: [
    () =>
      datasetReader(
        fileOf(
          'a.raw',
          Float32Array.from({ length: 15 }, (_, i) => i),
        ),
      ),
    x,
    5,
  ],
  '.wav': [
    () => datasetReader(['a', 'b'].map((n) => fileOf(`${n}.wav`, wav))),
    modelOf(input('x', 'float32', [1, 'N'])),
    2,
  ],
};

for (const [name, [make, model, count]] of Object.entries(sources)) {
  test(`slices of ${name} have the samples of their numbers, and the length of the whole`, async () => {
    const every = await all(make(), model);
    assert.equal(every.length, count);
    for (const slice of slices) {
      const source = make();
      const expected = every.filter(
        (_, i) => i >= slice.first && (i - slice.first) % slice.step === 0,
      );
      assert.deepEqual(await all(source, model, slice), expected, JSON.stringify(slice));
      assert.equal(source.length, count);
    }
  });
}

test('images that a slice skips are never read', async () => {
  const read: string[] = [];
  const files = paths.map((name) => {
    const bytes = fs.readFileSync(`${photos}/${name}`);
    return {
      name,
      size: bytes.length,
      async read(start: number, end: number) {
        read.push(name);
        return bytes.subarray(start, end);
      },
    };
  });
  assert.equal((await all(imageReader(files), image, { first: 1, step: 2 })).length, 2);
  assert.deepEqual(read, [paths[1], paths[3]]);
});

test("a slice that is none is refused; a reader's other samples are read past", async () => {
  for (const slice of [
    { first: -1, step: 1 },
    { first: 0, step: 0 },
    { first: 0.5, step: 1 },
  ]) {
    assert.throws(
      () => datasetReader(photos).open(image, slice),
      isError('INVALID_OPTION', /slice/),
    );
    assert.throws(() => openSamples([], image, slice), isError('INVALID_OPTION', /slice/));
  }
  const list = Array.from(
    { length: 7 },
    (_, i): Feeds => ({
      x: { type: 'float32', dims: [1], data: Float32Array.of(i) },
    }),
  );
  async function* generate() {
    yield* list;
  }
  let next = 0;
  for (const form of [list, generate(), { getNext: () => list[next++] ?? null }]) {
    const found: unknown[] = [];
    for await (const sample of openSamples(form, x, { first: 1, step: 3 }).samples) {
      found.push(sample?.x?.data[0]);
    }
    assert.deepEqual(found, [1, 4]);
  }
  assert.equal(openSamples(list, x, { first: 1, step: 3 }).length, 7);
  const source = openSamples(datasetReader(photos), image, { first: 1, step: 3 });
  let count = 0;
  for await (const _ of source.samples) count++;
  assert.equal(count, 2);
  assert.equal(source.length, 5);
  const zip = zipSync({ 'a.pb': test0, 'b.pb': test0 });
  const zipped = openSamples(datasetReader(fileOf('a.zip', zip)), x);
  assert.equal(zipped.length, undefined);
  for await (const _ of zipped.samples) assert.equal(zipped.length, 2);
});
