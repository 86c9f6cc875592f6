// The whole flow in Firefox: the same verdict, the same bytes, and no request after loading.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { datasetReader, quantizeStatic } from 'onnx-ptq';
import { digits, filesOf, heldOf, pageDefaults } from './support/app.js';
import { Firefox, skipFirefox } from './support/firefox.js';
import { type StaticServer, serve } from './support/server.js';

describe('the page in Firefox', { skip: skipFirefox }, () => {
  let firefox: Firefox;
  let server: StaticServer;

  before(async () => {
    firefox = await Firefox.launch();
    server = await serve('web/dist');
  });
  after(async () => {
    await firefox?.close();
    await server?.close();
  });

  it('quantizes to the bytes of Node, and asks its server for nothing', async () => {
    const images = filesOf(digits.images).slice(0, 20);
    await firefox.open(`${server.origin}/`);
    await firefox.until("return document.querySelector('.lock[data-status=ready]') !== null");
    const loaded = server.requests.length;
    await firefox.choose('#model input[type=file]', [digits.model]);
    await firefox.until("return document.querySelector('#data input[type=file]') !== null");
    await firefox.choose('#data input[type=file]', images);
    await firefox.until(
      "const next = document.getElementById('next');" +
        "return next?.textContent === 'Quantize' && !next.disabled",
    );
    await firefox.run("document.getElementById('next').click()");
    const text = await firefox.until<string>(
      "return document.querySelector('#report .result')?.textContent",
    );
    assert.match(text, /Good/);
    await firefox.run("document.querySelector('#download .step-head').click()");
    const digest = await firefox.until<string>(
      "return document.querySelector('#download .copy code')?.textContent",
    );
    const expected = await quantizeStatic({
      ...pageDefaults,
      runtime: 'web',
      modelInput: digits.model,
      calibrationDataReader: datasetReader(images),
      holdOut: heldOf(images.length),
    });
    const bytes = expected.model as Uint8Array;
    assert.equal(digest, createHash('sha256').update(bytes).digest('hex'));
    assert.deepEqual(server.requests.slice(loaded), []);
  });
});
