// What can be dropped beside one model file and a list of images: data files, folders, arrays; and
// models in which little or nothing can be quantized.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { zipSync } from 'fflate';
import { datasetReader, quantizeStatic } from 'onnx-ptq';
import { npy } from '../js/support/npy.js';
import { writeModel } from '../js/support/onnx-writer.js';
import { digits, filesOf, heldOf, pageDefaults } from './support/app.js';
import { skipBrowser } from './support/browser.js';
import { hosted } from './support/hosted.js';

const model = (name: string) => `tests/fixtures/pipeline/${name}`;
// In the order of the page: the samples of an unclear preprocessing take turns.
const photos = ['gray.jpg', 'rgb.png', 'rgb_444.jpg'].map((name) => `tests/fixtures/image/${name}`);

describe('what the page takes', { skip: skipBrowser }, () => {
  const host = hosted();
  let folder: string;

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-ptq-inputs-'));
  });
  after(() => {
    if (folder) fs.rmSync(folder, { recursive: true });
  });

  it('asks for the data file of a model, and takes it with the next drop', async () => {
    const app = await host.open();
    await app.drop([model('external.onnx'), ...photos]);
    await app.page.locator('#model .notice', { hasText: 'external.onnx.data' }).waitFor();
    await app.drop([model('external.onnx.data')]);
    await app.ready();
    await app.quantize();
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      ...pageDefaults,
      runtime: 'web',
      modelInput: model('external.onnx'),
      calibrationDataReader: datasetReader(photos),
      holdOut: heldOf(photos.length),
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
    const app = await host.open();
    await app.addModel(digits.model);
    await app.openStep('data');
    await app.page
      .locator('#data input[type=file]')
      .nth(1)
      .setInputFiles(path.join(folder, 'images'));
    await app.page.locator('#data .step-line', { hasText: '12 pictures' }).waitFor();
    await app.quantize();
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      ...pageDefaults,
      runtime: 'web',
      modelInput: digits.model,
      calibrationDataReader: datasetReader(path.join(folder, 'images')),
      holdOut: heldOf(12),
    });
    assert.deepEqual(bytes, Buffer.from(expected.model as Uint8Array));
    await app.close();
  });

  it('uses only as many samples as it is told, the first by name', async () => {
    const app = await host.open();
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images).slice(0, 20).reverse());
    await app.openStep('data');
    await app.page.getByLabel('Use at most').fill('5');
    await app.quantize();
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      ...pageDefaults,
      runtime: 'web',
      modelInput: digits.model,
      calibrationDataReader: datasetReader(filesOf(digits.images).slice(0, 5)),
      holdOut: heldOf(5),
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
    const app = await host.open();
    await app.addModel(model('two_inputs.onnx'));
    await app.addSamples([file]);
    await app.page.locator('#preprocess', { hasText: 'Used as they are' }).waitFor();
    await app.holdOut(0);
    assert.match(await app.quantize(), /Nodes quantized/);
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      ...pageDefaults,
      runtime: 'web',
      modelInput: model('two_inputs.onnx'),
      calibrationDataReader: datasetReader([file]),
    });
    assert.deepEqual(bytes, Buffer.from(expected.model as Uint8Array));
    await app.close();
  });

  it('takes a zip of images', async () => {
    const images = filesOf(digits.images).slice(0, 8);
    const zip = path.join(folder, 'digits.zip');
    const contents = images.map((file) => [`calib/${path.basename(file)}`, fs.readFileSync(file)]);
    fs.writeFileSync(zip, zipSync(Object.fromEntries(contents)));
    const app = await host.open();
    await app.addModel(digits.model);
    await app.drop([zip]);
    await app.page.locator('#data .step-line', { hasText: '1 .zip file' }).waitFor();
    await app.holdOut(0);
    await app.quantize();
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      ...pageDefaults,
      runtime: 'web',
      modelInput: digits.model,
      calibrationDataReader: datasetReader(images),
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
    const app = await host.open();
    await app.addModel(model('two_inputs.onnx'));
    await app.dropFolder(root);
    await app.page.locator('#data .step-line', { hasText: '4 .npy files' }).waitFor();
    await app.holdOut(0);
    assert.match(await app.quantize(), /Nodes quantized/);
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      ...pageDefaults,
      runtime: 'web',
      modelInput: model('two_inputs.onnx'),
      calibrationDataReader: datasetReader(root),
    });
    assert.deepEqual(bytes, Buffer.from(expected.model as Uint8Array));
    await app.close();
  });

  it('says that pictures do not fit a model with two inputs, before anything is run', async () => {
    const app = await host.open();
    await app.drop([model('two_inputs.onnx'), ...photos]);
    await app.page.locator('#data .step-line', { hasText: 'do not fit' }).waitFor();
    assert.ok(await app.next.isDisabled());
    await app.openStep('data');
    assert.match(await app.text('#data .notice'), /one array per input/);
    await app.close();
  });

  it('adds to what is there, and leaves out what is clicked', async () => {
    const app = await host.open();
    const images = filesOf(digits.images);
    await app.addModel(digits.model);
    await app.addSamples(images.slice(0, 5));
    await app.addSamples(images.slice(5, 12));
    await app.page.locator('#data .step-line', { hasText: '12 pictures' }).waitFor();
    await app.openStep('data');
    await app.page.locator('#data .thumbnails button').first().click();
    await app.page.locator('#data .thumbnails button[data-state="out"]').waitFor();
    await app.quantize();
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      ...pageDefaults,
      runtime: 'web',
      modelInput: digits.model,
      calibrationDataReader: datasetReader(images.slice(1, 12)),
      holdOut: heldOf(11),
    });
    assert.deepEqual(bytes, Buffer.from(expected.model as Uint8Array));
    await app.close();
  });

  it('says what files are that are no ONNX, and how to get ONNX from them', async () => {
    const app = await host.open();
    const other = (name: string) => {
      const file = path.join(folder, name);
      fs.writeFileSync(file, 'of another framework');
      return file;
    };
    await app.drop([other('net.tflite'), other('net.pth'), other('net.xyz')]);
    const notice = app.page.locator('#model .notice');
    await notice.waitFor();
    const text = await app.text('#model .notice');
    for (const part of [/net\.tflite.*tf2onnx/s, /net\.pth.*torch\.onnx\.export/s, /net\.xyz/]) {
      assert.match(text, part);
    }
    await notice.getByRole('button', { name: 'Close' }).click();
    await notice.waitFor({ state: 'detached' });
    await app.close();
  });

  it('takes pasted pictures, each as one of its own', async () => {
    const app = await host.open();
    await app.addModel(digits.model);
    const base64 = fs.readFileSync(filesOf(digits.images)[0]!).toString('base64');
    for (let i = 0; i < 2; i++) {
      await app.page.evaluate((text) => {
        const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], 'image.png', { type: 'image/png' }));
        document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
      }, base64);
    }
    await app.page.locator('#data .step-line', { hasText: '2 pictures' }).waitFor();
    await app.close();
  });

  it('takes its own configuration and ranges back', async () => {
    const app = await host.open();
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images).slice(0, 12));
    await app.openDetails('Format and types');
    await app.page.getByLabel('Activations', { exact: true }).selectOption('QInt8');
    await app.quantize();
    const first = await app.download();
    const saved: string[] = [];
    for (const button of ['Configuration (JSON)', 'Calibrated ranges (JSON)']) {
      const { name, bytes } = await app.download(button);
      saved.push(path.join(folder, name));
      fs.writeFileSync(saved.at(-1)!, bytes);
    }
    await app.close();

    const again = await host.open();
    await again.addModel(digits.model);
    await again.drop(saved);
    await again.page.locator('#target .step-line', { hasText: 'QInt8/QInt8' }).waitFor();
    await again.page
      .locator('#data .step-line', { hasText: 'nothing has to be calibrated' })
      .waitFor();
    await again.quantize();
    assert.deepEqual((await again.download()).bytes, first.bytes);
    await again.close();
  });

  it('says before the run what custom operators of a model mean for it', async () => {
    const app = await host.open();
    const custom = path.join(folder, 'custom.onnx');
    writeModel(custom, {
      nodes: [
        { opType: 'Wavelet', name: 'own', inputs: ['x'], outputs: ['h'], domain: 'com.example' },
        { opType: 'MatMul', name: 'multiply', inputs: ['x', 'w'], outputs: ['m'] },
        { opType: 'Add', name: 'add', inputs: ['h', 'm'], outputs: ['y'] },
      ],
      weights: [{ name: 'w', dims: [4, 4], pattern: Float32Array.of(1, 2, 3, 4) }],
      inputs: [{ name: 'x', dims: [1, 4] }],
      outputs: [{ name: 'y', dims: [1, 4] }],
    });
    await app.addModel(custom);
    await app.page.locator('#model .notice', { hasText: 'Custom operators stay float' }).waitFor();
    await app.page.locator('.bar', { hasText: 'onnxruntime cannot run this model' }).waitFor();
    await app.close();
  });

  it('says so when a model is quantized already', async () => {
    const app = await host.open();
    await app.addModel(model('already_quantized.onnx'));
    await app.page.getByText('This model is partly quantized already').waitFor();
    await app.close();
  });
});
