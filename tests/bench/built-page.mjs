// A browser and a server of the page as it is built, for as long as a benchmark takes.
import { chromium } from 'playwright-core';
import { chromium as findChromium } from '../../tools/lib/system.mjs';
import { serve } from '../../tools/serve.mjs';

/** `work` is given both; it is not called where there is no browser. */
export async function withBuiltPage(work) {
  const { path: executablePath, missing } = await findChromium();
  if (missing) return console.log(`bench: skipped, ${missing}`);
  const server = await serve('web/dist', 0);
  const browser = await chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu'],
  });
  try {
    await work({ browser, server });
  } finally {
    await browser.close();
    server.close();
  }
}
