// The page works after a reload with the network off, loads compressed files, and stays within its
// budgets of bytes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { App } from './support/app.js';
import { skipBrowser } from './support/browser.js';
import { hosted } from './support/hosted.js';
import { serve } from './support/server.js';

describe('the page without a network', { skip: skipBrowser }, () => {
  const host = hosted();
  let app: App;

  it('loads the large files compressed', async () => {
    app = await App.open(host.browser, host.server);
    const wasm = host.server.requests.filter((request) => request.includes('.wasm'));
    assert.ok(wasm.length >= 3);
    for (const request of wasm) assert.match(request, /\.wasm\.gz$/);
  });

  it('opens again offline and quantizes', async () => {
    const { page } = app;
    await page.locator('.lock button').click();
    await page.getByText('Kept for offline use').waitFor();
    await host.server.close();
    await page.reload();
    await page.locator('.lock[data-status="ready"]').waitFor();
    await app.useExample();
    assert.match(await app.quantize(), /Good/);
    app.errors.length = 0; // the browser looks for a newer service worker, in vain
    await app.close();
    host.server = await serve('web/dist');
  });

  it('reads a model with the first megabyte', async () => {
    const later = /(ort-wasm|worker-|results-|zh-CN|mozjpeg|example)[^/]*$/;
    const slow = await serve('web/dist', { slow: later });
    const context = await host.browser.newContext({ serviceWorkers: 'block' });
    try {
      const page = await context.newPage();
      await page.goto(`${slow.origin}/`);
      await page
        .locator('#model input[type=file]')
        .first()
        .setInputFiles('examples/digits/model/digits-mobilenetv2.onnx');
      await page.locator('#model .summary').waitFor();
      assert.equal(await page.locator('.lock').getAttribute('data-status'), 'loading');
      const paths = slow.requests.map((request) =>
        request.replace(/^GET \/$/, 'GET /index.html').slice(5),
      );
      const came = paths.filter((name) => !later.test(name));
      const bytes = came.reduce(
        (sum, name) => sum + fs.statSync(path.join('web/dist', name)).size,
        0,
      );
      assert.ok(bytes < 1e6, `${bytes} bytes: ${came.join(', ')}`);
      assert.ok(paths.length > came.length, 'the rest is on its way');
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
      const some = pattern
        .replaceAll('.', '\\.')
        .replaceAll('*', '[^/]*')
        .split(' + ')
        .map((one) => new RegExp(`^${one}$`));
      const names = files.map((file) => file.split(path.sep).join('/'));
      for (const one of some)
        assert.ok(
          names.some((name) => one.test(name)),
          `${one}`,
        );
      const matching = files.filter((_, i) => some.some((one) => one.test(names[i]!)));
      const bytes = matching.reduce(
        (sum, file) => sum + fs.statSync(path.join('web/dist', file)).size,
        0,
      );
      assert.ok(bytes <= most, `${bytes} bytes`);
    });
  }
});
