// The page works after a reload with the network off, loads compressed files, and stays within its
// budgets of bytes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { App } from './support/app.js';
import { launch, skipBrowser } from './support/browser.js';
import { type StaticServer, serve } from './support/server.js';

describe('the page without a network', { skip: skipBrowser }, () => {
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

  it('opens again offline and quantizes', async () => {
    const app = await App.open(browser, server);
    const { page } = app;
    await page.locator('.lock button').click();
    await page.getByText('Kept for offline use').waitFor();
    await server.close();
    await page.reload();
    await page.locator('.lock[data-status="ready"]').waitFor();
    await app.useExample();
    assert.match(await app.quantize(), /Good/);
    app.errors.length = 0; // the browser looks for a newer service worker, in vain
    await app.close();
    server = await serve('web/dist');
  });

  it('loads the large files compressed', async () => {
    const app = await App.open(browser, server);
    const wasm = server.requests.filter((request) => request.includes('.wasm'));
    assert.ok(wasm.length >= 3);
    for (const request of wasm) assert.match(request, /\.wasm\.gz$/);
    await app.close();
  });

  it('is usable before onnxruntime has come', async () => {
    const slow = await serve('web/dist', { missing: /ort-wasm.*\.gz$/, slow: /ort-wasm.*\.wasm$/ });
    const context = await browser.newContext({ serviceWorkers: 'block' });
    try {
      const page = await context.newPage();
      await page.goto(`${slow.origin}/`);
      await page
        .locator('#model input[type=file]')
        .first()
        .setInputFiles('examples/digits/model/digits-mobilenetv2.onnx');
      await page.locator('#model .summary').waitFor();
      assert.equal(await page.locator('.lock').getAttribute('data-status'), 'loading');
    } finally {
      await context.close();
      await slow.close();
    }
  });
});

describe('the bytes of the page', () => {
  const { pageBudgets } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as {
    pageBudgets: Record<string, number>;
  };
  const files = fs.readdirSync('web/dist', { recursive: true, encoding: 'utf8' });
  for (const [pattern, most] of Object.entries(pageBudgets)) {
    it(`${pattern} has at most ${most} bytes`, () => {
      const ending = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
      const matching = files.filter((file) => ending.test(file.split(path.sep).join('/')));
      assert.notEqual(matching.length, 0, 'there are such files');
      const bytes = matching.reduce(
        (sum, file) => sum + fs.statSync(path.join('web/dist', file)).size,
        0,
      );
      assert.ok(bytes <= most, `${bytes} bytes`);
    });
  }
});
