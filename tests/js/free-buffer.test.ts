import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { freeBuffer } from '#dist/base/free-buffer.js';

test('a large array gives its memory back, with all views of it', () => {
  const values = new Float32Array(4096);
  const part = values.subarray(10);
  freeBuffer(part);
  assert.equal(values.length, 0);
  assert.equal(part.length, 0);
  freeBuffer(values); // nothing is left
});

test('small and shared arrays stay as they are', () => {
  const small = Float32Array.of(1, 2);
  freeBuffer(small);
  assert.deepEqual(small, Float32Array.of(1, 2));
  const shared = new Float32Array(new SharedArrayBuffer(1 << 16));
  freeBuffer(shared);
  assert.equal(shared.length, 1 << 14);
});

test('memory does not grow with what was freed, whenever the collector runs', async () => {
  freeBuffer(new Float32Array(4096));
  await setTimeout(20); // until it is known that nobody listens
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 200; i++) freeBuffer(new Float32Array(1 << 20).fill(i));
  assert.ok(process.memoryUsage().rss - before < 200 * 2 ** 20);
});
