// docs/images/page.png and page.zh-CN.png: the page with the result of its example, as the READMEs
// show it. Needs `npm run build`; then: node tools/screenshot.mjs
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { preview } from 'vite';
import { root } from './lib/paths.mjs';
import { chromium as findChromium } from './lib/system.mjs';

const { path: executablePath, missing } = await findChromium();
if (missing) throw new Error(missing);
const server = await preview({
  configFile: path.join(root, 'web/vite.config.ts'),
  preview: { host: '127.0.0.1', port: 4173, strictPort: false },
  logLevel: 'silent',
});
const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
try {
  fs.mkdirSync(path.join(root, 'docs/images'), { recursive: true });
  for (const [locale, name] of [
    ['en-US', 'page.png'],
    ['zh-CN', 'page.zh-CN.png'],
  ]) {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, locale });
    context.setDefaultTimeout(300_000);
    const page = await context.newPage();
    await page.goto(server.resolvedUrls.local[0]);
    await page.locator('.lock[data-status=ready]').waitFor();
    await page.locator('#model .examples button').first().click();
    await page.locator('#next:enabled').waitFor();
    await page.locator('#preprocess .evidence').waitFor();
    await page.locator('#next').click();
    await page.locator('.layer-table').waitFor();
    await page.mouse.move(0, 0);
    await page.evaluate(() => {
      document.activeElement.blur();
      document.getElementById('report').scrollIntoView();
    });
    const file = path.join(root, 'docs/images', name);
    await page.screenshot({ path: file });
    console.log(`${path.relative(root, file)}  ${Math.round(fs.statSync(file).size / 1000)} kB`);
    await context.close();
  }
} finally {
  await browser.close();
  await server.close();
}
