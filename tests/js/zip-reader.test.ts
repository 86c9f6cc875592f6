// A zip in place of files: every kind inside is read as it is beside it. And what datasetReader
// makes of a mixture, of text, and of nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { type Zippable, zipSync } from 'fflate';
import type { ModelSummary } from '#dist/base/types.js';
import { datasetReader, imageReader, npyReader, type SampleSource } from '#dist/index.js';
import { counting } from './support/npy.js';
import { all, fileOf, input, isError, modelOf, refused } from './support/readers.js';

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'ptq-zip-'));
after(() => fs.rmSync(work, { recursive: true }));

const image = modelOf(input('data', 'float32', ['N', 3, 8, 8]));
const arrays = modelOf(input('x', 'float32', [2, 'width']), input('rate', 'int64', []));
const x = modelOf(input('x', 'float32', ['N', 3]));
const sound = modelOf(input('x', 'float32', ['N']));
const ids = modelOf(input('ids', 'int64', [1, null]), input('x', 'float32', [1, null, 4]));
const fixture = (name: string) => new Uint8Array(fs.readFileSync(`tests/fixtures/${name}`));

function folder(name: string, files: Record<string, Uint8Array>): string {
  const root = path.join(work, name);
  for (const [file, bytes] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), bytes);
  }
  return root;
}

const kinds: [string, ModelSummary, Record<string, Uint8Array>][] = [
  [
    'images',
    image,
    { 'b.jpg': fixture('image/rgb_444.jpg'), 'sub/folder/a.png': fixture('image/rgb.png') },
  ],
  ['npy', x, { 'many.npy': counting([50, 1, 3]), 'sub/one.npy': counting([1, 3], 7) }],
  ['npz', arrays, { 'a.npz': fixture('image/stored.npz'), 'b.npz': fixture('image/deflated.npz') }],
  [
    'pb',
    ids,
    Object.fromEntries(
      [0, 1].flatMap((set) =>
        ['input_0.pb', 'input_1.pb', 'output_0.pb'].map((name) => [
          `test_data_set_${set}/${name}`,
          fixture(`readers/test_data_set_${set}/${name}`),
        ]),
      ),
    ),
  ],
  ['wav', sound, { 'a.wav': fixture('readers/pcm8_8000.wav') }],
  ['raw', x, { 'a.bin': new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer) }],
];

for (const [name, model, files] of kinds) {
  for (const level of [0, 6] as const) {
    test(`${name} in a zip (${level ? 'deflated' : 'stored'}) are the samples of the folder`, async () => {
      const expected = await all(datasetReader(folder(`${name}${level}`, files)), model);
      assert.ok(expected.length > 0);
      const zip = path.join(work, `${name}${level}.zip`);
      const hidden = {
        '.DS_Store': counting([1]),
        '__MACOSX/._a.png': counting([1]),
        'empty/': [],
      };
      fs.writeFileSync(zip, zipSync({ ...files, ...hidden } as unknown as Zippable, { level }));
      for (const source of [zip, new File([fs.readFileSync(zip)], 'upload.ZIP')]) {
        const reader = datasetReader(source);
        assert.deepEqual(await all(reader, model), expected);
        // Again, from its middle: what was unpacked before must not matter.
        assert.deepEqual(await all(reader, model, { first: 1, step: 1 }), expected.slice(1));
        assert.deepEqual(await all(reader, model), expected);
        assert.equal(reader.length, expected.length);
      }
    });
  }
}

test('a zip of many samples is never in memory as a whole', async () => {
  const samples = 400;
  const entries = { 'x.npy': counting([samples, 1, 3000]), 'other.bin': new Uint8Array(1 << 22) };
  const archive = zipSync(entries, { level: 0 });
  let largest = 0;
  const file = {
    name: 'a.zip',
    size: archive.length,
    async read(start: number, end: number) {
      largest = Math.max(largest, end - start);
      return archive.slice(start, end);
    },
  };
  const model = modelOf(input('x', 'float32', [1, 3000]));
  assert.equal((await all(npyReader(file), model)).length, samples);
  assert.ok(largest < archive.length / 40, `${largest} of ${archive.length} bytes in one read`);
});

test('one zip read by two at a time gives each its samples', async () => {
  const zip = fileOf('a.zip', zipSync({ 'a.npy': counting([30, 1, 3]) }));
  const reader = npyReader(zip);
  const [alone, one, other] = await Promise.all([
    all(npyReader(zip), x),
    all(reader, x),
    all(reader, x, { first: 1, step: 2 }),
  ]);
  assert.equal(alone.length, 30);
  assert.deepEqual(one, alone);
  assert.deepEqual(
    other,
    alone.filter((_, i) => i % 2 === 1),
  );
});

test('zips and files are read together, in the order of their names', async () => {
  const zip = fileOf('b.zip', zipSync({ 'z.npy': counting([1, 3], 1) }));
  const files = [fileOf('c.npy', counting([1, 3], 2)), zip, fileOf('a.npy', counting([1, 3], 0))];
  const samples = await all(datasetReader(files), x);
  assert.deepEqual(
    samples.map((sample) => sample.x!.data[0]),
    [0, 1, 2],
  );
});

test('errors of a file in a zip name both', async () => {
  const zip = (files: Zippable) => () => datasetReader(fileOf('a.zip', zipSync(files)));
  const wrong = zip({ 'sub/x.npy': counting([1, 4]) });
  await refused(wrong, x, 'INVALID_DATA', /^a\.zip\/sub\/x\.npy: input "x" expects/);
  await refused(
    zip({ 'a.gif': counting([1]) }),
    x,
    'NO_SAMPLES',
    /in the files given.*1 \.gif file/,
  );
  const none = () => imageReader(fileOf('a.zip', zipSync({ 'x.npy': counting([1]) })));
  await refused(none, x, 'NO_SAMPLES', /no images.*1 \.npy file/);
  const broken = () => datasetReader(fileOf('a.zip', counting([100])));
  await refused(broken, x, 'INVALID_DATA', /^a\.zip is not a readable zip file: it is no zip/);
  const bomb = zipSync({ 'x.npy': counting([1, 3]) });
  const view = new DataView(bomb.buffer);
  const directory = view.getUint32(bomb.length - 22 + 16, true);
  view.setUint32(directory + 24, 0xfffffff0, true);
  const huge = () => datasetReader(fileOf('a.zip', bomb));
  await refused(huge, x, 'INVALID_DATA', /^a\.zip is not .*the size of x\.npy is wrong/);
  const inside = folder('inside', { 'a.zip': zipSync({ 'x.npy': counting([1, 3]) }) });
  await refused(() => datasetReader(inside), x, 'NO_SAMPLES', /1 \.zip file/, /given itself/);
});

test('a mixture of kinds is refused, and named', async () => {
  const file = (name: string) => fileOf(name, counting([1]));
  const mixture = (names: string[]): (() => SampleSource) => {
    return () => datasetReader(names.map(file));
  };
  assert.throws(
    mixture(['a.png', 'b.npy']),
    isError('INVALID_OPTION', /has both images and \.npy files/),
  );
  assert.throws(
    mixture(['a.wav', 'b.pb', 'c.bin']),
    isError('INVALID_OPTION', /has \.wav files, \.pb files and raw float32 files/),
  );
  const zip = fileOf('z.zip', zipSync({ 'a.npy': counting([1]) }));
  const withZip = () => datasetReader([file('a.png'), zip]);
  await refused(withZip, x, 'INVALID_OPTION', /both images and \.npy files/);
});

test('text is left to the own reader of the user', () => {
  const root = folder('text', { 'a.txt': counting([1]), 'b.jsonl': counting([1]) });
  for (const source of [root, `${root}/a.txt`]) {
    assert.throws(
      () => datasetReader(source),
      isError('NO_SAMPLES', /\.txt/, /own reader.*getNext\(\).*int64/),
    );
  }
  // Beside samples it is a list of labels, say.
  const withImage = folder('labels', { 'a.png': fixture('image/rgb.png'), 'l.txt': counting([1]) });
  assert.equal(datasetReader(withImage).length, 1);
});

test('sizes and places beyond the archive are refused before memory is taken for them', async () => {
  const zip = Buffer.from(zipSync({ 'a.npy': counting([1, 3]) }, { level: 0 }));
  const entry = zip.indexOf('PK\x01\x02', 0, 'latin1');
  const at = (offset: number) => entry + offset;
  // zip64: the sizes are in an extra field that the entry did not have.
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  for (let i = 0; i < 3; i++) extra.writeBigUInt64LE(2n ** 42n, 4 + 8 * i);
  const nameEnd = at(46) + zip.readUInt16LE(at(28));
  const wide = Buffer.concat([zip.subarray(0, nameEnd), extra, zip.subarray(nameEnd)]);
  wide.writeUInt16LE(28, at(30));
  for (const field of [20, 24, 42]) wide.writeUInt32LE(0xffffffff, at(field));
  const end = wide.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  wide.writeUInt32LE(wide.readUInt32LE(end + 12) + 28, end + 12);
  const far = Buffer.from(zip);
  far.writeUInt32LE(0x7fffffff, at(42));
  const long = Buffer.from(zip);
  for (const field of [20, 24]) long.writeUInt32LE(0x7ffffff0, at(field));
  for (const bytes of [wide, far, long]) {
    const file = fileOf('a.zip', bytes);
    await refused(() => datasetReader(file), x, 'INVALID_DATA', /a\.npy lies outside the file/);
  }
});
