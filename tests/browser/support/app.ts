// The built page (web/dist) in a browser, driven as a person does: files in, buttons, downloads
// out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { QuantFormat } from 'onnx-ptq';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { patience, until } from './browser.js';
import type { StaticServer } from './server.js';

export type StepId =
  | 'model'
  | 'data'
  | 'preprocess'
  | 'target'
  | 'run'
  | 'report'
  | 'compare'
  | 'download';

/** What the page begins with, and how many of some pictures it holds out. */
export const pageDefaults = {
  quantFormat: 'QDQ',
  activationType: 'QUInt8',
  weightType: 'QInt8',
  perChannel: true,
} as const;
export const heldOf = (pictures: number) => Math.min(32, Math.floor(pictures / 4));

export const digits = {
  model: 'examples/digits/model/digits-mobilenetv2.onnx',
  images: 'examples/digits/images/calib',
};

export const filesOf = (folder: string) =>
  fs
    .readdirSync(folder)
    .sort()
    .map((name) => path.join(folder, name));

export async function newTab(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  context.setDefaultTimeout(patience);
  context.setDefaultNavigationTimeout(patience);
  return context.newPage();
}

export class App {
  readonly page: Page;
  /** Messages that should not be: errors of scripts, violations of the security policy. */
  readonly errors: string[] = [];
  readonly #close: () => Promise<void>;

  private constructor(page: Page, close: () => Promise<void>) {
    this.page = page;
    this.#close = close;
  }

  /** Opens the page in a profile of its own. */
  static async open(
    browser: Browser,
    server: StaticServer,
    options: BrowserContextOptions = {},
  ): Promise<App> {
    const page = await newTab(browser, options);
    return App.#load(page, server, () => page.context().close());
  }

  /** Opens the page in a tab that may have had it before. */
  static async openIn(tab: Page, server: StaticServer): Promise<App> {
    // What it remembers goes; what the browser keeps of its files stays.
    if (tab.url().startsWith(server.origin)) {
      await tab.evaluate(() => {
        sessionStorage.clear();
        localStorage.clear();
      });
    }
    return App.#load(tab, server, async () => {
      tab.removeAllListeners('pageerror').removeAllListeners('console');
    });
  }

  /** Waits until the page has loaded all that it needs. */
  static async #load(page: Page, server: StaticServer, close: () => Promise<void>): Promise<App> {
    const app = new App(page, close);
    page.on('pageerror', (error) => app.errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') app.errors.push(message.text());
    });
    await page.goto(`${server.origin}/`);
    await page.locator('.lock[data-status="ready"]').waitFor();
    return app;
  }

  /** Opens a step that is closed. */
  async openStep(id: StepId): Promise<void> {
    const head = this.page.locator(`#${id} button.step-head`);
    await head.waitFor();
    if ((await head.getAttribute('aria-expanded')) === 'false') await head.click();
    await this.page.locator(`#${id}[data-open="true"]`).waitFor();
  }

  /** Gives the page a model and waits until it has read it, well or badly. */
  async addModel(file: string): Promise<void> {
    await this.openStep('model');
    await this.page.locator('#model input[type=file]').first().setInputFiles(file);
    await this.page.locator('#model .file', { hasText: path.basename(file) }).waitFor();
    await this.page.locator('#model .summary, #model .notice.error').first().waitFor();
  }

  /** Gives the page samples and waits until it lists them. */
  async addSamples(files: string[]): Promise<void> {
    await this.openStep('data');
    await this.page.locator('#data input[type=file]').first().setInputFiles(files);
    await this.page.locator('#data .step-number[data-done="true"]').waitFor();
  }

  /** Takes an example and waits until it can be quantized. */
  async useExample(name = 'Try the digit classifier'): Promise<void> {
    await this.page.getByRole('button', { name }).click();
    await this.ready();
  }

  /** Waits until the next action is to quantize. */
  async ready(): Promise<void> {
    await this.page.locator('#next:enabled', { hasText: /Quantize|开始量化/ }).waitFor();
  }

  /** Fills in what Python's function does by itself. */
  async likePython(): Promise<void> {
    await this.openStep('target');
    await this.page.getByText('Exactly like Python’s defaults').click();
    await this.page.locator('#target .step-line', { hasText: 'QOperator' }).waitFor();
  }

  /** Holds out so many samples. */
  async holdOut(count: number): Promise<void> {
    await this.openStep('data');
    await this.page.getByLabel('Hold out').fill(String(count));
  }

  async chooseFormat(format: QuantFormat): Promise<void> {
    await this.openDetails('Format and types');
    await this.page.locator('#target .segments').getByText(format, { exact: true }).click();
    await this.chosenFormat(format).waitFor({ state: 'attached' });
  }

  /** Opens a disclosure of step 4. */
  async openDetails(title: string): Promise<void> {
    await this.openStep('target');
    const details = this.page.locator('#target details', { hasText: title }).first();
    if ((await details.getAttribute('open')) === null) {
      await details.locator('summary').click();
    }
  }

  /** The radio button of a format, while it is the chosen one. */
  chosenFormat(format: QuantFormat): Locator {
    return this.page.locator(`#target input[type=radio][value=${format}]:checked`);
  }

  /** Drops files on the middle of the page, in one go. */
  async drop(files: string[]): Promise<void> {
    const contents = files.map((file) => [
      path.basename(file),
      fs.readFileSync(file).toString('base64'),
    ]);
    await this.page.evaluate((list) => {
      const transfer = new DataTransfer();
      for (const [name, base64] of list) {
        const bytes = Uint8Array.from(atob(base64!), (letter) => letter.charCodeAt(0));
        transfer.items.add(new File([bytes], name!));
      }
      for (const type of ['dragover', 'drop']) {
        const event = new DragEvent(type, {
          dataTransfer: transfer,
          bubbles: true,
          cancelable: true,
        });
        document.querySelector('main')!.dispatchEvent(event);
      }
    }, contents);
  }

  /** Drops a folder as the system does, which a script in the page cannot. */
  async dropFolder(folder: string): Promise<void> {
    const session = await this.page.context().newCDPSession(this.page);
    const data = { items: [], files: [path.resolve(folder)], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: 200, y: 200, data });
    }
    await session.detach();
  }

  /** The text of a part of the page as people see it. */
  text(selector: string): Promise<string> {
    // biome-ignore lint/performance/useDomNodeTextContent: what is hidden must not count
    return this.page.locator(selector).innerText();
  }

  /** The one next action, at the foot of the page. */
  get next() {
    return this.page.locator('#next');
  }

  /** Waits for the end of a run: its result, compared on all samples, or its error. */
  async ended(run: number): Promise<void> {
    const result = this.page.locator(`#report .result[data-run="${run}"][data-whole="true"]`);
    await result.or(this.page.locator('#run .notice.error')).first().waitFor();
  }

  /** Quantizes and waits for a result or an error; returns the text of the step that says it. */
  async quantize(): Promise<string> {
    const before = Number(
      await this.page
        .locator('#report')
        .getAttribute('data-runs')
        .catch(() => '0'),
    );
    if (/^Quantize/.test((await this.next.textContent()) ?? '')) {
      await this.page.locator('#next:enabled').waitFor();
      await this.next.click();
    } else {
      await this.openStep('run');
      await this.page.locator('#run').getByRole('button', { name: 'Quantize again' }).click();
    }
    await this.ended(before + 1);
    const failed = (await this.page.locator('#run .notice.error').count()) > 0;
    return this.text(failed ? '#run' : '#report');
  }

  /** Waits until the element in focus has this text. */
  focused(text: string): Promise<void> {
    return until(`"${text}" has the focus`, async () => (await this.focus()) === text);
  }

  /** The text of the element in focus. */
  focus(): Promise<string | undefined> {
    return this.page.evaluate(() => document.activeElement?.textContent?.trim());
  }

  async download(button = 'Download model'): Promise<{ name: string; bytes: Buffer }> {
    await this.openStep('download');
    const [download] = await Promise.all([
      this.page.waitForEvent('download'),
      this.page.locator('#download').getByRole('button', { name: button }).click(),
    ]);
    return {
      name: download.suggestedFilename(),
      bytes: fs.readFileSync(await download.path()),
    };
  }

  async close(): Promise<void> {
    await this.#close();
    assert.deepEqual(this.errors, []);
  }
}
