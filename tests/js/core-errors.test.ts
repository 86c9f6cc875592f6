// Errors that leave the core: they take nothing with them, so that a process can go on for ever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuantizeError } from '#dist/base/errors.js';
import { checkOptionsInCore } from '#dist/core/check-options.js';
import { loadCore } from '#dist/core/load.js';
import { inspectModel } from '#dist/index.js';

const refused = (work: () => unknown, code: string) =>
  assert.throws(work, (error) => error instanceof QuantizeError && error.code === code);

test('3,000 refused options leave stack and heap of the core as they were', async () => {
  const core = await loadCore();
  const refuse = () => refused(() => checkOptionsInCore(core, { nonsense: 1 }), 'INVALID_OPTION');
  refuse();
  const stack = core.stackSave();
  for (let i = 0; i < 1000; i++) refuse();
  const heap = core.HEAPU8.length;
  for (let i = 0; i < 2000; i++) refuse();
  assert.equal(core.stackSave(), stack);
  assert.equal(core.HEAPU8.length, heap);
});

test('15,000 refused models end in the same error as the first, and a good one is read', async () => {
  const core = await loadCore();
  const broken = Uint8Array.of(8, 8, 58, 100, 1);
  const inspect = () => inspectModel(broken);
  const isSame = (error: unknown) =>
    error instanceof QuantizeError && error.code === 'TRUNCATED_MODEL';
  await assert.rejects(inspect(), isSame);
  const stack = core.stackSave();
  for (let i = 0; i < 15_000; i++) await assert.rejects(inspect(), isSame);
  assert.equal(core.stackSave(), stack);
  const { nodes } = await inspectModel('tests/fixtures/pipeline/classifier.onnx');
  assert.ok(nodes > 0);
});
