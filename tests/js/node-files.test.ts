import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { QuantizeError } from '#dist/base/errors.js';
import { nodePlatform } from '#dist/platform/node.js';

const temporary = () => fs.mkdtempSync(path.join(os.tmpdir(), 'ptq-files-'));
const bytes = (text: string) => new TextEncoder().encode(text);
const code = (expected: string) => (error: unknown) =>
  error instanceof QuantizeError && error.code === expected;

test('an output appears under its name only with commit', () => {
  const folder = temporary();
  const target = path.join(folder, 'out.onnx');
  const output = nodePlatform.openOutput(target);
  output.model.append(bytes('hello '));
  output.model.append(bytes('world'));
  output.data.append(bytes('weights'));
  assert.ok(!fs.existsSync(target));
  assert.deepEqual(output.commit(), {
    model: target,
    data: `${target}.data`,
    tensorFiles: [],
  });
  output.discard();
  assert.equal(fs.readFileSync(target, 'utf8'), 'hello world');
  assert.equal(fs.readFileSync(`${target}.data`, 'utf8'), 'weights');
  assert.deepEqual(fs.readdirSync(folder).sort(), ['out.onnx', 'out.onnx.data']);
});

test('a discarded output leaves nothing behind and an older file alone', () => {
  const folder = temporary();
  const target = path.join(folder, 'out.onnx');
  fs.writeFileSync(target, 'old');
  const output = nodePlatform.openOutput(target);
  output.model.append(bytes('new'));
  output.discard();
  output.discard();
  assert.deepEqual(fs.readdirSync(folder), ['out.onnx']);
  assert.equal(fs.readFileSync(target, 'utf8'), 'old');
});

test('an output can be begun again', () => {
  const target = path.join(temporary(), 'out.onnx');
  const output = nodePlatform.openOutput(target);
  output.model.append(bytes('first attempt'));
  output.model.truncate();
  output.model.append(bytes('second'));
  assert.equal(output.model.size, 6);
  output.commit();
  assert.equal(fs.readFileSync(target, 'utf8'), 'second');
});

test('an output folder that does not exist, or a folder as output, is refused at once', () => {
  const folder = temporary();
  for (const target of [path.join(folder, 'no/out.onnx'), folder]) {
    assert.throws(() => nodePlatform.openOutput(target), code('OUTPUT_NOT_WRITABLE'));
  }
});

test('external data is found beside the model and nowhere else', async () => {
  const folder = temporary();
  const models = path.join(folder, 'models');
  fs.mkdirSync(models);
  fs.writeFileSync(path.join(folder, 'secret'), 'secret');
  fs.writeFileSync(path.join(models, 'a.onnx'), 'model');
  fs.writeFileSync(path.join(models, 'a.data'), 'weights');
  fs.symlinkSync(path.join(folder, 'secret'), path.join(models, 'link'));
  const input = await nodePlatform.openInput(path.join(models, 'a.onnx'), {});
  const into = new Uint8Array(3);
  input.source('a.data')?.read(2, into);
  assert.equal(new TextDecoder().decode(into), 'igh');
  assert.equal(input.source('b.data'), null);
  for (const name of ['../secret', path.join(folder, 'secret'), 'link', '.', 'x/../../secret']) {
    assert.throws(() => input.source(name), code('INVALID_MODEL'), name);
  }
  input.close();
});

test('a model that is not there, or a folder, is an error of its own', async () => {
  const folder = temporary();
  for (const file of [path.join(folder, 'no.onnx'), folder]) {
    await assert.rejects(nodePlatform.openInput(file, {}), code('FILE_NOT_FOUND'));
  }
});
