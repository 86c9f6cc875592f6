// The page itself: what it says when something is wrong, in which language, and to whom.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { version } from 'onnx-ptq';
import type { Page } from 'playwright-core';
import { extraOptions } from '#dist/options/extra-options.js';
import { npy } from '../js/support/npy.js';
import { writeModel } from '../js/support/onnx-writer.js';
import { App, digits, filesOf } from './support/app.js';
import { skipBrowser } from './support/browser.js';
import { hosted } from './support/hosted.js';
import { writeMatMul } from './support/matmul-model.js';
import { serve } from './support/server.js';

const phone = { width: 360, height: 740 };
const desktop = { width: 1280, height: 720 };

const host = hosted();

describe('the page', { skip: skipBrowser }, () => {
  let folder: string;

  /** A file with this content. */
  const file = (name: string, content: string | Uint8Array) => {
    const full = path.join(folder, name);
    fs.writeFileSync(full, content);
    return full;
  };

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-ptq-page-'));
  });
  after(() => {
    if (folder) fs.rmSync(folder, { recursive: true });
  });

  it('shows what a model is before anything is done with it', async () => {
    const app = await host.open();
    await app.addModel(digits.model);
    await app.page.getByText('About this model').click();
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
    await app.page.locator('#model .legend', { hasText: 'becomes int8' }).waitFor();
    await app.close();
  });

  it('says what size and memory a model of 50 MB will take, before anything is run', async () => {
    const app = await host.open();
    const side = 3584;
    const large = path.join(folder, 'large.onnx');
    writeMatMul(large, side);
    await app.addModel(large);
    const forecast = app.page.getByText(/51\.4 MB now, about 12\.\d MB once quantized/);
    await forecast.waitFor();
    const text = (await forecast.textContent()) ?? '';
    const [, memory, unit] = /A run takes about ([\d.]+) (MB|GB) of memory/.exec(text)!;
    assert.ok(Number(memory) * (unit === 'GB' ? 1000 : 1) > 51, text);
    await app.close();
  });

  it('says so when a file is no ONNX model or ends early, and takes a good one after it', async () => {
    const app = await host.open();
    const error = app.page.locator('#model .notice.error');
    await app.addModel(
      file('not-a-model.onnx', 'This is only text, although its name ends in .onnx.'),
    );
    await error.waitFor();
    assert.match(
      await app.text('#model .notice.error'),
      /This is not an ONNX model, or it is damaged/,
    );
    assert.equal(await app.next.count(), 0); // the next action is to choose another

    const whole = fs.readFileSync(digits.model);
    await app.addModel(file('half.onnx', whole.subarray(0, whole.length / 2)));
    await error.filter({ hasText: /ends early|broken/ }).waitFor();

    await app.addModel(digits.model);
    await app.page.locator('#model .summary').waitFor();
    assert.equal(await error.count(), 0);
    await app.close();
  });

  it('asks for the model first and then for samples, and opens what can be answered', async () => {
    const app = await host.open();
    const { page } = app;
    const bar = page.locator('.bar');
    await bar.getByText('Add a model to begin.').waitFor();
    assert.equal(await page.locator('.step[data-ready="true"]').count(), 1);
    await app.addModel(digits.model);
    await bar.getByText('Now add some samples.').waitFor();
    await app.addSamples(filesOf(digits.images).slice(0, 3));
    await app.ready();
    await app.openStep('data');
    await page.getByRole('button', { name: 'Remove all' }).click();
    await bar.getByText('Now add some samples.').waitFor();
    await app.close();
  });

  it('leaves out pictures that cannot be read before it runs, and names them', async () => {
    const app = await host.open();
    await app.addModel(digits.model);
    const good = filesOf(digits.images).slice(0, 3);
    const letters = ['a', 'b', 'c', 'd'].map((name) =>
      file(`${name}.png`, 'Dear reader, this is no picture.'),
    );
    await app.addSamples([...good, ...letters]);
    await app.page.locator('#data .step-line', { hasText: '4 files left out' }).waitFor();
    await app.openStep('data');
    assert.match(await app.text('#data .notice'), /4 files could not be read.*a\.png/s);
    assert.match(await app.quantize(), /smaller/);
    await app.close();
  });

  it('says for ever that it could not load a file', async () => {
    const broken = await serve('web/dist', { missing: /ort-wasm.*\.wasm/ });
    const context = await host.browser.newContext({ serviceWorkers: 'block' });
    try {
      const page = await context.newPage();
      await page.goto(`${broken.origin}/`);
      await page.locator('main > .notice.error').waitFor();
      // What was under way when it failed goes on.
      await page.locator('.lock[data-status="failed"]').waitFor();
      await new Promise((wake) => setTimeout(wake, 500));
      assert.equal(await page.locator('.lock').getAttribute('data-status'), 'failed');
      // The core has come: a model can be read all the same.
      await page.locator('#model input[type=file]').first().setInputFiles(digits.model);
      await page.locator('#model .summary').waitFor();
    } finally {
      await context.close();
      await broken.close();
    }
  });

  it('lists near matches for a node that the model does not have', async () => {
    const app = await host.open();
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images).slice(0, 3));
    await app.openDetails('Nodes and operator types');
    await app.page.getByLabel('Nodes that stay float').fill('stem/cnov');
    const text = await app.quantize();
    assert.match(text, /A setting does not fit/);
    assert.match(text, /stem\/conv/);
    await app.close();
  });

  it('has a field for every option of the library, and hands over what is entered', async () => {
    const app = await host.open();
    const { page } = app;
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images).slice(0, 3));
    await app.openDetails('All other options');
    const offered = Object.entries(extraOptions).filter(([, spec]) => !spec.later);
    assert.ok(offered.length > 15);
    for (const method of ['Entropy', 'Percentile', 'Distribution', 'MinMax'] as const) {
      await page.getByLabel('Calibration method').selectOption(method);
      for (const [name, spec] of offered) {
        const field = page.getByLabel(name, { exact: true });
        const hasEffect =
          spec.format !== 'QOperator' && (!spec.methods || spec.methods.includes(method));
        assert.equal(await field.count(), hasEffect ? 1 : 0, `${name}, ${method}`);
      }
    }
    await page.getByLabel('TensorQuantOverrides', { exact: true }).fill('{"image": [{"rmn": 0}]}');
    assert.match(await app.quantize(), /unknown key "rmn"/);
    await app.openStep('target');
    await app.openDetails('All other options');
    await page.getByLabel('TensorQuantOverrides', { exact: true }).fill('');
    await page.getByLabel('MinimumRealRange').fill('0.001');
    await page.getByLabel('DedicatedQDQPair').check();
    await app.quantize();
    await app.openStep('download');
    const command = await page.locator('#download code', { hasText: 'npx onnx-ptq' }).textContent();
    assert.match(command ?? '', /--runtime web/);
    assert.match(command ?? '', /--extra_options MinimumRealRange=0.001 DedicatedQDQPair=true/);
    // QDQ only: gone, and not handed over, in the other format.
    await app.chooseFormat('QOperator');
    await app.openDetails('All other options');
    await page.getByLabel('DedicatedQDQPair').waitFor({ state: 'detached' });
    assert.match(await app.quantize(), /smaller/);
    await app.close();
  });

  it('fills in the settings of a target, and lets them be changed and reset', async () => {
    const app = await host.open();
    const { page } = app;
    await app.addModel(digits.model);
    await app.addSamples(filesOf(digits.images).slice(0, 3));
    await app.openStep('target');
    await page.getByText('NVIDIA GPU').click();
    await page.locator('#target .step-line', { hasText: 'QInt8/QInt8' }).waitFor();
    await app.openDetails('All other options');
    assert.ok(await page.getByLabel('AddQDQPairToWeight', { exact: true }).isChecked());
    assert.ok(!(await page.getByLabel('QuantizeBias', { exact: true }).isChecked()));
    await page.getByRole('button', { name: 'changed · reset: AddQDQPairToWeight' }).click();
    await app.quantize();
    await app.openStep('download');
    const command = await page.locator('#download code', { hasText: 'npx onnx-ptq' }).textContent();
    assert.match(command ?? '', /--quant_format QDQ --activation_type QInt8 --weight_type QInt8/);
    assert.match(command ?? '', /ActivationSymmetric=true.*QuantizeBias=false/);
    assert.doesNotMatch(command ?? '', /AddQDQPairToWeight/);
    await app.openStep('target');
    await page.getByRole('button', { name: 'Reset to the page’s defaults' }).click();
    await page.locator('#target .step-line', { hasText: 'QUInt8/QInt8' }).waitFor();
    await app.close();
  });

  it('finds options by words, and marks what is changed', async () => {
    const app = await host.open();
    const { page } = app;
    await app.addModel(digits.model);
    await app.openDetails('All other options');
    await page.getByLabel('Search options').fill('minimum real');
    await page.getByLabel('MinimumRealRange').fill('0.001');
    await page.locator('#target').getByText('1 changed.').waitFor();
    await page.getByLabel('Search options').fill('no such thing');
    await page.getByText('No option has these words.').waitFor();
    await page.getByRole('button', { name: 'Reset these' }).click();
    await page.getByText('All at their defaults.').waitFor();
    await app.close();
  });

  it('shows what the model sees under each way, says what tells, and takes another', async () => {
    const app = await host.open();
    const { page } = app;
    await app.drop([digits.model, ...filesOf(digits.images).slice(0, 8)]);
    await page.locator('#preprocess .evidence').waitFor();
    await page.locator('#preprocess .tile canvas').first().waitFor();
    assert.ok((await page.locator('#preprocess .tile').count()) >= 3);
    assert.match(await app.text('#preprocess'), /−1\.00 to 1\.00/);
    await page.locator('#preprocess .tile', { hasText: 'ImageNet' }).click();
    await page.locator('#preprocess .step-line', { hasText: 'ImageNet' }).waitFor();
    // Fields in place of a language of its own.
    await page.getByText('Other presets and your own values').click();
    await page.getByLabel('Mean (of 0–255)').fill('100, 101, 102');
    await page.locator('#preprocess .step-line', { hasText: '[100, 101, 102]' }).waitFor();
    await page.getByLabel('Mean (of 0–255)').fill('1, 2');
    await page.locator('#preprocess input[aria-invalid="true"]').waitFor();
    await app.close();
  });

  it('says that preprocessing is a guess where the model does not tell, before the run and after', async () => {
    const app = await host.open();
    const blind = path.join(folder, 'blind.onnx');
    writeModel(blind, {
      nodes: [
        { opType: 'Relu', name: 'relu', inputs: ['x'], outputs: ['r'] },
        { opType: 'Mul', name: 'double', inputs: ['r', 'two'], outputs: ['y'] },
      ],
      weights: [{ name: 'two', dims: [1], pattern: Float32Array.of(2) }],
      inputs: [{ name: 'x', dims: [1, 3, 8, 8] }],
      outputs: [{ name: 'y', dims: [1, 3, 8, 8] }],
    });
    await app.addModel(blind);
    await app.addSamples(filesOf(digits.images).slice(0, 9));
    await app.openStep('preprocess');
    await app.page.locator('#preprocess .evidence').waitFor();
    await app.page
      .locator('#preprocess .step-line', { hasText: 'A guess, please check' })
      .waitFor();
    await app.quantize();
    await app.page.locator('#report .notice', { hasText: 'normalized is a guess' }).waitFor();
    await app.close();
  });

  it('counts samples, and says how long the rest will take', async () => {
    const app = await host.open();
    const { page } = app;
    const side = 640;
    const slow = path.join(folder, 'slow.onnx');
    writeMatMul(slow, side, side);
    const values = Float32Array.from({ length: side * side }, (_, i) => Math.cos(i));
    const samples = Array.from({ length: 24 }, (_, i) =>
      file(`slow-${i}.npy`, npy('<f4', [side, side], values)),
    );
    await app.addModel(slow);
    await app.addSamples(samples);
    await page.evaluate(() => {
      const seen: string[] = [];
      Object.assign(window, { seen });
      new MutationObserver(() => {
        seen.push(document.querySelector('.running .numbers')?.textContent ?? '');
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    await app.quantize();
    const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
    const counted = seen.filter((text) => / of 16/.test(text));
    assert.ok(counted.length > 0, seen.join('; '));
    // Not before the fourth sample, and then in seconds.
    assert.ok(counted.filter((text) => /^[0-3] of/.test(text)).every((text) => !/left/.test(text)));
    assert.ok(
      counted.some((text) => /^\d+ of 16 · \d+.* left$/.test(text)),
      counted.join('; '),
    );
    await app.close();
  });

  it('says which build it is, and what compiled the core', async () => {
    const app = await host.open();
    await app.page.locator('.lock button').click();
    const { version: number, compiler, flags } = version();
    const text = await app.text('#facts');
    assert.ok(text.includes(`onnx-ptq ${number} (`), text);
    assert.ok(text.includes(`${compiler} ${flags}`), text);
    await app.close();
  });

  it('can be used with the keyboard alone, and never loses the focus', async () => {
    const app = await host.open();
    const { page } = app;
    const tabTo = async (text: string) => {
      for (let i = 0; i < 120; i++) {
        await page.keyboard.press('Tab');
        if ((await app.focus()) === text) return;
      }
      assert.fail(`Tab does not reach "${text}"`);
    };
    const hasFocus = () =>
      page.evaluate(
        () => document.activeElement !== null && document.activeElement !== document.body,
      );
    await tabTo('Try the digit classifier');
    await page.keyboard.press('Enter');
    await app.ready();
    assert.ok(await hasFocus(), 'after the example was taken');
    await tabTo('Quantize');
    await page.keyboard.press('Enter');
    await page.locator('#run .running').waitFor();
    await app.focused('Cancel');
    await page.locator('.result').waitFor();
    await app.focused('Download model');
    await app.openStep('data');
    await page.getByRole('button', { name: 'Remove all' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Remove all' }).waitFor({ state: 'detached' });
    assert.ok(await hasFocus(), 'after the samples were removed');
    await app.close();
  });
});

describe('the page in Chinese', { skip: skipBrowser }, () => {
  let app: App;

  before(async () => {
    app = await App.open(host.browser, host.server, { locale: 'zh-CN' });
  });
  after(() => app?.close());

  it('speaks the language of the browser, switches, and remembers', async () => {
    const { page } = app;
    const lang = (code: string) => page.locator(`html[lang="${code}"]`).waitFor();
    await lang('zh-CN');
    await page.getByRole('heading', { name: '模型看到的内容' }).waitFor();
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('heading', { name: 'What the model sees' }).waitFor();
    await lang('en');
    await page.reload();
    await page.getByRole('heading', { name: 'What the model sees' }).waitFor();
    await page.getByRole('button', { name: '简体中文' }).click();
    await page.getByRole('button', { name: '试用数字分类' }).click();
    await page.getByRole('button', { name: '开始量化' }).click();
    await page.locator('.bar').getByRole('button', { name: '下载模型' }).waitFor();
  });

  it('has no text of the other language left in it', async () => {
    const { page } = app;
    await page.locator('#report .result').waitFor();
    for (const step of ['model', 'data', 'preprocess', 'target', 'download'] as const) {
      await app.openStep(step);
    }
    await app.openDetails('其他所有选项');
    // Words, apart from names of operators, formats and tools. What the library says counts, too.
    const words = await page.evaluate(() => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found: string[] = [];
      while (walker.nextNode()) {
        const element = walker.currentNode.parentElement!;
        if (element.closest('code, option, .chips, .ticks, .file, .facts, .runs, noscript'))
          continue;
        found.push(walker.currentNode.textContent ?? '');
      }
      return found;
    });
    const english = words.filter(
      (text) => text !== 'Node' && /\b(the|of|and|is|are|model|image|node)\b/i.test(text),
    );
    assert.deepEqual(english, []);
  });
});

describe('the page while it quantizes, and then', { skip: skipBrowser }, () => {
  let app: App;
  let namelessBefore: Control[];
  let widthBefore: number;
  /** Of the run, in ms. */
  let whole: number;

  const width = () => app.page.evaluate(() => document.scrollingElement!.scrollWidth);
  /** What the page has noted in a variable of its window. */
  const noted = <Kind>(name: string) =>
    app.page.evaluate(
      (key) => (window as unknown as Record<string, unknown>)[key],
      name,
    ) as Promise<Kind[]>;

  before(async () => {
    app = await App.open(host.browser, host.server, { viewport: phone });
    const { page } = app;
    widthBefore = await width();
    await page.setViewportSize(desktop);
    namelessBefore = await namelessControls(page);
    await page.evaluate(() => {
      const spoken: string[] = [];
      Object.assign(window, { spoken });
      new MutationObserver(() => {
        for (const status of document.querySelectorAll('#run [role=status], .bar [role=status]')) {
          const text = status.textContent ?? '';
          if (text && spoken.at(-1) !== text) spoken.push(text);
        }
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    await app.useExample();
    await page.evaluate(() => {
      const long: number[] = [];
      Object.assign(window, { long });
      new PerformanceObserver((list) => {
        long.push(...list.getEntries().map((entry) => entry.duration));
      }).observe({ entryTypes: ['longtask'] });
    });
    const began = performance.now();
    await app.quantize();
    whole = performance.now() - began;
  });
  after(() => app?.close());

  it('stays responsive while it works', async () => {
    const long = await noted<number>('long');
    // A run on this thread would be one task of its whole length. On a busy machine a task takes
    // longer than its work.
    const most = Math.max(500, whole / 10);
    assert.ok(Math.max(0, ...long) < most, `tasks of ${long.map(Math.round)} ms in ${whole} ms`);
  });

  it('tells screen readers what stage it is in, and when it is done', async () => {
    const spoken = await noted<string>('spoken');
    assert.ok(spoken.some((text) => text.startsWith('Running samples: ')));
    assert.ok(spoken.includes('Good'), spoken.join());
    assert.ok(spoken.length < 20, `not every one of 100 samples: ${spoken.length}`);
  });

  it('gives every control a name, before and after a run', async () => {
    assert.deepEqual(namelessBefore, []);
    const { page } = app;
    for (const summary of await page.locator('.result summary').all()) await summary.click();
    await app.openDetails('Nodes and operator types');
    assert.ok((await controls(page)).length > 60, 'a tick for each node among them');
    assert.deepEqual(await namelessControls(page), []);
  });

  it('fits a screen 360 pixels wide, also with a result and all of it open', async () => {
    assert.equal(widthBefore, phone.width);
    const { page } = app;
    await page.setViewportSize(phone);
    await page.evaluate(() => {
      for (const one of document.querySelectorAll('details')) one.open = true;
    });
    assert.equal(await width(), phone.width);
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
