// The report of a run: layers, what would be better, runs side by side, and both models on a
// picture.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, digits, filesOf } from './support/app.js';
import { skipBrowser } from './support/browser.js';
import { hosted } from './support/hosted.js';

const host = hosted();

describe('the report on the page', { skip: skipBrowser }, () => {
  let app: App;

  before(async () => {
    app = await host.open();
    await app.useExample();
    await app.quantize();
  });
  after(() => app?.close());

  it('says the verdict in words before any download, with float beside quantized', async () => {
    const text = await app.text('#report');
    assert.match(text, /Good/);
    assert.match(text, /25 of 25/);
    assert.match(text, /549 kB\s+216 kB/);
    await app.page.locator('#report', { hasText: /as (fast|slow)/ }).waitFor();
    assert.match(await app.text('.bar'), /Good.*dB.*Download model/s);
  });

  it('shows every layer, worst first and in graph order, and keeps one float', async () => {
    const { page } = app;
    await page.locator('.layer-table').waitFor();
    assert.ok((await page.locator('.strip-bar').count()) > 20);
    const names = () => page.locator('.layer-table .layer-name code').allTextContents();
    const worst = await names();
    await page.getByRole('button', { name: 'Graph order' }).click();
    assert.notDeepEqual(await names(), worst);
    // Arrow keys move between layers.
    await page.locator('.layer-name').first().focus();
    await page.keyboard.press('ArrowDown');
    const second = (await names())[1]!;
    assert.ok((await app.focus())?.endsWith(second));
    await page.keyboard.press('Enter');
    await page.locator('.drawer').waitFor();
    // What the tensor holds, with the ends of every method and the steps of its integers.
    await page.locator('.drawer .histogram .ruler').waitFor({ state: 'attached' });
    for (const method of ['MinMax', 'Entropy', 'Percentile', 'MSE']) {
      assert.equal(await page.locator(`.drawer .mark[data-mark="${method}"]`).count(), 2, method);
    }
    const drawer = (await page.locator('.drawer').textContent()) ?? '';
    assert.match(drawer, /256 steps of 0\.\d+ between/);
    // The channels of its weight, as dots and in words.
    await page.locator('.drawer .channel-ranges .end').waitFor({ state: 'attached' });
    assert.match(await app.text('.drawer'), /\d+ output channels/);
    assert.match(await app.text('.drawer'), /Every channel has a scale of its own/);
    await page.getByRole('button', { name: 'Keep this layer float' }).click();
    await page.locator('.bar').getByRole('button', { name: 'Quantize again' }).click();
    await app.ended(2);
    await page.getByText(/Nodes left in float/).click();
    assert.ok((await app.text('#report')).includes(second));
  });

  it('draws the graph, and lists the nodes of a box', async () => {
    const { page } = app;
    await page.locator('#report summary', { hasText: 'Drawing of the graph' }).click();
    const boxes = page.locator('#report .graph-box');
    await boxes.locator('.graph-noise').first().waitFor(); // the layers are measured
    assert.ok((await boxes.count()) > 5, 'residual blocks part it');
    assert.ok((await boxes.count()) < 40, 'chains are one box');
    await boxes.first().focus();
    await page.keyboard.press('Enter');
    const rows = page.locator('#report .graph ~ .table tbody tr');
    await rows.first().waitFor();
    const cells = async (row: number) =>
      (await rows.nth(row).locator('td').allTextContents()).join(' ');
    assert.match(await cells(0), /^Conv stem\/conv becomes int8 \d/);
    assert.match(await cells(1), /^BatchNormalization stem\/bn folded away/);
  });

  it('keeps every run, and shows two of them side by side', async () => {
    const { page } = app;
    await page.getByRole('button', { name: 'Pin: Run 1' }).click();
    await page.getByRole('button', { name: 'Pin: Run 2' }).click();
    const table = page.locator('#report table', { hasText: 'What differs' });
    assert.match((await table.textContent()) ?? '', /Run 1.*Run 2.*nodes_to_exclude/s);
    await page.locator('.run-pick', { hasText: 'Run 1' }).click();
    await page.locator('#report .result[data-run="1"]').waitFor();
  });

  it('compares both models on a held-out picture and on any other, with names of classes', async () => {
    const { page } = app;
    await app.openStep('compare');
    await page.locator('#compare .top-classes').first().waitFor();
    assert.match(await app.text('#compare'), /held out/);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-ptq-labels-'));
    const labels = path.join(folder, 'labels.txt');
    const names = 'zero one two three four five six seven eight nine'.split(' ');
    fs.writeFileSync(labels, names.join('\n'));
    const three = filesOf('examples/digits/images/test').find((name) => /[\\/]3_/.test(name))!;
    await page.locator('#compare input[type=file]').first().setInputFiles(three);
    await page.locator('#compare input[type=file]').last().setInputFiles(labels);
    await page.locator('#compare .top-classes li', { hasText: 'three' }).first().waitFor();
    const best = await page.locator('#compare .top-classes li:first-child').allTextContents();
    assert.equal(best.length, 2);
    for (const text of best) assert.match(text, /three/);
    fs.rmSync(folder, { recursive: true });
  });
});

describe('the report of other runs', { skip: skipBrowser }, () => {
  it('shows pictures of both models under a slider, with their difference', async () => {
    const other = await host.open();
    const { page } = other;
    await other.useExample('Try the picture enlarger');
    assert.match(await other.quantize(), /Good|Usable/);
    await other.openStep('compare');
    await page.locator('#compare .slider').waitFor();
    assert.match(await other.text('#compare'), /Difference/);
    await other.close();
  });

  it('suggests which layers to keep float, with what it gains and costs, and does it', async () => {
    const one = await host.open();
    const { page } = one;
    await one.addModel(digits.model);
    await one.addSamples(filesOf(digits.images).slice(0, 40));
    await one.openStep('target');
    await page.getByLabel('Effort').selectOption('none');
    await one.openDetails('All other options');
    const clipped = '{"block2/expand/relu6/out": [{"rmin": 0, "rmax": 0.5}]}';
    await page.getByLabel('TensorQuantOverrides', { exact: true }).fill(clipped);
    assert.match(await one.quantize(), /Usable|Unusable/);
    await page.locator('.layer-table').waitFor();
    const mend = page.locator('.mends li', { hasText: /Keep \d layers? float/ });
    const [, gain] = /About \+(\d+\.\d) dB for [\d.]+ (?:bytes|kB|MB) more/.exec(
      (await mend.textContent())!,
    )!;
    assert.ok(Number(gain) >= 1);
    const decibels = async () =>
      Number(/([−\d.]+) dB/.exec(await one.text('#report'))![1]!.replace('−', '-'));
    const before = await decibels();
    await mend.getByRole('button').click();
    await one.ended(2);
    assert.ok((await decibels()) > before);
    await one.close();
  });

  it('says that nothing was quantized, without a figure for it', async () => {
    const other = await host.open();
    const { page } = other;
    await other.addModel(digits.model);
    await other.addSamples(filesOf(digits.images).slice(0, 4));
    await other.openDetails('All other options');
    await page.getByLabel('nodes_to_quantize').fill('stem/conv');
    await other.openDetails('Nodes and operator types');
    await page.getByLabel('Nodes that stay float').fill('stem/conv');
    const text = await other.quantize();
    assert.match(text, /Identical/);
    assert.match(text, /Nothing was quantized/);
    assert.doesNotMatch(text, /\d dB/);
    await other.close();
  });
});
