// The built page in Chromium, in wall time as its user has it: how soon the shell and a model can
// be used, how long the way to a verdict and from a changed setting to the next one takes, and the
// longest task of the main thread while a model of 206 MB becomes one of 51 MB.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeModel } from '../../build/tests/js/support/onnx-writer.js';
import { withBuiltPage } from './built-page.mjs';

const digits = 'examples/digits/model/digits-mobilenetv2.onnx';
const patience = 240_000;

/** In the page: when, by its own clock, elements came. */
function watchStates() {
  const states = {
    shell: '#model input[type=file]',
    model: '#model .summary',
    whole: '.lock[data-status="ready"]',
  };
  const seen = {};
  Object.assign(globalThis, { seen });
  const look = () => {
    for (const [name, selector] of Object.entries(states)) {
      if (name in seen || !document.querySelector(selector)) continue;
      seen[name] = Number.NaN;
      requestAnimationFrame(() => {
        seen[name] = performance.now(); // it is painted with this frame
      });
    }
  };
  new MutationObserver(look).observe(document, {
    childList: true,
    subtree: true,
    attributes: true,
  });
}

const firstInput = (page) => page.locator('#model input[type=file]').first();

async function open(browser, url, before) {
  const context = await browser.newContext({ locale: 'en-US' });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  if (before) await page.addInitScript(before);
  await page.goto(url, { waitUntil: 'commit' });
  return { context, page };
}

/** From the start of the navigation, with nothing in any cache: ms. */
async function loading(browser, url) {
  const { context, page } = await open(browser, url, watchStates);
  await firstInput(page).setInputFiles(digits);
  await page.locator('#model .summary').waitFor();
  await page.locator('.lock[data-status="ready"]').waitFor();
  await page.waitForTimeout(100);
  const seen = await page.evaluate(() => globalThis.seen);
  await context.close();
  return seen;
}

/** Presses the next action; ms from the click to the frame that shows the verdict, and its line. */
async function toVerdict(page, run) {
  await page.locator('#next:enabled', { hasText: 'Quantize' }).waitFor();
  const ms = await page.evaluate(
    (selector) =>
      new Promise((resolve) => {
        const start = performance.now();
        new MutationObserver((_, observer) => {
          if (!document.querySelector(selector)) return;
          observer.disconnect();
          requestAnimationFrame(() => resolve(performance.now() - start));
        }).observe(document.body, { childList: true, subtree: true, attributes: true });
        document.getElementById('next').click();
      }),
    `#report .result[data-run="${run}"]`,
  );
  // biome-ignore lint/performance/useDomNodeTextContent: what is hidden must not count
  return { ms, text: await page.locator('#report .step-line').innerText() };
}

/** A fresh profile with MobileNetV2 and 100 pictures. */
async function withMobileNet(browser, url, data) {
  const { context, page } = await open(browser, url);
  await page.locator('.lock[data-status="ready"]').waitFor();
  await firstInput(page).setInputFiles(join(data, 'models/mobilenetv2-7.onnx'));
  await page.locator('#model .summary').waitFor();
  const folder = join(data, 'images/imagenet/calib');
  const images = readdirSync(folder).map((name) => join(folder, name));
  await page.locator('#data input[type=file]').first().setInputFiles(images);
  return { context, page };
}

/** To the first verdict, to the next ones while repairs are looked for, and without a search. */
async function changing(browser, url, data, say) {
  const { context, page } = await withMobileNet(browser, url, data);
  say('first verdict', await toVerdict(page, 1));
  const target = page.locator('#target');
  const changes = [
    ['reduce_range', () => target.getByLabel('Reduce range', { exact: true }).check()],
    ['per_channel', () => target.getByLabel('Per channel', { exact: true }).uncheck()],
    [
      'activation_type',
      () => target.getByLabel('Activations', { exact: true }).selectOption('QInt8'),
    ],
  ];
  const openTypes = async () => {
    // A run closes it.
    const head = target.locator('button.step-head');
    if ((await head.getAttribute('aria-expanded')) === 'false') await head.click();
    const details = target.locator('details', { hasText: 'Format and types' }).first();
    if ((await details.getAttribute('open')) === null) await details.locator('summary').click();
  };
  for (const [i, [what, change]] of changes.entries()) {
    await openTypes();
    await change();
    say(`${what} changed`, await toVerdict(page, i + 2));
  }
  await page.getByRole('button', { name: 'Keep this result' }).first().click();
  await whole(page, changes.length + 1);
  await page.locator('.layer-table').waitFor();
  await openTypes();
  await target.getByLabel('Reduce range', { exact: true }).uncheck();
  say('changed back, nothing else going on', await toVerdict(page, changes.length + 2));
  await context.close();
}

const whole = (page, run) =>
  page.locator(`#report .result[data-run="${run}"][data-whole="true"]`).waitFor();

/** Four clicks: a model, pictures, Quantize, and the suggestion of another calibration method. */
async function mending(browser, url, data, say) {
  const { context, page } = await withMobileNet(browser, url, data);
  for (const [run, press] of [
    [1, () => page.locator('#next:enabled', { hasText: 'Quantize' }).click()],
    [
      2,
      () => page.getByRole('button', { name: 'Try it: Choose the range tensor by tensor' }).click(),
    ],
  ]) {
    const start = performance.now();
    await press();
    await whole(page, run);
    // biome-ignore lint/performance/useDomNodeTextContent: what is hidden must not count
    const text = await page.locator('#report .step-line').innerText();
    say(`after click ${run + 2}`, { ms: performance.now() - start, text });
  }
  await context.close();
}

/** The longest task of the main thread by its work and by the clock, and the tasks in all. */
async function longestTask(browser, url, folder) {
  const side = 7168;
  const model = join(folder, 'large.onnx');
  const pattern = Float32Array.from({ length: side }, (_, i) => Math.sin(i));
  writeModel(model, {
    nodes: [{ opType: 'MatMul', name: 'multiply', inputs: ['x', 'w'], outputs: ['y'] }],
    weights: [{ name: 'w', dims: [side, side], pattern }],
    inputs: [{ name: 'x', dims: [1, side] }],
    outputs: [{ name: 'y', dims: [1, side] }],
  });
  const samples = Array.from({ length: 16 }, (_, i) => {
    const file = join(folder, `${i}.npy`);
    writeFileSync(file, npy(Float32Array.from({ length: side }, (_, j) => Math.sin(i * side + j))));
    return file;
  });
  const { context, page } = await open(browser, url);
  await page.locator('.lock[data-status="ready"]').waitFor();
  await browser.startTracing(page, {
    categories: ['toplevel', 'disabled-by-default-devtools.timeline', 'devtools.timeline'],
  });
  await firstInput(page).setInputFiles(model);
  await page.locator('#model .summary').waitFor();
  await page.locator('#data input[type=file]').first().setInputFiles(samples);
  await toVerdict(page, 1);
  await page.locator('.layer-table').waitFor();
  await Promise.all([page.waitForEvent('download'), page.locator('#next').click()]);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  await context.close();
  rmSync(model);
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = traceEvents.filter(
    ({ name, pid, tid }) => /RunTask$/.test(name) && main.has(`${pid} ${tid}`),
  );
  const longest = (key) => Math.max(0, ...tasks.map((task) => task[key] ?? 0)) / 1000;
  return { count: tasks.length, cpu: longest('tdur'), wall: longest('dur') };
}

/** One row of float32. */
function npy(values) {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (1, ${values.length}), }`;
  const padded = `${header.padEnd(117)}\n`;
  const start = Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(padded.length, 0)}`, 'latin1');
  return Buffer.concat([start, Buffer.from(padded), Buffer.from(values.buffer)]);
}

export async function benchPage({ data, folder, rounds }) {
  await withBuiltPage(async ({ browser, server }) => {
    const row = (what, value, more = '') => console.log(`| ${what} | ${value} | ${more} |`);
    row('what', 'ms', '');
    row('---', '---:', '---');
    const loads = [];
    for (let round = 0; round < rounds; round++) loads.push(await loading(browser, server.url));
    const best = (state) => Math.min(...loads.map((load) => load[state])).toFixed(0);
    row('shell usable', best('shell'));
    row('a model read that was chosen at once', best('model'));
    row('all loaded', best('whole'));
    const say = (what, { ms, text }) =>
      row(`MobileNetV2: ${what}`, ms.toFixed(0), text.replace(/\s+/g, ' '));
    await changing(browser, server.url, data, say);
    await mending(browser, server.url, data, say);
    const task = await longestTask(browser, server.url, folder);
    const more = `${task.wall.toFixed(1)} by the clock, ${task.count} tasks`;
    row('longest task of the main thread, 206 MB → 51 MB', task.cpu.toFixed(1), more);
  });
}
