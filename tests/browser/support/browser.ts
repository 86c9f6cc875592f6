// Chromium for the tests: found as tools/ finds it, skipped by name where it is missing, required
// with CI set.
import fs from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const known = [
  process.env.CHROME_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const executablePath = known.find((file) => file !== undefined && fs.existsSync(file));
/**
 * The longest wait for a state of the page, in ms: a busy machine is slow, and a wait ends with the
 * state.
 */
export const patience = Number(process.env.PTQ_BROWSER_PATIENCE ?? 300_000);

const strict = Boolean(process.env.CI) && process.env.CI !== 'false';

/** For the option `skip` of a suite: false, or why and what to type. */
export const skipBrowser: string | false =
  executablePath || strict
    ? false
    : 'Chromium is missing: sudo apt-get install chromium, or set $CHROME_PATH';

/**
 * Chromium's own interface has renderers for the lists below its address bar, which are a fifth of
 * what it costs to open a page. This takes the place of Playwright's list of features: what would
 * ask a server is in both.
 */
const unusedFeatures = [
  'WebUIOmniboxPopup',
  'WebUIOmniboxFullPopup',
  'WebUIOmniboxAimPopup',
  'HttpsUpgrades',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PreconnectToSearch',
  'AimEnabled',
];

/**
 * Pages of tests are gone before what V8 optimizes of onnxruntime pays, or what it looks at ahead:
 * a fifth of a suite's CPU time. Results do not depend on it.
 */
const forShortPages = ['--wasm-tiering-budget=2000000000', '--wasm-lazy-validation'];

export function launch(...more: string[]): Promise<Browser> {
  if (!executablePath) throw new Error('Chromium is missing, and CI is set: install it');
  return chromium.launch({
    executablePath,
    timeout: patience,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--disable-features=${unusedFeatures.join(',')}`,
      `--js-flags=${forShortPages.join(',')}`,
      ...more,
    ],
  });
}

/** Waits until `is` gives true; `what` it waits for is in the error. */
export async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patience;
  while (!(await is())) {
    if (performance.now() > end)
      throw new Error(`Still not so after ${patience / 1000} s: ${what}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}
