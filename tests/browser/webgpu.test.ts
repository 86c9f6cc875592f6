// Calibration on WebGPU in Chromium, whose own renderer in software (SwiftShader) is the GPU: slow,
// but with the kernels and the rounding of one.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { CalibrateOptions, CalibrateResult } from 'onnx-ptq';
import { calibrate } from 'onnx-ptq';
import type { Browser, Page } from 'playwright-core';
import { launch, patience, skipBrowser } from './support/browser.js';
import { type StaticServer, serve } from './support/server.js';

const modelFile = 'tests/fixtures/pipeline/classifier.onnx';
const imports = {
  fflate: '/node_modules/fflate/esm/browser.js',
  flatbuffers: '/node_modules/flatbuffers/mjs/flatbuffers.js',
  '@noble/hashes/utils': '/node_modules/@noble/hashes/esm/utils.js',
  '@noble/hashes/sha2': '/node_modules/@noble/hashes/esm/sha2.js',
  '@noble/hashes/crypto': '/node_modules/@noble/hashes/esm/crypto.js',
  'onnxruntime-web/wasm': '/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs',
  'onnxruntime-web/webgpu': '/node_modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs',
};
const html = `<!doctype html><title>The library</title>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">globalThis.ptq = await import('/dist/browser.js');</script>`;

type Options = Pick<CalibrateOptions, 'runtime' | 'calibrateMethod'>;
type Outcome = Pick<CalibrateResult, 'ranges' | 'diagnostics'> | { code: string; message: string };

const samples = (count: number) =>
  Array.from({ length: count }, (_, sample) => ({
    image: {
      type: 'float32' as const,
      dims: [1, 3, 8, 8],
      data: Float32Array.from({ length: 192 }, (_, i) => Math.sin(i * (sample + 1.3))),
    },
  }));

/** Calibrates in the page, whose functions see nothing of this file. */
async function inBrowser(page: Page, options: Options): Promise<Outcome> {
  await page.waitForFunction('globalThis.ptq !== undefined', undefined, { timeout: patience });
  return page.evaluate(
    async ({ model, options, samples }) => {
      const { ptq } = globalThis as unknown as { ptq: typeof import('../../dist/browser.js') };
      const name = 'onnxruntime-web/webgpu';
      ptq.setWebGpuRuntime(() => import(name));
      const feeds = samples.map(({ image: { type, dims, data } }) => ({
        image: { type, dims, data: Float32Array.from(data) },
      }));
      try {
        const { ranges, diagnostics } = await ptq.calibrate({
          modelInput: Uint8Array.from(model),
          calibrationDataReader: feeds,
          ...options,
        });
        return { ranges, diagnostics };
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        return { code, message };
      }
    },
    {
      model: [...fs.readFileSync(modelFile)],
      options,
      samples: samples(3).map(({ image }) => ({ image: { ...image, data: [...image.data] } })),
    },
  ) as Promise<Outcome>;
}

describe('calibration on WebGPU', { skip: skipBrowser }, () => {
  let browser: Browser;
  let server: StaticServer;
  let page: Page;

  const open = async (...more: string[]) => {
    browser = await launch(...more);
    page = await browser.newPage();
    await page.goto(`${server.origin}/library.html`);
  };
  before(async () => {
    server = await serve('.', { pages: { '/library.html': html } });
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  it('gives the ranges of WebAssembly, or leaves it to WebAssembly, and says which', async () => {
    await open('--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader');
    const found = await inBrowser(page, { runtime: 'webgpu' });
    assert.ok('ranges' in found, JSON.stringify(found));
    const codes = found.diagnostics.map(({ code }) => code);
    assert.ok(codes.includes('WEBGPU_MEASURED'), `the GPU ran the model: ${codes}`);
    const expected = await calibrate({
      modelInput: modelFile,
      calibrationDataReader: samples(3),
      runtime: 'web',
    });
    assert.deepEqual(Object.keys(found.ranges ?? {}), Object.keys(expected.ranges ?? {}));
    for (const [tensor, ends] of Object.entries(expected.ranges ?? {})) {
      const limit = 1e-5 * Math.max(...ends.map(Math.abs));
      for (const [i, end] of ends.entries()) {
        const given = found.ranges?.[tensor]?.[i] as number;
        assert.ok(Math.abs(given - end) <= limit, `${tensor}: ${given} instead of ${end}`);
      }
    }
    await browser.close();
  });

  it('is refused where the browser has WebGPU but no GPU', async () => {
    await open('--enable-unsafe-webgpu');
    await page.addInitScript('navigator.gpu.requestAdapter = async () => null');
    await page.reload();
    const found = await inBrowser(page, { runtime: 'webgpu' });
    assert.ok('code' in found, 'it calibrated');
    assert.equal(found.code, 'RUNTIME_NOT_AVAILABLE');
    await browser.close();
  });
});
