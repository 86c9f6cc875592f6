// What a changed setting costs in the page, with MobileNetV2 calibrated with a dozen pictures: from
// the change to the new outlook, and from the click to the new result, by the clock, on a page that
// does nothing else. Medians of several changes; the session's calls are timed at its worker.
// Goals: 50 ms for an outlook; 1 s for a result, which its verification on samples is no part of.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { withBuiltPage } from './built-page.mjs';

const pictures = 12;
const patience = 240_000;

/** In the page: when calls of the session begin, say a stage first, and are answered. */
function watchCalls() {
  const calls = [];
  const { Worker: Plain } = globalThis;
  globalThis.calls = calls;
  globalThis.Worker = class extends Plain {
    constructor(...words) {
      super(...words);
      const own = new Map();
      this.addEventListener('message', ({ data }) => {
        const call = data?.kind === 'session' && own.get(data.id);
        if (!call) return;
        if (data.event === 'progress') call.stages[data.progress.stage] ??= performance.now();
        else if (data.event !== 'histograms' && data.event !== 'diagnostic') {
          call.end = performance.now();
        }
      });
      const { postMessage } = this;
      this.postMessage = (message, ...more) => {
        if (message?.kind === 'call') {
          const call = { method: message.method, begin: performance.now(), stages: {}, end: null };
          own.set(message.id, call);
          calls.push(call);
        }
        postMessage.call(this, message, ...more);
      };
    }
  };
}

/** Until no call of the session has been waited for during a second. */
async function quiet(page) {
  let since = Date.now();
  while (Date.now() - since < 1000) {
    await page.waitForTimeout(50);
    if (await page.evaluate(() => globalThis.calls.some(({ end }) => end === null))) {
      since = Date.now();
    }
  }
}

/** In the page: switches a field; ms to the frame after the plan that follows, and of the plan. */
async function toOutlook(field) {
  const { length } = globalThis.calls;
  const start = performance.now();
  field.click();
  for (;;) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const plan = globalThis.calls.slice(length).findLast(({ method }) => method === 'plan');
    if (plan?.end) return { all: performance.now() - start, plan: plan.end - plan.begin };
  }
}

/** In the page: presses the button; ms to the frame that shows the result, and its parts. */
async function toResult(run) {
  const { length } = globalThis.calls;
  const start = performance.now();
  document.getElementById('next').click();
  while (!document.querySelector(`#report .result[data-run="${run}"]`)) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  const all = performance.now() - start;
  const { begin, stages, end } = globalThis.calls
    .slice(length)
    .find(({ method }) => method === 'quantize');
  const verify = end - stages.verify;
  return { all, before: all - verify, core: stages.verify - begin, verify };
}

async function openTypes(target) {
  const head = target.locator('button.step-head');
  if ((await head.getAttribute('aria-expanded')) === 'false') await head.click();
  const details = target.locator('details', { hasText: 'Format and types' }).first();
  if ((await details.getAttribute('open')) === null) await details.locator('summary').click();
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

export async function benchPageSettings({ data, rounds }) {
  await withBuiltPage(async ({ browser, server }) => {
    const context = await browser.newContext({ locale: 'en-US' });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    await page.addInitScript(watchCalls);
    await page.goto(server.url, { waitUntil: 'commit' });
    await page.locator('.lock[data-status="ready"]').waitFor();
    const target = page.locator('#target');
    const input = (step) => page.locator(`${step} input[type=file]`).first();
    await input('#model').setInputFiles(join(data, 'models/mobilenetv2-7.onnx'));
    await page.locator('#model .summary').waitFor();
    const folder = join(data, 'images/imagenet/calib');
    const names = readdirSync(folder).sort().slice(0, pictures);
    await input('#data').setInputFiles(names.map((name) => join(folder, name)));
    // Repairs are looked for after the result is there; they would be in the way of the next one.
    await openTypes(target);
    await target.getByLabel('Effort', { exact: true }).selectOption('none');
    const next = page.locator('#next:enabled', { hasText: 'Quantize' });
    await next.waitFor();
    await next.click();
    await page.locator('#report .result[data-run="1"][data-whole="true"]').waitFor();
    await page.locator('.layer-table').waitFor();

    const outlooks = [];
    const results = [];
    for (let i = 0; i < 4 * rounds; i++) {
      await openTypes(target); // a run closes it
      await quiet(page);
      const field = target.getByLabel(i % 2 ? 'Per channel' : 'Reduce range', { exact: true });
      outlooks.push(await field.evaluate(toOutlook));
      await quiet(page);
      results.push(await page.evaluate(toResult, i + 2));
    }
    const row = (what, ms) => console.log(`| ${what} | ${median(ms).toFixed(0)} |`);
    const of = (all, key) => all.map((one) => one[key]);
    console.log(`| ${outlooks.length} changed settings | ms |\n| --- | ---: |`);
    row('from the change to the new outlook', of(outlooks, 'all'));
    row('… plan(), from its call to its answer', of(outlooks, 'plan'));
    row('from the click to the new result, unverified', of(results, 'before'));
    row('… in quantize(), until the result is written', of(results, 'core'));
    row('verified on a few samples, in addition', of(results, 'verify'));
  });
}
