// What can be dropped beside one model file and a list of images: data files, folders, arrays; and
// models in which little or nothing can be quantized.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { zipSync } from 'fflate';
import { datasetReader, quantizeStatic } from 'onnx-ptq';
import type { Browser } from 'playwright-core';
import { npy } from '../js/support/npy.js';
import { App, digits, filesOf } from './support/app.js';
import { launch, skipBrowser } from './support/browser.js';
import { type StaticServer, serve } from './support/server.js';

const model = (name: string) => `tests/fixtures/pipeline/${name}`;
// In the order of the page: the samples of an unclear preprocessing take turns.
const photos = ['gray.jpg', 'rgb.png', 'rgb_444.jpg'].map((name) => `tests/fixtures/image/${name}`);

describe('what the page takes', { skip: skipBrowser }, () => {
  let browser: Browser;
  let server: StaticServer;
  let folder: string;

  before(async () => {
    browser = await launch();
    server = await serve('web/dist');
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-ptq-inputs-'));
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    if (folder) fs.rmSync(folder, { recursive: true });
  });

  it('asks for the data file of a model, and takes it with the next drop', async () => {
    const app = await App.open(browser, server);
    await app.drop([model('external.onnx'), ...photos]);
    await app.page.getByText('Also needed: external.onnx.data. Drop it here.').waitFor();
    assert.ok(await app.start.isDisabled());
    await app.drop([model('external.onnx.data')]);
    await app.quantize();
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      runtime: 'web',
      modelInput: model('external.onnx'),
      calibrationDataReader: datasetReader(photos),
    });
    assert.deepEqual(bytes, Buffer.from(expected.model as Uint8Array));
    await app.close();
  });

  it('reads a folder with its subfolders in the order of Node', async () => {
    for (const [i, file] of filesOf(digits.images).slice(0, 12).entries()) {
      const target = path.join(folder, 'images', `part${i % 3}`, path.basename(file));
      fs.mkdirSync(path.dirname(target), { recursive: true });
      fs.copyFileSync(file, target);
    }
    fs.writeFileSync(path.join(folder, 'images', '.DS_Store'), 'not an image');
    const app = await App.open(browser, server);
    await app.addModel(digits.model);
    await app.page
      .locator('#samples input[type=file]')
      .last()
      .setInputFiles(path.join(folder, 'images'));
    await app.page.getByText('12 images').waitFor();
    await app.quantize();
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      runtime: 'web',
      modelInput: digits.model,
      calibrationDataReader: datasetReader(path.join(folder, 'images')),
    });
    assert.deepEqual(bytes, Buffer.from(expected.model as Uint8Array));
    await app.close();
  });

  it('uses only as many samples as it is told, the first by name', async () => {
    const app = await App.open(browser, server);
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images).reverse());
    await app.page.getByLabel('Use at most').fill('5');
    await app.quantize();
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      runtime: 'web',
      modelInput: digits.model,
      calibrationDataReader: datasetReader(filesOf(digits.images).slice(0, 5)),
    });
    assert.deepEqual(bytes, Buffer.from(expected.model as Uint8Array));
    await app.close();
  });

  it('takes .npz samples for a model with two inputs', async () => {
    const file = path.join(folder, 'samples.npz');
    const count = 4;
    const ids = BigInt64Array.from({ length: count * 3 }, (_, i) => BigInt(i % 4));
    const x = Float32Array.from({ length: count * 12 }, (_, i) => Math.sin(i));
    fs.writeFileSync(
      file,
      zipSync({ 'ids.npy': npy('<i8', [count, 3], ids), 'x.npy': npy('<f4', [count, 3, 4], x) }),
    );
    const app = await App.open(browser, server);
    await app.addModel(model('two_inputs.onnx'));
    await app.addSamples([file]);
    await app.page.getByText('other samples are used as they are').waitFor();
    assert.match(await app.quantize(), /Nodes quantized/);
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      runtime: 'web',
      modelInput: model('two_inputs.onnx'),
      calibrationDataReader: datasetReader([file]),
    });
    assert.deepEqual(bytes, Buffer.from(expected.model as Uint8Array));
    await app.close();
  });

  it('takes a zip of images, and of those in it as many as it is told', async () => {
    const images = filesOf(digits.images).slice(0, 8);
    const zip = path.join(folder, 'digits.zip');
    const contents = images.map((file) => [`calib/${path.basename(file)}`, fs.readFileSync(file)]);
    fs.writeFileSync(zip, zipSync(Object.fromEntries(contents)));
    const app = await App.open(browser, server);
    await app.addModel(digits.model);
    await app.drop([zip]);
    await app.page.getByText('1 .zip file').waitFor();
    await app.page.getByLabel('Use at most').fill('5');
    await app.quantize();
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      runtime: 'web',
      modelInput: digits.model,
      calibrationDataReader: datasetReader(images.slice(0, 5)),
    });
    assert.deepEqual(bytes, Buffer.from(expected.model as Uint8Array));
    await app.close();
  });

  it('takes a dropped folder whose folders are samples of different shapes', async () => {
    const root = path.join(folder, 'sets');
    for (const [index, length] of [3, 5].entries()) {
      const set = path.join(root, `${index}`);
      fs.mkdirSync(set, { recursive: true });
      const ids = BigInt64Array.from({ length }, (_, i) => BigInt(i % 4));
      const x = Float32Array.from({ length: length * 4 }, (_, i) => Math.sin(i + index));
      fs.writeFileSync(path.join(set, 'ids.npy'), npy('<i8', [length], ids));
      fs.writeFileSync(path.join(set, 'x.npy'), npy('<f4', [length, 4], x));
    }
    const app = await App.open(browser, server);
    await app.addModel(model('two_inputs.onnx'));
    await app.dropFolder(root);
    await app.page.getByText('4 .npy files').waitFor();
    assert.match(await app.quantize(), /Nodes quantized/);
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      runtime: 'web',
      modelInput: model('two_inputs.onnx'),
      calibrationDataReader: datasetReader(root),
    });
    assert.deepEqual(bytes, Buffer.from(expected.model as Uint8Array));
    await app.close();
  });

  it('says that images do not fit a model with two inputs', async () => {
    const app = await App.open(browser, server);
    await app.drop([model('two_inputs.onnx'), ...photos]);
    await app.page.locator('.statement.bad').waitFor();
    assert.match(await app.quantize(), /The samples do not fit the model/);
    await app.close();
  });

  it('says so when a model is quantized already', async () => {
    const app = await App.open(browser, server);
    await app.addModel(model('already_quantized.onnx'));
    await app.page.getByText('This model already has quantized operators').waitFor();
    await app.close();
  });
});
