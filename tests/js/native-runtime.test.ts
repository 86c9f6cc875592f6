// onnxruntime-node as it may be found: there, not installed, broken.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadNativeRuntime } from '#dist/platform/native-runtime.js';

const failing = (code: string, message: string) => () => {
  throw Object.assign(new Error(message), { code });
};

test('what is not installed is null', () => {
  const load = failing('MODULE_NOT_FOUND', "Cannot find module 'onnxruntime-node'\nRequire stack:");
  assert.equal(loadNativeRuntime(load), null);
});

test('what is installed and cannot be loaded is called broken, with the reason', () => {
  for (const [code, message] of [
    ['MODULE_NOT_FOUND', "Cannot find module '../bin/napi-v6/linux/x64/onnxruntime_binding.node'"],
    ['ERR_DLOPEN_FAILED', 'libonnxruntime.so.1: cannot open shared object file\nmore'],
    ['MODULE_NOT_FOUND', "Cannot find module 'onnxruntime-common'"],
  ] as const) {
    assert.throws(() => loadNativeRuntime(failing(code, message)), {
      code: 'RUNTIME_NOT_AVAILABLE',
      message: `onnxruntime-node is installed but broken: ${message.split('\n')[0]}`,
      hint: /install it again/,
    });
  }
});

test('it is loaded only where the environment keeps it from reporting', () => {
  const before = process.env.ORT_DISABLE_TELEMETRY;
  assert.equal(before, '1', 'the library has set it');
  try {
    process.env.ORT_DISABLE_TELEMETRY = '0';
    assert.throws(() => loadNativeRuntime(() => assert.fail('loaded')), {
      code: 'RUNTIME_NOT_AVAILABLE',
      message: /would report how it is used/,
    });
  } finally {
    process.env.ORT_DISABLE_TELEMETRY = before;
  }
});
