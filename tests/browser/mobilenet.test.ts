// A real model on the page, MobileNetV2. In a file of its own, so that it runs beside the others:
// nothing else in the browser takes as long.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import { App, filesOf } from './support/app.js';
import { skipBrowser } from './support/browser.js';
import { hosted } from './support/hosted.js';
import { inNode } from './support/in-node.js';

const data = process.env.ONNX_PTQ_DATA ?? '../shared/data';
const mobilenet = `${data}/models/mobilenetv2-7.onnx`;
const skip =
  skipBrowser ||
  (fs.existsSync(mobilenet) ? false : `${mobilenet} is not there: set $ONNX_PTQ_DATA`);

describe('MobileNetV2 on the page', { skip }, () => {
  const host = hosted();

  it('gives the bytes of Node for JPEG images, and offers what mends a bad result', async () => {
    const images = filesOf(`${data}/images/test_images`).filter((file) => /\.jpe?g$/i.test(file));
    const few = images.slice(0, 4);
    const app = await App.open(host.browser, host.server);
    await app.addModel(mobilenet);
    await app.addSamples(few);
    await app.likePython();
    // Useless: so what mends it is the next action, not the download.
    assert.match(await app.quantize(), /Unusable/);
    assert.match((await app.next.textContent()) ?? '', /Try per channel/);
    const first = await app.download();
    await app.next.click();
    await app.ended(2);
    assert.match(await app.text('#report'), /Good|Usable/);
    const second = await app.download();
    const python = { quantFormat: 'QOperator', activationType: 'QUInt8', effort: 'none' } as const;
    const plain = { ...python, weightType: 'QUInt8', perChannel: false } as const;
    assert.deepEqual(first.bytes, await inNode(mobilenet, few, plain));
    assert.deepEqual(second.bytes, await inNode(mobilenet, few, python));
    await app.close();
  });

  it('brings a fresh profile to a usable model in at most 4 clicks', async (t) => {
    const app = await App.open(host.browser, host.server);
    const { page } = app;
    let clicks = 0;
    const choose = async (action: string, files: string | string[]) => {
      const button = page.locator('.bar').getByText(action);
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), button.click()]);
      clicks++;
      await chooser.setFiles(files);
    };
    await choose('Choose a model', mobilenet);
    await page.locator('#model .summary').waitFor();
    await choose('Choose samples', filesOf(`${data}/images/imagenet/calib`));
    await app.ready();
    const began = performance.now();
    await app.next.click();
    clicks++;
    await page.locator('#report .result').waitFor();
    const first = Math.round((performance.now() - began) / 1000);
    await app.ended(1);
    const whole = Math.round((performance.now() - began) / 1000);
    const text = await app.text('#report .step-line');
    t.diagnostic(
      `${clicks} clicks; first verdict after ${first} s, the last after ${whole}: ${text}`,
    );
    assert.match(text, /Good|Usable/);
    // Of 25 pictures 23 agree; what the page suggests then makes them 24 (docs/page.md).
    const suggestion = page.getByRole('button', { name: 'Choose the range tensor by tensor' });
    await suggestion.click();
    clicks++;
    await app.ended(2);
    const better = await app.text('#report .step-line');
    t.diagnostic(`${clicks} clicks: ${better}`);
    const [, agree, of] = /(\d+) of (\d+) agree/.exec(better)!;
    assert.ok(clicks <= 4);
    assert.ok(Number(agree) >= 0.95 * Number(of), better);
    await app.close();
  });
});
