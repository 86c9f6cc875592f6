// The digest that ties a calibration state to its model.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { InputFiles } from '#dist/base/bytes.js';
import { modelDigest } from '#dist/calibration/model-digest.js';
import { calibrate, mergeRanges } from '#dist/index.js';
import { imageSamples, model, temporaryFolder } from './support/pipeline.js';

const filesOf = (files: Record<string, Uint8Array>): InputFiles => ({
  label: 'm',
  source(name) {
    const bytes = files[name];
    if (!bytes) return null;
    const read = (offset: number, into: Uint8Array) =>
      into.set(bytes.subarray(offset, offset + into.length));
    return { size: bytes.length, read, close() {} };
  },
  runtimeBytes: () => '',
  close() {},
});

test('it is the SHA-256 of names, sizes and contents', () => {
  const large = Uint8Array.from({ length: 2 ** 20 + 17 }, (_, i) => i % 251);
  const files = { '~model': Uint8Array.of(1, 2, 3), 'b.data': large, 'a.data': new Uint8Array(0) };
  const hash = createHash('sha256');
  hash.update('~model\x003\0').update(files['~model']);
  hash.update('a.data\x000\0');
  hash.update(`b.data\0${large.length}\0`).update(large);
  assert.equal(modelDigest(filesOf(files), ['b.data', 'a.data']), hash.digest('hex'));
});

test('it tells a changed byte, a changed length and a changed name, in every file', () => {
  const content = Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 253);
  const of = (model: Uint8Array, data: Uint8Array, name = 'w') =>
    modelDigest(filesOf({ '~model': model, [name]: data }), [name]);
  const digest = of(content, content);
  assert.equal(of(content.slice(), content.slice()), digest);
  for (const at of [0, 65_535, 1_048_576, 2_999_999]) {
    const other = content.slice();
    other[at]! ^= 1;
    assert.notEqual(of(other, content), digest);
    assert.notEqual(of(content, other), digest);
  }
  assert.notEqual(of(content.slice(1), content), digest);
  assert.notEqual(of(content, content, 'v'), digest);
});

test('shards of models that differ in their external weights only are not merged', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'external.onnx');
  fs.copyFileSync(model('external.onnx'), file);
  const data = fs.readFileSync(`${model('external.onnx')}.data`);
  const shard = async (text: string, scale: number) => {
    const weights = new Float32Array(
      data.buffer.slice(data.byteOffset, data.byteOffset + data.length),
    );
    fs.writeFileSync(`${file}.data`, new Uint8Array(weights.map((w) => w * scale).buffer));
    const options = { modelInput: file, calibrationDataReader: imageSamples(4), shard: text };
    return (await calibrate(options)).calibrationState as string;
  };
  const first = await shard('0/2', 1);
  await assert.rejects(mergeRanges([first, await shard('1/2', 1.5)]), {
    code: 'INVALID_CALIBRATION_STATE',
    message: /another model/,
  });
  assert.ok((await mergeRanges([first, await shard('1/2', 1)])).ranges);
});
