// Two models on the same samples, models on samples with labels, and the exit codes of the
// commands.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { compareModels, datasetReader, evaluate, quantizeStatic } from '#dist/index.js';
import { placeOfPicture } from '#dist/samples/images/place.js';
import { command, imageFolder, imageSamples, model, temporaryFolder } from './support/pipeline.js';

const float = model('classifier.onnx');
const folder = temporaryFolder();
const quantized = path.join(folder, 'quantized.onnx');
const pictures = imageFolder('rgb.png', 'rgb_444.jpg', 'gray.png', 'palette.png', 'rgba.png');
const preprocess = ['--preprocess', 'zero-to-one'];

before(async () => {
  await quantizeStatic({
    modelInput: float,
    modelOutput: quantized,
    calibrationDataReader: imageSamples(12),
    effort: 'none',
  });
});

test('a model is the same as itself, and a quantized one is near', async () => {
  const calibrationDataReader = imageSamples(12);
  const same = await compareModels({ modelA: float, modelB: float, calibrationDataReader });
  assert.ok(same.outputs.every(({ exact, cosine }) => exact && Math.abs(cosine! - 1) < 1e-12));
  assert.equal(same.sqnr, null);
  assert.deepEqual([same.top1?.share, same.top1?.of, same.top5?.share], [1, 12, 1]);
  const near = await compareModels({ modelA: float, modelB: quantized, calibrationDataReader });
  assert.equal(near.samples, 12);
  assert.ok(near.sqnr! > 8 && near.sqnr! < 60, `${near.sqnr}`);
  assert.ok(near.cosine! > 0.9 && near.cosine! < 1);
  const { lowest, mean, highest, deviation } = near.outputs[0]!.spread!;
  assert.ok(lowest < mean && mean < highest && deviation > 0 && deviation < highest - lowest);
  assert.ok(near.models.every(({ latency, bytes }) => latency > 0 && bytes > 0));
  assert.equal(near.models[1]!.bytes, fs.statSync(quantized).size);
});

test('compare: text, JSON, and exit code 3 below a stated line', async () => {
  const given = ['compare', float, quantized, '--dataset', pictures, ...preprocess];
  const text = await command(given);
  assert.equal(text.code, 0, text.err);
  assert.match(text.out, /^model .*classifier\.onnx/m);
  assert.match(text.out, /dB, .* by sample .*cosine/);
  assert.match(text.out, /latency +the second is/);
  const json = await command([...given, '--json', '--strict', '--min_sqnr', '1']);
  assert.equal(json.code, 0, json.err);
  assert.equal(JSON.parse(json.out).samples, 5);
  const low = await command([...given, '--strict', '--min_sqnr', '150', '--quiet']);
  assert.equal(low.code, 3);
  assert.match(low.err, /warning: min_sqnr: [\d.]+, and 150 was asked for/);
  const never = await command([...given, '--strict', '--min_agreement', '1.1', '--quiet']);
  assert.equal(never.code, 3);
});

test('compare: bad usage is exit code 2', async () => {
  const given = ['compare', float, quantized, '--dataset', pictures];
  for (const [args, message] of [
    [['compare', float], /model_b is missing/],
    [['compare', float, quantized], /calibrate_dataset is missing/],
    [[...given, '--strict'], /strict has no effect without a line/],
    [[...given, '--min_sqnr', '3'], /min_sqnr has no effect without strict/],
    [['compare', float, quantized, 'third.onnx'], /unexpected argument "third\.onnx"/],
  ] as const) {
    const { code, err } = await command([...args]);
    assert.equal(code, 2, err);
    assert.match(err, message);
  }
  const missing = await command(['compare', float, 'none.onnx', '--dataset', pictures]);
  assert.equal(missing.code, 1);
});

test('evaluate: labels of a table and of folders, with the standard error', async () => {
  const reader = () => datasetReader(pictures, { preprocess: 'zero-to-one' });
  const files = fs.readdirSync(pictures).sort();
  // Labels that are right for all but one: what the model says, by one picture at a time.
  const hits: Record<string, number> = {};
  for (const file of files) {
    for (let label = 0; label < 4; label++) {
      const { models } = await evaluate({
        models: [float],
        labels: JSON.stringify({ [file]: label }),
        calibrationDataReader: datasetReader(path.join(pictures, file), {
          preprocess: 'zero-to-one',
        }),
      });
      if (models[0]!.classification!.top1.hits === 1) hits[file] = label;
    }
  }
  const labels = { ...hits, [files[0]!]: (hits[files[0]!]! + 1) % 4 };
  const table = await evaluate({
    models: [float, quantized],
    labels: JSON.stringify(labels),
    calibrationDataReader: reader(),
  });
  const { top1, top5 } = table.models[0]!.classification!;
  assert.deepEqual([top1.hits, top1.of, top1.share], [4, 5, 0.8]);
  assert.ok(Math.abs(top1.standardError - Math.sqrt((0.8 * 0.2) / 5)) < 1e-12);
  assert.ok(top5.hits >= 4);
  assert.equal(table.models.length, 2);

  const classes = temporaryFolder();
  for (const file of files) {
    const own = path.join(classes, String(labels[file]));
    fs.mkdirSync(own, { recursive: true });
    fs.copyFileSync(path.join(pictures, file), path.join(own, file));
  }
  const given = ['evaluate', float, quantized, '--dataset', classes, ...preprocess];
  const text = await command(given);
  assert.equal(text.code, 0, text.err);
  assert.match(text.out, /top-1 80\.0 % ± 17\.9 \(4 of 5\)/);
  assert.match(text.out, /folders as classes, their numbers/);
  const low = await command([...given, '--quiet', '--strict', '--min_top1', '0.9']);
  assert.equal(low.code, 3);
  const enough = await command([...given, '--quiet', '--strict', '--min_top1', '0.2']);
  assert.equal(enough.code, 0, enough.err);
});

test('evaluate: what has no label, and labels that do not fit, are refused', async () => {
  const given = ['evaluate', float, '--dataset', pictures, ...preprocess];
  const none = await command(given);
  assert.equal(none.code, 1);
  assert.match(none.err, /is in no folder/);
  const file = path.join(temporaryFolder(), 'labels.csv');
  fs.writeFileSync(
    file,
    fs
      .readdirSync(pictures)
      .map((name) => `${name},5000`)
      .join('\n'),
  );
  const high = await command([...given, '--labels', file]);
  assert.equal(high.code, 1);
  assert.match(high.err, /there is a label 5000, and output .* has \d+ classes/);
  const missing = await command([...given, '--labels', 'none.csv']);
  assert.equal(missing.code, 1);
});

test('evaluate: boxes need outputs that are understood', async () => {
  const file = path.join(temporaryFolder(), 'coco.json');
  const images = fs.readdirSync(pictures).map((file_name, id) => ({ id, file_name }));
  fs.writeFileSync(file, JSON.stringify({ images, annotations: [], categories: [] }));
  const { code, err } = await command([
    ...['evaluate', float, '--dataset', pictures, ...preprocess, '--labels', file],
  ]);
  assert.equal(code, 1);
  assert.match(err, /are no boxes that are understood/);
});

test('where a picture is in the input follows from how it was fitted', () => {
  const spec = { width: 100, height: 50 } as Parameters<typeof placeOfPicture>[0];
  const picture = { width: 200, height: 200 };
  const of = (mode: string, more: object = {}) =>
    placeOfPicture({ ...spec, mode, ...more } as typeof spec, picture);
  assert.deepEqual(of('stretch'), { scaleX: 0.5, scaleY: 0.25, left: 0, top: 0 });
  assert.deepEqual(of('letterbox'), { scaleX: 0.25, scaleY: 0.25, left: 25, top: 0 });
  assert.deepEqual(of('letterbox', { align: 'top-left' }).left, 0);
  assert.deepEqual(of('center', { resizeShorter: 100 }), {
    scaleX: 0.5,
    scaleY: 0.5,
    left: 0,
    top: -25,
  });
  assert.equal(of('none').scaleX, 1);
});

test('debug: a table in both orders, JSON, and what is missing', async () => {
  const given = ['debug', float, quantized, '--dataset', pictures, ...preprocess];
  const text = await command(given);
  assert.equal(text.code, 0, text.err);
  assert.match(text.out, /^layer +makes +lost so far +by itself +at outputs/m);
  assert.match(text.out, /QLinearConv/);
  const graph = await command([...given, '--order', 'graph']);
  assert.equal(graph.code, 0, graph.err);
  const json = await command([...given, '--json']);
  const diagnosis = JSON.parse(json.out);
  assert.equal(diagnosis.samples, 5);
  assert.ok(diagnosis.layers.length > 3);
  const none = await command(['debug', float, '--dataset', pictures]);
  assert.equal(none.code, 2);
  assert.match(none.err, /quantized_model is missing/);
});
