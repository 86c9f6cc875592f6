// axe-core finds nothing to complain of, in every state, language, theme and size.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { App, digits, filesOf } from './support/app.js';
import { launch, skipBrowser } from './support/browser.js';
import { type StaticServer, serve } from './support/server.js';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const phone = { width: 360, height: 740 };
const looks: [string, BrowserContextOptions][] = [
  ['English, light, desktop', { locale: 'en-US', colorScheme: 'light' }],
  ['English, dark, phone', { locale: 'en-US', colorScheme: 'dark', viewport: phone }],
  ['Chinese, light, phone', { locale: 'zh-CN', colorScheme: 'light', viewport: phone }],
  ['Chinese, dark, desktop', { locale: 'zh-CN', colorScheme: 'dark' }],
];

describe('the page for everybody', { skip: skipBrowser }, () => {
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

  for (const [name, options] of looks) {
    it(`has no violation in any state: ${name}`, async () => {
      const app = await App.open(browser, server, options);
      const { page } = app;
      await page.evaluate(axe);
      await clean(page, 'empty');
      await app.drop(['tests/fixtures/near_matches.json']);
      await page.locator('#model .notice.warning').waitFor();
      await clean(page, 'a file that is no model');
      await app.addModel(digits.model);
      await clean(page, 'model');
      await app.addSamples(filesOf(digits.images).slice(0, 12));
      await page.locator('#preprocess .tile canvas').first().waitFor();
      await clean(page, 'what the model sees');
      for (const step of ['data', 'target'] as const) await app.openStep(step);
      for (const summary of await page.locator('.step summary').all()) await summary.click();
      await clean(page, 'all open');
      await app.next.click();
      await page.locator('#run .running').waitFor();
      await clean(page, 'running');
      await page.locator('#report .result').waitFor();
      await page.locator('.layer-table').waitFor();
      await page.locator('.layer-name').first().click();
      for (const summary of await page.locator('#report summary').all()) await summary.click();
      for (const step of ['compare', 'download'] as const) await app.openStep(step);
      await page.locator('#compare .top-classes').first().waitFor();
      await page.locator('#report .graph-box').first().click();
      await page.locator('.drawer .methods').last().waitFor(); // of the calibration methods
      await page.locator('.lock button').click();
      await clean(page, 'done, all open');
      await page.keyboard.press('Escape');
      await app.drop(filesOf('examples/sharpen/images').slice(0, 4));
      await app.drop(['examples/sharpen/model/sharpen-x3.onnx']);
      await page.locator('#model .step-line', { hasText: 'sharpen' }).waitFor();
      await app.openStep('data');
      await clean(page, 'another model, the result stays');
      await app.close();
    });
  }
});

async function clean(page: Page, state: string): Promise<void> {
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<AxeResults> } };
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  });
  assert.deepEqual(found, [], state);
}
