// The page itself: what it says when something is wrong, in which language, and to whom.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { extraOptions } from '#dist/options/extra-options.js';
import { App, digits, filesOf } from './support/app.js';
import { launch, skipBrowser } from './support/browser.js';
import { type StaticServer, serve } from './support/server.js';

describe('the page', { skip: skipBrowser }, () => {
  let browser: Browser;
  let server: StaticServer;
  let folder: string;

  /** A file with this content. */
  const file = (name: string, content: string | Uint8Array) => {
    const full = path.join(folder, name);
    fs.writeFileSync(full, content);
    return full;
  };

  before(async () => {
    browser = await launch();
    server = await serve('web/dist');
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-ptq-page-'));
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    if (folder) fs.rmSync(folder, { recursive: true });
  });

  it('shows what a model is before anything is done with it', async () => {
    const app = await App.open(browser, server);
    await app.addModel(digits.model);
    await app.page.locator('#model .summary').waitFor();
    const text = await app.text('#model');
    for (const part of [
      /549 kB/,
      /Nodes\s+66/,
      /Opset\s+13/,
      /image float32 \[N, 3, 32, 32\]/,
      /scores float32 \[N, 10\]/,
      /Conv 22/,
    ]) {
      assert.match(text, part);
    }
    const settings = await app.text('#settings');
    assert.match(settings, /Guessed.*32 × 32 \(stretched\), RGB, NCHW, \(x − 127\.5\) \/ 127\.5/);
    await app.close();
  });

  it('says so when a file is no ONNX model or ends early, and takes a good one after it', async () => {
    const app = await App.open(browser, server);
    const error = app.page.locator('#model .notice.error');
    await app.addModel(
      file('not-a-model.onnx', 'This is only text, although its name ends in .onnx.'),
    );
    await error.waitFor();
    assert.match(
      await app.text('#model .notice.error'),
      /This is not an ONNX model, or a broken one/,
    );
    assert.ok(await app.start.isDisabled());

    const whole = fs.readFileSync(digits.model);
    await app.addModel(file('half.onnx', whole.subarray(0, whole.length / 2)));
    await app.page.getByText('half.onnx').waitFor();
    await error.filter({ hasText: /ends early|broken/ }).waitFor();

    await app.addModel(digits.model);
    await app.page.locator('#model .summary').waitFor();
    assert.equal(await error.count(), 0);
    await app.close();
  });

  it('asks for images where there are none, and for the model first', async () => {
    const app = await App.open(browser, server);
    assert.match(await app.text('#run'), /Add a model to begin/);
    await app.addModel(digits.model);
    await app.page.getByText('Now add some samples.').waitFor();
    assert.ok(await app.start.isDisabled());
    await app.addSamples(filesOf(digits.images).slice(0, 3));
    await app.page.locator('#run .start button:enabled').waitFor();
    await app.page.getByRole('button', { name: 'Remove all' }).click();
    await app.page.locator('#run .start button:disabled').waitFor();
    await app.close();
  });

  it('names the image that cannot be read, and works once it is gone', async () => {
    const app = await App.open(browser, server);
    const good = filesOf(digits.images).slice(0, 3);
    await app.addModel(digits.model);
    const letters = ['a', 'b', 'c', 'd'].map((name) =>
      file(`${name}.png`, 'Dear reader, this is no picture.'),
    );
    await app.addSamples([...good, ...letters]);
    const text = await app.quantize();
    assert.match(text, /An image could not be read/);
    assert.match(text, /4 of 7 samples cannot be used.*a\.png/);
    await app.addSamples(good);
    assert.match(await app.quantize(), /smaller/);
    await app.close();
  });

  it('leaves out one image of several that cannot be read, and names it', async () => {
    const app = await App.open(browser, server);
    await app.addModel(digits.model);
    const good = filesOf(digits.images).slice(0, 3);
    await app.addSamples([...good, file('letter.png', 'Dear reader, this is no picture.')]);
    const text = await app.quantize();
    assert.match(text, /smaller/);
    assert.match(text, /Some samples were left out/);
    assert.match(text, /letter\.png/);
    await app.close();
  });

  it('lists near matches for a node that the model does not have', async () => {
    const app = await App.open(browser, server);
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images).slice(0, 3));
    await app.page.getByText('More: nodes and operator types').click();
    await app.page.getByLabel('Nodes that stay float').fill('stem/cnov');
    const text = await app.quantize();
    assert.match(text, /A setting does not fit/);
    assert.match(text, /stem\/conv/);
    await app.close();
  });

  it('has a field for every option of the library, and hands over what is entered', async () => {
    const app = await App.open(browser, server);
    const { page } = app;
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images).slice(0, 3));
    await app.chooseFormat('QDQ');
    await page.getByText('Advanced: all other options').click();
    const offered = Object.entries(extraOptions).filter(([, spec]) => !spec.later);
    assert.ok(offered.length > 15);
    for (const method of ['Entropy', 'Percentile', 'Distribution', 'MinMax'] as const) {
      await page.getByLabel('calibrate_method').selectOption(method === 'MinMax' ? '' : method);
      for (const [name, spec] of offered) {
        const field = page.getByLabel(name, { exact: true });
        const hasEffect =
          spec.format !== 'QOperator' && (!spec.methods || spec.methods.includes(method));
        assert.equal(await field.count(), hasEffect ? 1 : 0, `${name}, ${method}`);
      }
    }
    await page.getByLabel('TensorQuantOverrides').fill('{"image": [{"rmn": 0}]}');
    assert.match(await app.quantize(), /unknown key "rmn"/);
    await page.getByLabel('TensorQuantOverrides').fill('');
    await page.getByLabel('MinimumRealRange').fill('0.001');
    await page.getByLabel('DedicatedQDQPair').check();
    await app.quantize();
    const command = await page.locator('.result code', { hasText: 'npx onnx-ptq' }).textContent();
    assert.match(command ?? '', /--extra_options MinimumRealRange=0.001 DedicatedQDQPair=true/);
    // QDQ only: gone, and not handed over, in the other format.
    await app.chooseFormat('QOperator');
    await page.getByLabel('DedicatedQDQPair').waitFor({ state: 'detached' });
    assert.match(await app.quantize(), /smaller/);
    await app.close();
  });

  it('fills in the settings of a profile, and lets them be changed', async () => {
    const app = await App.open(browser, server);
    const { page } = app;
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images).slice(0, 3));
    await page.getByLabel('Where it will run').selectOption('tensorrt');
    await page
      .locator('#settings')
      .getByText(/TensorRT, by itself or/)
      .waitFor();
    await app.chosenFormat('QDQ').waitFor({ state: 'attached' });
    assert.ok(await page.getByLabel('Per channel').isChecked());
    await page.getByText('Advanced: all other options').click();
    assert.ok(await page.getByLabel('AddQDQPairToWeight').isChecked());
    assert.ok(!(await page.getByLabel('QuantizeBias').isChecked()));
    await page.getByLabel('AddQDQPairToWeight').uncheck();
    await app.quantize();
    const command = await page.locator('.result code', { hasText: 'npx onnx-ptq' }).textContent();
    assert.match(command ?? '', /--quant_format QDQ --activation_type QInt8 --weight_type QInt8/);
    assert.match(command ?? '', /ActivationSymmetric=true.*QuantizeBias=false/);
    assert.doesNotMatch(command ?? '', /AddQDQPairToWeight/);
    await page.getByLabel('Where it will run').selectOption('');
    await app.chosenFormat('QOperator').waitFor({ state: 'attached' });
    assert.ok(!(await page.getByLabel('Per channel').isChecked()));
    await app.close();
  });

  it('says what the model tells about preprocessing, and takes the next best', async () => {
    const app = await App.open(browser, server);
    await app.drop([digits.model, ...filesOf(digits.images).slice(0, 8)]);
    const evidence = app.page.locator('#settings .evidence');
    await evidence.waitFor();
    assert.match(await app.text('#settings .evidence'), /images.*Next best: /s);
    await evidence.getByRole('button', { name: 'Use this one' }).click();
    await evidence.waitFor({ state: 'detached' });
    assert.notEqual(await app.page.getByLabel('Preprocessing of images').inputValue(), 'auto');
    assert.match(await app.text('#settings .statement'), /Each image:/);
    await app.close();
  });

  it('says at once that preprocessing does not fit', async () => {
    const app = await App.open(browser, server);
    await app.addModel(digits.model);
    await app.page.getByLabel('Preprocessing of images').selectOption('custom');
    await app.page.getByLabel('Preset and key=value pairs').fill('imagenett size=32x32');
    const statement = app.page.locator('.statement.bad');
    await statement.waitFor();
    assert.match(await app.text('.statement.bad'), /imagenett.*imagenet/);
    await app.close();
  });

  it('speaks the language of the browser, switches, and remembers', async () => {
    const app = await App.open(browser, server, { locale: 'zh-CN' });
    const { page } = app;
    const lang = (code: string) => page.locator(`html[lang="${code}"]`).waitFor();
    await lang('zh-CN');
    await page.getByRole('heading', { name: '校准样本' }).waitFor();
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('heading', { name: 'Calibration samples' }).waitFor();
    await lang('en');
    await page.reload();
    await page.getByRole('heading', { name: 'Calibration samples' }).waitFor();
    await page.getByRole('button', { name: '简体中文' }).click();
    await page.getByRole('button', { name: '试用示例' }).click();
    await page.getByRole('button', { name: '开始量化' }).click();
    await page.getByRole('button', { name: '下载模型' }).waitFor();
    await app.close();
  });

  it('has no text of the other language left in it', async () => {
    const app = await App.open(browser, server, { locale: 'zh-CN' });
    const { page } = app;
    await page.getByRole('button', { name: '试用示例' }).click();
    await page.locator('#model .summary').waitFor();
    // Words, apart from names of operators, formats and tools; texts of the library are marked
    // lang="en".
    const words = await page.evaluate(() => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found: string[] = [];
      while (walker.nextNode()) {
        const element = walker.currentNode.parentElement!;
        if (element.closest('[lang="en"], code, option, .chips, .ticks, .file, .facts, noscript'))
          continue;
        found.push(walker.currentNode.textContent ?? '');
      }
      return found;
    });
    const english = words.filter((text) => /\b(the|of|and|is|are|model|image|node)\b/i.test(text));
    assert.deepEqual(english, []);
    await app.close();
  });

  it('gives every control a name, before and after a run', async () => {
    const app = await App.open(browser, server);
    const { page } = app;
    assert.deepEqual(await namelessControls(page), []);
    await app.useExample();
    await page.getByText('More: nodes and operator types').click();
    await app.quantize();
    for (const summary of await page.locator('.result summary').all()) await summary.click();
    assert.ok((await controls(page)).length > 60, 'a tick for each node among them');
    assert.deepEqual(await namelessControls(page), []);
    await app.close();
  });

  it('can be used with the keyboard alone', async () => {
    const app = await App.open(browser, server);
    const { page } = app;
    const tabTo = async (text: string) => {
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab');
        if ((await app.focus()) === text) return;
      }
      assert.fail(`Tab does not reach "${text}"`);
    };
    await tabTo('Try the example');
    await page.keyboard.press('Enter');
    await page.locator('#run .start button:enabled').waitFor();
    await tabTo('Quantize');
    await page.keyboard.press('Enter');
    await page.locator('#run .running').waitFor();
    await app.focused('Cancel');
    await page.locator('.result').waitFor();
    await app.focused('Download model');
    await app.close();
  });

  it('tells screen readers what stage it is in, and when it is done', async () => {
    const app = await App.open(browser, server);
    const { page } = app;
    await page.evaluate(() => {
      const spoken: string[] = [];
      Object.assign(window, { spoken });
      new MutationObserver(() => {
        for (const status of document.querySelectorAll('#run [role=status]')) {
          const text = status.textContent ?? '';
          if (text && spoken.at(-1) !== text) spoken.push(text);
        }
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    await app.useExample();
    await app.quantize();
    const spoken = await page.evaluate(() => (window as unknown as { spoken: string[] }).spoken);
    assert.ok(spoken.some((text) => text.startsWith('Running samples: ')));
    assert.equal(spoken.at(-1), 'The quantized model is ready.');
    assert.ok(spoken.length < 20, `not every one of 100 samples: ${spoken.length}`);
    await app.close();
  });

  it('fits a screen 360 pixels wide, also with a result', async () => {
    const app = await App.open(browser, server, { viewport: { width: 360, height: 740 } });
    const { page } = app;
    const width = () => page.evaluate(() => document.scrollingElement!.scrollWidth);
    assert.equal(await width(), 360);
    await app.useExample();
    await app.quantize();
    for (const summary of await page.locator('summary').all()) await summary.click();
    assert.equal(await width(), 360);
    await app.close();
  });

  it('stays responsive while it works', async () => {
    const app = await App.open(browser, server);
    const { page } = app;
    await app.useExample();
    await page.locator('#run .start button:enabled').waitFor();
    await page.evaluate(() => {
      const long: number[] = [];
      Object.assign(window, { long });
      new PerformanceObserver((list) => {
        long.push(...list.getEntries().map((entry) => entry.duration));
      }).observe({ entryTypes: ['longtask'] });
    });
    const began = performance.now();
    await app.quantize();
    const whole = performance.now() - began;
    const long = await page.evaluate(() => (window as unknown as { long: number[] }).long);
    // A run on this thread would be one task of its whole length. On a busy machine a task takes
    // longer than its work.
    const most = Math.max(500, whole / 10);
    assert.ok(Math.max(0, ...long) < most, `tasks of ${long.map(Math.round)} ms in ${whole} ms`);
    await app.close();
  });
});

interface Control {
  role: string;
  name: string;
}

/** All controls as the browser tells them to assistive technology. */
async function controls(page: Page): Promise<Control[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  const roles =
    /^(button|link|checkbox|radio|combobox|textbox|spinbutton|listbox|slider|progressbar)$/;
  return nodes
    .filter((node) => !node.ignored && roles.test(String(node.role?.value)))
    .map((node) => ({ role: String(node.role?.value), name: String(node.name?.value ?? '') }));
}

async function namelessControls(page: Page): Promise<Control[]> {
  return (await controls(page)).filter(({ name }) => name.trim() === '');
}
