// What `npm run example` runs and prints: a newcomer's first command.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

test('the example quantizes its model and keeps the accuracy that it prints', () => {
  const text = execFileSync(process.execPath, ['examples/run.mjs'], { encoding: 'utf8' });
  const [, float, quantized] = /accuracy\s+([\d.]+) %\s+([\d.]+) %/.exec(text) ?? [];
  assert.ok(Number(float) > 99, text);
  assert.ok(Number(quantized) > Number(float) - 1, text);
  assert.match(text, /SQNR \d\d\.\d dB/);
  assert.match(text, /44 nodes quantized, 0 left in float/);
  assert.match(text, /npx onnx-ptq --input_model/);
});
