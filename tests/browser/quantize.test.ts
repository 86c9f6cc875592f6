// The main job in a real browser: the same bytes as in Node, without the network, and cancellable.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { datasetReader, quantizeStatic } from 'onnx-ptq';
import { npy } from '../js/support/npy.js';
import { writeModel } from '../js/support/onnx-writer.js';
import { App, digits, filesOf, heldOf } from './support/app.js';
import { skipBrowser, until } from './support/browser.js';
import { hosted } from './support/hosted.js';
import { inNode } from './support/in-node.js';
import { isolating, serve } from './support/server.js';

const host = hosted();

describe('quantizing on the page, run after run', { skip: skipBrowser }, () => {
  let app: App;
  let plain: Buffer;
  const images = filesOf(digits.images);

  before(async () => {
    plain = await inNode(digits.model, images);
  });
  after(() => app?.close());

  it('makes no network request after loading, and the model has the bytes that Node gives', async () => {
    app = await host.open();
    const requested: string[] = [];
    app.page.context().on('request', (request) => requested.push(request.url()));
    const loaded = host.server.requests.length;
    assert.ok(loaded > 5, 'the page came from this server');

    await app.drop([digits.model, ...images]);
    await app.ready();
    const text = await app.quantize();
    assert.match(text, /Good/);
    assert.match(text, /2\.\d× smaller/);
    assert.match(text, /25 of 25 agree/);
    assert.match(text, /Measured on 25 held-out samples/);
    const { name, bytes } = await app.download();
    const report = await app.download('Report (JSON)');

    assert.deepEqual(host.server.requests.slice(loaded), []);
    assert.deepEqual(
      requested.filter((url) => !/^(blob|data):/.test(url)),
      [],
    );
    assert.equal(name, 'digits-mobilenetv2.quant.onnx');
    assert.deepEqual(bytes, plain);
    const { quality, bytesAfter, calibration } = JSON.parse(report.bytes.toString());
    assert.equal(bytesAfter, bytes.length);
    assert.equal(calibration.samples, 75);
    assert.ok(quality.sqnr > 25, `SQNR ${quality.sqnr}`);
  });

  it('does not calibrate again for a setting that has nothing to do with it', async () => {
    const { page } = app;
    await app.openDetails('Format and types');
    await page.getByLabel('Per channel', { exact: true }).uncheck();
    await page.evaluate(() => {
      const seen: string[] = [];
      Object.assign(window, { seen });
      new MutationObserver(() => {
        const now = document.querySelector('.running .numbers')?.textContent ?? '';
        if (/ of 75/.test(now)) seen.push(now);
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    await app.quantize();
    const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
    assert.deepEqual(seen, []);
    const { bytes } = await app.download();
    assert.deepEqual(bytes, await inNode(digits.model, images, { perChannel: false }));
  });

  it('stops at once when cancelled, keeps earlier results, and works again', async () => {
    const { page } = app;
    await app.openDetails('Format and types');
    await page.getByLabel('Per channel', { exact: true }).check();
    await page.getByLabel('Calibration method').selectOption('Entropy');
    await app.next.click();
    await page.locator('.stages [data-state="now"]', { hasText: 'Calibrate' }).waitFor();
    // Measured in the page: pressing by this test takes its own time.
    const stopped = await page.evaluateHandle(() => {
      let pressed = Number.NaN;
      const press = () => {
        pressed = performance.now();
      };
      addEventListener('click', press, { capture: true, once: true });
      const promise = new Promise<number>((resolve) => {
        new MutationObserver(() => {
          const notice = document.querySelector('#run .notice')?.textContent ?? '';
          if (notice.includes('Cancelled.')) resolve(performance.now() - pressed);
        }).observe(document.body, { childList: true, subtree: true });
      });
      return { promise };
    });
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('#run .notice', { hasText: 'Cancelled.' }).waitFor();
    const took = await stopped.evaluate(({ promise }) => promise);
    assert.ok(took < 10_000, `${took} ms`);
    // The result of before is still there.
    const { name } = await app.download();
    assert.equal(name, 'digits-mobilenetv2.quant.onnx');
    await app.next.click(); // Resume
    await app.ended(3);
    assert.equal(await page.locator('#run .notice.error').count(), 0, await app.text('#run'));
    const { bytes } = await app.download();
    assert.deepEqual(bytes, await inNode(digits.model, images, { calibrateMethod: 'Entropy' }));
  });

  for (const method of ['Percentile', 'MSE'] as const) {
    it(`gives the bytes of Node with calibrate_method ${method}, after a run with another`, async () => {
      await app.openStep('target');
      await app.page.getByLabel('Calibration method').selectOption(method);
      await app.quantize();
      const { bytes } = await app.download();
      assert.deepEqual(bytes, await inNode(digits.model, images, { calibrateMethod: method }));
    });
  }

  it('uses several threads where the host isolates the page, and gives the same bytes', async () => {
    const isolated = await serve('web/dist', { headers: isolating });
    try {
      const other = await App.open(host.browser, isolated);
      await other.page.locator('.lock button').click();
      assert.match(await other.text('#facts'), /may use \d+ threads/);
      await other.addModel(digits.model);
      await other.addSamples(images);
      await other.quantize();
      const { bytes } = await other.download();
      assert.deepEqual(bytes, plain);
      await other.close();
    } finally {
      await isolated.close();
    }
  });
});

describe('quantizing on the page', { skip: skipBrowser }, () => {
  it('cannot reach the network after loading, neither the page nor its workers', async () => {
    const app = await host.open();
    const loaded = host.server.requests.length;
    const outcome = await app.page.evaluate(async () => {
      const attempt = (url: string) =>
        fetch(url).then(
          () => 'reached',
          () => 'refused',
        );
      const script = `onmessage = ({ data }) => (${attempt})(data).then(postMessage);`;
      const worker = new Worker(URL.createObjectURL(new Blob([script])));
      const inWorker = new Promise((resolve) => {
        worker.onmessage = (event) => resolve(event.data);
      });
      worker.postMessage(location.href);
      const image = new Image();
      const byImage = new Promise((resolve) => {
        image.onload = () => resolve('reached');
        image.onerror = () => resolve('refused');
      });
      image.src = new URL('secret.svg', location.href).href;
      const byWebRtc = typeof RTCPeerConnection === 'undefined' ? 'refused' : 'there';
      return [await attempt(location.href), await inWorker, await byImage, byWebRtc];
    });
    assert.deepEqual(outcome, ['refused', 'refused', 'refused', 'refused']);
    assert.deepEqual(host.server.requests.slice(loaded), []);
    app.errors.length = 0; // the browser reports each refusal
    await app.close();
  });

  it('gives the bytes of Node for other settings and an excluded node too', async () => {
    const app = await host.open();
    const { page } = app;
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images).slice(0, 20));
    await app.likePython();
    await app.chooseFormat('QDQ');
    await page.getByLabel('Activations', { exact: true }).selectOption('QInt8');
    await page.getByLabel('Weights', { exact: true }).selectOption('QInt8');
    await page.getByLabel('Per channel', { exact: true }).check();
    await app.openStep('preprocess');
    await page.getByText('Other presets and your own values').click();
    await page.getByLabel('Preset').selectOption('zero-to-one');
    await app.openDetails('Nodes and operator types');
    const excluded = 'stem/conv';
    await page.getByLabel('Nodes that stay float').fill(`${excluded}\n`);
    const text = await app.quantize();
    assert.match(text, /Nodes left in float \(\d+\)/);
    const { bytes } = await app.download();
    const expected = await quantizeStatic({
      runtime: 'web',
      modelInput: digits.model,
      calibrationDataReader: datasetReader(filesOf(digits.images).slice(0, 20), {
        preprocess: 'zero-to-one',
      }),
      quantFormat: 'QDQ',
      activationType: 'QInt8',
      weightType: 'QInt8',
      perChannel: true,
      nodesToExclude: [excluded],
      holdOut: heldOf(20),
    });
    assert.deepEqual(bytes, Buffer.from(expected.model as Uint8Array));
    assert.ok(expected.report.nodesLeftFloat.some(({ name }) => name === excluded));
    await app.close();
  });

  it('streams a large result to the place that is chosen', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-ptq-large-'));
    try {
      const side = 5100; // 104 MB, which stay float: quantizing them is not what this is about
      const row = Float32Array.from({ length: side }, (_, i) => Math.sin(i));
      const large = path.join(folder, 'large.onnx');
      writeModel(large, {
        nodes: [
          { opType: 'MatMul', name: 'small', inputs: ['x', 's'], outputs: ['h'] },
          { opType: 'MatMul', name: 'large', inputs: ['h', 'w'], outputs: ['y'] },
        ],
        weights: [
          { name: 's', dims: [4, side], pattern: row },
          { name: 'w', dims: [side, side], pattern: row },
        ],
        inputs: [{ name: 'x', dims: [1, 4] }],
        outputs: [{ name: 'y', dims: [1, side] }],
      });
      const sample = path.join(folder, 'x.npy');
      fs.writeFileSync(sample, npy('<f4', [1, 4], Float32Array.of(1, 2, 3, 4)));
      const app = await host.open();
      const { page } = app;
      await app.addModel(large);
      await app.addSamples([sample]);
      await app.openDetails('Nodes and operator types');
      await page.getByLabel('Nodes that stay float').fill('large');
      await app.quantize();
      // The dialog is the browser's own, which nothing can press: what it gives is written to.
      await page.evaluate(() => {
        const written = { name: '', bytes: 0, chunks: 0 };
        Object.assign(window, {
          written,
          async showSaveFilePicker({ suggestedName }: { suggestedName: string }) {
            written.name = suggestedName;
            const write = (chunk: Uint8Array) => {
              written.bytes += chunk.byteLength;
              written.chunks++;
            };
            return { createWritable: async () => new WritableStream({ write }) };
          },
        });
      });
      await app.next.click();
      const written = () =>
        page.evaluate(
          () =>
            (window as unknown as { written: { name: string; bytes: number; chunks: number } })
              .written,
        );
      await until('all of it is written', async () => (await written()).bytes > 4 * side * side);
      const { name, chunks } = await written();
      assert.equal(name, 'large.quant.onnx');
      assert.ok(chunks > 1);
      await app.close();
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('has a verdict before repairs are looked for, and keeps what there is on demand', async () => {
    const app = await host.open();
    const { page } = app;
    const files = filesOf(digits.images);
    await app.addModel(digits.model);
    await app.addSamples(files);
    await app.openDetails('Format and types');
    await page.getByLabel('Weights', { exact: true }).selectOption('QInt4');
    await app.ready();
    // In the page: a search that is short would be over before this test had pressed.
    const verdict = await page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const next = document.getElementById('next')!;
          new MutationObserver((_, observer) => {
            if (next.textContent !== 'Keep this result') return;
            observer.disconnect();
            resolve(document.querySelector('.bar .verdict')?.textContent ?? '');
            next.click();
          }).observe(document.body, { childList: true, subtree: true, characterData: true });
          next.click();
        }),
    );
    assert.match(verdict, /Good|Usable|Unusable/);
    await app.ended(1);
    await page.locator('#next', { hasText: /Download model|Try/ }).waitFor();
    await app.openStep('target');
    const effort = page.locator('#target select', { hasText: 'None: what the reference gives' });
    assert.equal(await effort.inputValue(), 'none');
    const { bytes } = await app.download();
    const plain = { weightType: 'QInt4', effort: 'none' } as const;
    assert.deepEqual(bytes, await inNode(digits.model, files, plain));
    await app.close();
  });
});
