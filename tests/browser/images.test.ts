// The same image gives the same tensor in Chromium and in Node, bit for bit; and the library runs
// in a browser as it is, without a bundler.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { datasetReader, type ModelSummary, QuantizeError } from 'onnx-ptq';
import type { Browser, Page } from 'playwright-core';
import { launch, patience, skipBrowser } from './support/browser.js';
import { type StaticServer, serve } from './support/server.js';

const folder = 'tests/fixtures/image';
const images = fs.readdirSync(folder).filter((name) => /\.(jpg|png)$/.test(name));

const model = (type: string, ...shape: (number | string)[]): ModelSummary => ({
  inputs: [{ name: 'x', type, shape }],
  outputs: [],
  opset: 13,
  irVersion: 8,
  producer: '',
  nodes: 0,
  opTypes: {},
  parameters: 0,
  externalFiles: [],
  alreadyQuantized: false,
});

const cases: [string, ModelSummary, string | undefined][] = [
  ['guessed, centre crop', model('float32', 'N', 3, 224, 224), undefined],
  ['ImageNet', model('float32', 1, 3, 96, 128), 'imagenet interpolation=bicubic'],
  ['letterbox, BGR', model('float32', 1, 3, 160, 160), 'yolox'],
  ['luma, float16', model('float16', 1, 1, 28, 28), undefined],
  ['NHWC, bytes', model('uint8', 1, 64, 48, 3), undefined],
];

/**
 * Tensor of a file as "dims sha256", or "code" of the error. Runs in Node and, as text, in the
 * browser.
 */
type Describe = (file: string, model: ModelSummary, preprocess?: string) => Promise<string>;

const inNode: Describe = async (file, summary, preprocess) => {
  try {
    const reader = datasetReader([file], { preprocess });
    for await (const { x } of reader.open(summary)) {
      const { buffer, byteOffset, byteLength } = x!.data as Float32Array;
      const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
      return `${x!.dims} ${createHash('sha256').update(bytes).digest('hex')}`;
    }
    return 'nothing';
  } catch (error) {
    if (error instanceof QuantizeError) return error.code;
    throw error;
  }
};

describe('images in the browser', { skip: skipBrowser }, () => {
  let browser: Browser;
  let server: StaticServer;
  let page: Page;

  before(async () => {
    browser = await launch();
    const modules = JSON.stringify({
      imports: {
        'onnx-ptq': '/dist/browser.js',
        'onnxruntime-web/wasm': '/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs',
        '@jsquash/jpeg/': '/node_modules/@jsquash/jpeg/',
        fflate: '/node_modules/fflate/esm/browser.js',
        '@noble/hashes/sha2': '/node_modules/@noble/hashes/esm/sha2.js',
        '@noble/hashes/utils': '/node_modules/@noble/hashes/esm/utils.js',
        '@noble/hashes/crypto': '/node_modules/@noble/hashes/esm/crypto.js',
      },
    });
    const html = `<!doctype html><script type="importmap">${modules}</script>`;
    server = await serve('.', { pages: { '/': html } });
    page = await browser.newPage();
    page.setDefaultTimeout(patience);
    await page.goto(`${server.origin}/`);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  const inBrowser: Describe = (file, summary, preprocess) =>
    page.evaluate(
      async ([url, name, input, option]) => {
        const { datasetReader, QuantizeError } = (await import(
          '/dist/browser.js' as string
        )) as typeof import('onnx-ptq');
        const file = new File([await (await fetch(url)).blob()], name);
        try {
          const reader = datasetReader([file], { preprocess: option });
          for await (const { x } of reader.open(input)) {
            const digest = await crypto.subtle.digest('SHA-256', x!.data as BufferSource);
            const hex = [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, '0'));
            return `${x!.dims} ${hex.join('')}`;
          }
          return 'nothing';
        } catch (error) {
          if (error instanceof QuantizeError) return error.code;
          throw error;
        }
      },
      [`/${file}`, file.split('/').pop()!, summary, preprocess] as const,
    );

  it('has fixtures of every kind', () => {
    for (const kind of ['gray.jpg', 'exif_rotated.jpg', 'progressive.jpg', 'rgba.png']) {
      assert.ok(images.includes(kind), kind);
    }
  });

  for (const [title, summary, preprocess] of cases) {
    it(`become the tensors that Node makes: ${title}`, async () => {
      const tensors = new Set<string>();
      for (const name of images) {
        const expected = await inNode(`${folder}/${name}`, summary, preprocess);
        assert.equal(await inBrowser(`${folder}/${name}`, summary, preprocess), expected, name);
        tensors.add(expected);
      }
      assert.ok(tensors.size > images.length / 3, 'the images are not all the same');
    });
  }
});
