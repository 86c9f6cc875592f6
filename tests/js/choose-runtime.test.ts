import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseRuntime } from '#dist/calibration/choose-runtime.js';
import type { PassModel } from '#dist/calibration/runner.js';
import type { Runtime } from '#dist/platform/platform.js';

/** An onnxruntime that takes `ms` for a sample. */
function runtimeOf(kind: Runtime['kind'], ms: number): Runtime {
  const session = {
    outputNames: ['ranges'],
    release: async () => {},
    async run() {
      await new Promise((wake) => setTimeout(wake, ms));
      return { ranges: { type: 'float32', dims: [2], data: Float32Array.of(-1, 1) } };
    },
  };
  const ort = { env: {}, Tensor: Object, InferenceSession: { create: async () => session } };
  return { kind, ort: ort as never, threads: 1 };
}

const pass = {
  label: 'the model',
  model: new Uint8Array(),
  externalData: [],
  outputs: ['ranges'],
  tensors: null,
} as unknown as PassModel;

const chosen = (gpu: number, wasm: number, workers: number) =>
  chooseRuntime(
    { gpu: runtimeOf('webgpu', gpu), wasm: runtimeOf('web', wasm), workers },
    pass,
    undefined as never,
    {},
    ['x'],
  );

test('the GPU calibrates where it is faster than one worker after the other', async () => {
  const { runtime, note } = await chosen(1, 100, 1);
  assert.equal(runtime.kind, 'webgpu');
  assert.equal(note.code, 'WEBGPU_MEASURED');
  assert.match(note.message, /the GPU calibrates/);
});

test('it does not where all workers together are faster', async () => {
  const { runtime, note } = await chosen(30, 100, 16);
  assert.equal(runtime.kind, 'web');
  assert.match(note.message, /16 at a time: WebAssembly calibrates/);
});
