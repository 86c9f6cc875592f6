// Folders as they are: some files of samples cannot be used. They are passed over, counted and
// named; too many of them, or `strict`, end the run. And what an error while running a sample says.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { QuantizeError } from '#dist/base/errors.js';
import type { Feeds } from '#dist/base/types.js';
import { SamplePasses } from '#dist/calibration/sample-passes.js';
import { calibrate, datasetReader, imageReader, quantizeStatic } from '#dist/index.js';
import { counting } from './support/npy.js';
import { command, imageFolder, model, temporaryFolder } from './support/pipeline.js';
import { input, modelOf } from './support/readers.js';

const good = ['gray.png', 'rgb.png', 'rgb_444.jpg'];

/** Good images among `bad` ones, which are text, and come first and last. */
function mixed(...bad: string[]): string {
  const folder = imageFolder(...good);
  for (const name of bad) fs.writeFileSync(path.join(folder, name), 'not a picture');
  return folder;
}

const flags = (dataset: string) => {
  const target = path.join(temporaryFolder(), 'o.onnx');
  const samples = ['--calibrate_dataset', dataset, '--preprocess', 'zero-to-one'];
  const argv = ['-i', model('classifier.onnx'), '-o', target, ...samples];
  return { target, argv };
};

test('images that are none are skipped with one warning; the rest gives the same bytes', async () => {
  const plain = flags(imageFolder(...good));
  assert.equal((await command(plain.argv)).code, 0);
  const { target, argv } = flags(mixed('a.png', 'z.jpg'));
  const { code, out, err } = await command([...argv, '--json']);
  assert.equal(code, 0, err);
  const warnings = err.split('\n').filter((line) => line.startsWith('warning: '));
  assert.equal(warnings.length, 1, err);
  assert.match(
    warnings[0]!,
    /2 files of samples could not be used: a\.png, z\.jpg; the first: a\.png is not a JPEG or PNG/,
  );
  const report = JSON.parse(out);
  assert.equal(report.calibration.samples, 3);
  const codes = report.diagnostics.map(({ code: one }: { code: string }) => one);
  assert.equal(codes.filter((one: string) => one === 'SAMPLES_SKIPPED').length, 1);
  assert.ok(fs.readFileSync(target).equals(fs.readFileSync(plain.target)));
});

test('with a method of two passes the warning comes once, and the ranges are those of the rest', async () => {
  const ranges = async (folder: string) => {
    const { ranges: found, diagnostics } = await calibrate({
      modelInput: model('classifier.onnx'),
      calibrationDataReader: datasetReader(folder, { preprocess: 'zero-to-one' }),
      calibrateMethod: 'Entropy',
    });
    return { found, skipped: diagnostics.filter(({ code }) => code === 'SAMPLES_SKIPPED').length };
  };
  const odd = await ranges(mixed('a.png', 'm.jpg'));
  assert.equal(odd.skipped, 1);
  assert.deepEqual(odd.found, (await ranges(imageFolder(...good))).found);
});

test('of the samples that repairs are made from most may be unusable, if fewer of all are', async () => {
  const names = Array.from({ length: 10 }, (_, i) => `a${i}.png`);
  const folder = mixed(...names);
  for (let i = 0; i < 17; i++) {
    fs.copyFileSync(path.join(folder, 'rgb.png'), path.join(folder, `rgb${i}.png`));
  }
  const { report } = await quantizeStatic({
    modelInput: model('classifier.onnx'),
    calibrationDataReader: datasetReader(folder, { preprocess: 'zero-to-one' }),
    calibrateMethod: 'MSE',
    effort: 'fast',
  });
  assert.equal(report.calibration?.samples, 20);
});

test('strict refuses the first, more than half or all of them are refused in any case', async () => {
  const cases: [string, string[], RegExp][] = [
    [mixed('m.png'), ['--strict'], /^error: m\.png is not a JPEG or PNG/],
    [mixed('a.png', 'b.png', 'c.png', 'd.png'), [], /4 of 7 samples cannot be used.*a\.png/],
  ];
  const none = imageFolder();
  for (const name of ['a.png', 'b.jpg']) fs.writeFileSync(path.join(none, name), '');
  cases.push([none, [], /all 2 samples cannot be used; the first: a\.png/]);
  for (const [folder, more, pattern] of cases) {
    const { target, argv } = flags(folder);
    const { code, err } = await command([...argv, ...more]);
    assert.equal(code, 1, err);
    assert.match(err, pattern);
    assert.deepEqual(fs.readdirSync(path.dirname(target)), []);
  }
  // Half of them is enough.
  assert.equal((await command(flags(mixed('a.png', 'b.png', 'c.png')).argv)).code, 0);
});

test('samples keep their numbers: slices and second passes agree about what is passed over', async () => {
  const image = modelOf(input('data', 'float32', ['N', 3, 8, 8]));
  const folder = mixed('a.png', 'm.png', 'z.png'); // a gray m rgb rgb_444 z
  const told = new Set<string>();
  const take = async (first: number, step: number) => {
    const samples = new SamplePasses(imageReader(folder), image, { first, step }, (file) =>
      told.add(file),
    );
    await samples.peek();
    const seen: boolean[][] = [];
    for (const again of [true, false]) {
      const one: boolean[] = [];
      for await (const feeds of samples.pass({ first, step }, again)) one.push(feeds !== null);
      seen.push(one);
    }
    assert.deepEqual(seen[0], seen[1]);
    return seen[0];
  };
  assert.deepEqual(await take(0, 1), [false, true, false, true, true, false]);
  assert.deepEqual(await take(0, 2), [false, false, true]);
  assert.deepEqual(await take(1, 2), [true, true, false]);
  assert.deepEqual([...told].sort(), ['a.png', 'm.png', 'z.png']);
});

test('a fixed batch is filled up where an image of it cannot be used', async () => {
  const pair = modelOf(input('data', 'float32', [2, 3, 8, 8]));
  const alone = modelOf(input('data', 'float32', [1, 3, 8, 8]));
  const read = async (source: ReturnType<typeof imageReader>, of: typeof pair) => {
    const samples: (Feeds | null)[] = [];
    const slice = { first: 0, step: 1 };
    for await (const feeds of source.openUsable!(of, slice, () => {})) samples.push(feeds);
    return samples;
  };
  const [first, second] = await read(imageReader(mixed('a.png')), pair); // a gray | rgb rgb_444
  const [gray, rgb, jpeg] = await read(imageReader(imageFolder(...good)), alone);
  const joined = (...parts: (Feeds | null | undefined)[]) =>
    parts.flatMap((part) => [...(part!.data!.data as Float32Array)]);
  assert.deepEqual([...(first!.data!.data as Float32Array)], joined(gray, gray));
  assert.deepEqual([...(second!.data!.data as Float32Array)], joined(rgb, jpeg));
});

test('arrays, sounds and protobufs that are damaged are passed over as images are', async () => {
  const x = modelOf(input('x', 'float32', ['N', 3]));
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'a.npy'), counting([2, 1, 3]));
  fs.writeFileSync(path.join(folder, 'b.npy'), 'damaged');
  fs.writeFileSync(path.join(folder, 'c.npy'), counting([1, 3]));
  const told: string[] = [];
  const samples = new SamplePasses(datasetReader(folder), x, { first: 0, step: 1 }, (file) =>
    told.push(file),
  );
  const seen: boolean[] = [];
  for await (const feeds of samples.pass({ first: 0, step: 1 }, false)) seen.push(feeds !== null);
  assert.deepEqual(seen, [true, true, false, true]);
  assert.deepEqual(told, ['b.npy']);
});

test('an error while a sample runs names its file, its shapes, and how its first axis was read', async () => {
  // 4 bytes of a weight are cut off in the middle: a Gemm that takes 8 features gets 4.
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'images.npy'), counting([12, 3, 16, 16]));
  await assert.rejects(
    calibrate({
      modelInput: 'tests/fixtures/pipeline/batch_inside.onnx',
      calibrationDataReader: datasetReader(folder),
      runtime: 'web',
    }),
    (error: QuantizeError) => {
      assert.equal(error.code, 'RUNTIME_FAILED');
      assert.match(error.message, /^sample 1 \(images\.npy, image float32 \[12,3,16,16\]\): /);
      assert.match(
        error.hint ?? '',
        /"image" was read as one sample of batch 12; for 12 samples save array\[:, None\]/,
      );
      return true;
    },
  );
});
