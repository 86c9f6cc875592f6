// axe-core finds nothing to complain of, in every state, language, theme and size.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { App, digits, filesOf } from './support/app.js';
import { skipBrowser } from './support/browser.js';
import { hosted } from './support/hosted.js';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type Look = [language: 'en' | 'zh-CN', scheme: 'light' | 'dark', width: number];
/** A state is looked at in all of them on one page: most is taken by loading and by runs. */
const looks: Look[] = [
  ['en', 'light', 1280],
  ['en', 'dark', 360],
  ['zh-CN', 'light', 360],
  ['zh-CN', 'dark', 1280],
];

describe('the page for everybody', { skip: skipBrowser }, () => {
  const host = hosted();

  it('has no violation in any state, in any look', async () => {
    const app = await App.open(host.browser, host.server);
    const { page } = app;
    await page.evaluate(axe);
    await clean(page, 'empty');
    await app.drop(['tests/fixtures/near_matches.json']);
    await page.locator('#model .notice.warning').waitFor();
    await clean(page, 'a file that is no model');
    await app.addModel(digits.model);
    await clean(page, 'model');
    await app.addSamples(filesOf(digits.images)); // all, to see it running in every look
    await page.locator('#preprocess .tile canvas').first().waitFor();
    await clean(page, 'what the model sees');
    for (const step of ['data', 'target'] as const) await app.openStep(step);
    for (const summary of await page.locator('.step summary').all()) await summary.click();
    await clean(page, 'all open');
    await app.next.click();
    await page.locator('#run .running').waitFor();
    await clean(page, 'running');
    assert.ok(await page.locator('#run .running').isVisible(), 'it ran in every look');
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
    for (const open of ['.drawer', '#facts'])
      assert.ok(await page.locator(open).isVisible(), `${open} was open in every look`);
    await page.keyboard.press('Escape');
    await app.drop(filesOf('examples/sharpen/images').slice(0, 4));
    await app.drop(['examples/sharpen/model/sharpen-x3.onnx']);
    await page.locator('#model .step-line', { hasText: 'sharpen' }).waitFor();
    await app.openStep('data');
    await clean(page, 'another model, the result stays');
    await app.close();
  });
});

async function clean(page: Page, state: string): Promise<void> {
  for (const [language, colorScheme, width] of looks) {
    await look(page, [language, colorScheme, width]);
    const found = await page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run(): Promise<AxeResults> } };
      const { violations } = await axe.run();
      return violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`,
      );
    });
    assert.deepEqual(found, [], `${state}, ${language}, ${colorScheme}, ${width}`);
  }
  await look(page, looks[0]!);
}

async function look(page: Page, [language, colorScheme, width]: Look): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height: 740 });
  // No click by the mouse, which an open drawer would be in the way of.
  await page.locator(`.languages button[lang="${language}"]`).dispatchEvent('click');
  await page.locator(`html[lang="${language}"]`).waitFor();
}
