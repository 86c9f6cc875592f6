// Screenshots of every step of the built page, for eyes: both languages, both themes, a desktop and
// a phone, with models of ../shared/data.
//   node tests/bench/shots.mjs FOLDER [minilm …]
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { chromium as findChromium } from '../../tools/lib/system.mjs';
import { serve } from '../../tools/serve.mjs';

const data = process.env.ONNX_PTQ_DATA ?? '../shared/data';
const pictures = (folder, count) =>
  readdirSync(join(data, 'images', folder), { recursive: true })
    .filter((name) => /\.(jpe?g|png)$/i.test(name))
    .sort()
    .slice(0, count)
    .map((name) => join(data, 'images', folder, name));
const models = {
  mobilenetv2: ['mobilenetv2-7.onnx', () => pictures('imagenet/calib', 60)],
  minilm: ['minilm_l3_v6144.onnx', () => [join(data, 'tensors/minilm_l3_v6144.calib.npz')]],
  resnet20: ['resnet20_cifar10.onnx', () => pictures('cifar10/calib', 64)],
  style: ['style_mosaic.onnx', () => pictures('coco/calib', 6)],
  ppocr: ['ppocrv4_det.onnx', () => pictures('ocr', 14)],
};
const sizes = { desktop: [1440, 900], phone: [360, 780] };
const languages = { en: 'English', zh: '简体中文' };

async function openSteps(page, steps) {
  for (const step of steps) {
    const head = page.locator(`#${step} button.step-head`);
    if ((await head.getAttribute('aria-expanded')) === 'false') await head.click();
  }
  await page.waitForTimeout(500);
}

/** By script: the page's security policy takes no styles. */
const showBar = (page, isShown) =>
  page.evaluate(
    (visibility) => {
      document.querySelector('.bar').style.visibility = visibility;
    },
    isShown ? '' : 'hidden',
  );

/** The whole page with these steps open, in every language, theme and size. */
async function shoot(page, folder, state, steps) {
  await openSteps(page, steps);
  for (const [size, [width, height]] of Object.entries(sizes)) {
    for (const colorScheme of ['light', 'dark']) {
      for (const [language, name] of Object.entries(languages)) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme });
        await page.getByRole('button', { name, exact: true }).click();
        await page.waitForTimeout(200);
        const variant = `${state}-${size}-${language}-${colorScheme}.png`;
        await showBar(page, false); // it lies over what is long
        for (const step of steps) {
          await page.locator(`#${step}`).screenshot({ path: join(folder, `${step}-${variant}`) });
        }
        await showBar(page, true);
        await page.evaluate(() => scrollTo(0, 0));
        await page.screenshot({ path: join(folder, `screen-${variant}`) });
      }
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole('button', { name: languages.en, exact: true }).click();
}

async function shootModel(browser, url, folder, [model, samples]) {
  mkdirSync(folder, { recursive: true });
  const context = await browser.newContext({ locale: 'en-US' });
  context.setDefaultTimeout(600_000);
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('.lock[data-status="ready"]').waitFor();
  await shoot(page, folder, 'empty', ['model']);
  await page
    .locator('#model input[type=file]')
    .first()
    .setInputFiles(join(data, 'models', model));
  await page.locator('#model .summary').waitFor();
  await openSteps(page, ['data']);
  const files = samples();
  await page.locator('#data input[type=file]').first().setInputFiles(files);
  await page.locator('#next:enabled', { hasText: 'Quantize' }).waitFor();
  const arePictures = !files[0].endsWith('.npz');
  if (arePictures) {
    await openSteps(page, ['preprocess']);
    await page.locator('#preprocess .tile .pixels').first().waitFor();
    await page.waitForTimeout(10_000); // the model is asked about its preprocessing
  }
  await shoot(page, folder, 'ready', [
    ...['model', 'data', 'target'],
    ...(arePictures ? ['preprocess'] : []),
  ]);
  await page.locator('#next').click();
  const result = page.locator('#report .result');
  await page.locator('#run .histogram').or(result).first().waitFor(); // a small model is quick
  await shoot(page, folder, 'running', ['run']);
  await page.locator('#report .result[data-whole="true"]').waitFor();
  await page.locator('.layer-name').first().click();
  await page.waitForTimeout(5000); // what it shows is asked for
  await openSteps(page, ['compare']);
  await page.locator('#compare .step-number[data-done="true"]').waitFor();
  await shoot(page, folder, 'done', ['run', 'report', 'compare', 'download']);
  await context.close();
}

const [folder, ...chosen] = process.argv.slice(2);
const server = await serve('web/dist', 0);
const browser = await chromium.launch({
  executablePath: (await findChromium()).path,
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
try {
  for (const name of chosen.length > 0 ? chosen : Object.keys(models)) {
    await shootModel(browser, server.url, join(folder, name), models[name]);
    console.log(name);
  }
} finally {
  await browser.close();
  server.close();
}
