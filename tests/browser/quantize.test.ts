// The main job in a real browser: the same bytes as in Node, without the network, and cancellable.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { datasetReader, type QuantizeStaticOptions, quantizeStatic } from 'onnx-ptq';
import type { Browser } from 'playwright-core';
import { App, digits, filesOf } from './support/app.js';
import { launch, skipBrowser, until } from './support/browser.js';
import { isolating, type StaticServer, serve } from './support/server.js';

const data = process.env.ONNX_PTQ_DATA ?? '../shared/data';
const mobilenet = `${data}/models/mobilenetv2-7.onnx`;

/** What Node makes of the same files. */
async function inNode(
  model: string,
  files: string[],
  options: Partial<QuantizeStaticOptions> = {},
) {
  const result = await quantizeStatic({
    runtime: 'web',
    modelInput: model,
    calibrationDataReader: datasetReader(files),
    ...options,
  });
  return Buffer.from(result.model as Uint8Array);
}

describe('quantizing on the page', { skip: skipBrowser }, () => {
  let browser: Browser;
  let server: StaticServer;

  before(async () => {
    browser = await launch();
    server = await serve('web/dist');
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  it('makes no network request after loading, and the model has the bytes that Node gives', async () => {
    const app = await App.open(browser, server);
    const requested: string[] = [];
    app.page.context().on('request', (request) => requested.push(request.url()));
    const loaded = server.requests.length;
    assert.ok(loaded > 5, 'the page came from this server');

    await app.drop([digits.model, ...filesOf(digits.images)]);
    const text = await app.quantize();
    assert.match(text, /3\.\d× smaller/);
    assert.match(text, /Same top class\s+8 \/ 8/);
    const { name, bytes } = await app.download();
    const report = await app.download('Report (JSON)');

    assert.deepEqual(server.requests.slice(loaded), []);
    assert.deepEqual(
      requested.filter((url) => !/^(blob|data):/.test(url)),
      [],
    );
    assert.equal(name, 'digits-mobilenetv2.quant.onnx');
    assert.deepEqual(bytes, await inNode(digits.model, filesOf(digits.images)));
    const { quality, bytesAfter, calibration } = JSON.parse(report.bytes.toString());
    assert.equal(bytesAfter, bytes.length);
    assert.equal(calibration.samples, 100);
    assert.ok(quality.sqnr > 25, `SQNR ${quality.sqnr}`);
    await app.close();
  });

  it('cannot reach the network after loading, neither the page nor its workers', async () => {
    const app = await App.open(browser, server);
    const loaded = server.requests.length;
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
      return [await attempt(location.href), await inWorker, await byImage];
    });
    assert.deepEqual(outcome, ['refused', 'refused', 'refused']);
    assert.deepEqual(server.requests.slice(loaded), []);
    app.errors.length = 0; // the browser reports each refusal
    await app.close();
  });

  it('gives the bytes of Node for QDQ, per channel, signed types and an excluded node too', async () => {
    const app = await App.open(browser, server);
    const { page } = app;
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images).slice(0, 20));
    await app.chooseFormat('QDQ');
    await page.getByLabel('Activations', { exact: true }).selectOption('QInt8');
    await page.getByLabel('Weights', { exact: true }).selectOption('QInt8');
    await page.getByLabel('Per channel', { exact: true }).check();
    await page.getByLabel('Preprocessing of images').selectOption('zero-to-one');
    await page.getByText('More: nodes and operator types').click();
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
    });
    assert.deepEqual(bytes, Buffer.from(expected.model as Uint8Array));
    assert.ok(expected.report.nodesLeftFloat.some(({ name }) => name === excluded));
    await app.close();
  });

  it('gives the bytes of Node for mobilenetv2-7 and JPEG images, and offers what mends a bad result', {
    skip: fs.existsSync(mobilenet) ? false : `${mobilenet} is not there: set $ONNX_PTQ_DATA`,
  }, async () => {
    const images = filesOf(`${data}/images/test_images`).filter((file) => /\.jpe?g$/i.test(file));
    const four = images.slice(0, 4);
    const app = await App.open(browser, server);
    await app.addModel(mobilenet);
    await app.addSamples(four);
    assert.match(await app.quantize(), /far from the float model/);
    const first = await app.download();
    await app.page.getByRole('button', { name: /^Try per channel/ }).click();
    await app.page.locator('#run .running').waitFor();
    await app.ended();
    const second = await app.download();
    assert.deepEqual(first.bytes, await inNode(mobilenet, four));
    assert.deepEqual(
      second.bytes,
      await inNode(mobilenet, four, { perChannel: true, weightType: 'QInt8' }),
    );
    await app.close();
  });

  it('uses several threads where the host isolates the page, and gives the same bytes', async () => {
    const isolated = await serve('web/dist', { headers: isolating });
    try {
      const app = await App.open(browser, isolated);
      assert.match(await app.text('.engine'), /runs on \d+ threads/);
      await app.addModel(digits.model);
      await app.addSamples(filesOf(digits.images));
      await app.quantize();
      const { bytes } = await app.download();
      assert.deepEqual(bytes, await inNode(digits.model, filesOf(digits.images)));
      await app.close();
    } finally {
      await isolated.close();
    }
  });

  it('stops at once when cancelled, and works again afterwards', async () => {
    const app = await App.open(browser, server);
    const { page } = app;
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images));
    await app.start.click();
    await page.locator('.stages [data-state="now"]', { hasText: 'Calibrate' }).waitFor();
    await until('one worker', () => page.workers().length === 1);
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
    await page.getByText(/^Cancelled\./).waitFor();
    const took = await stopped.evaluate(({ promise }) => promise);
    await assertNoWorkers(app);
    assert.equal(await page.getByRole('button', { name: 'Download model' }).count(), 0);
    const began = performance.now();
    assert.match(await app.quantize(), /Same top class\s+8 \/ 8/);
    // Where all is slow, at once is what takes much less than going on to the end.
    const whole = performance.now() - began;
    assert.ok(took < Math.max(2000, whole / 4), `${took} ms of ${whole} ms`);
    await assertNoWorkers(app);
    await app.close();
  });

  it('goes on from what was calibrated when it was cancelled, to the same bytes', async () => {
    const app = await App.open(browser, server);
    const { page } = app;
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images));
    await app.start.click();
    await page.locator('.running .numbers', { hasText: /[1-9]\d* of 100/ }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.locator('#run .result').waitFor();
    const { bytes } = await app.download();
    assert.deepEqual(bytes, await inNode(digits.model, filesOf(digits.images)));
    await app.close();
  });

  for (const method of ['Percentile', 'MSE'] as const) {
    it(`gives the bytes of Node with calibrate_method ${method}, in workers of its own`, async () => {
      const app = await App.open(browser, server);
      const { page } = app;
      await app.addModel(digits.model);
      // Enough samples for workers to be worth their start.
      const images = filesOf(digits.images);
      await app.addSamples(images);
      await page.getByText('Advanced: all other options').click();
      await page.getByLabel('calibrate_method').selectOption(method);
      await app.quantize();
      const { bytes } = await app.download();
      assert.deepEqual(bytes, await inNode(digits.model, images, { calibrateMethod: method }));
      await app.close();
    });
  }
});

/** The end of a worker reaches the test a little later than the page. */
async function assertNoWorkers(app: App): Promise<void> {
  await until('no workers', () => app.page.workers().length === 0);
}
