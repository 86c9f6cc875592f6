import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { freeBuffer } from '#dist/base/free-buffer.js';
import { heapAnchor } from '#dist/base/heap-anchor.js';

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

// glibc's allocator is what it is about.
const isGlibc = 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header;

test('with an anchor the same pages serve sample after sample', { skip: !isGlibc }, async () => {
  freeBuffer(new Float32Array(4096));
  await setTimeout(20); // until it is known that nobody listens
  const arrays = 40;
  const bytes = 2e6;
  const cycles = 10;
  let anchor: Uint8Array | null = null;
  let before = 0;
  for (let i = -2; i < cycles; i++) {
    const sample = Array.from({ length: arrays }, () => new Uint8Array(bytes).fill(1));
    anchor ??= heapAnchor();
    for (const array of sample) freeBuffer(array);
    if (i === -1) before = process.resourceUsage().minorPageFault;
  }
  const taken = process.resourceUsage().minorPageFault - before;
  const pages = (cycles * arrays * bytes) / 4096;
  assert.ok(taken < pages / 10, `${taken} of ${pages} pages were taken from the system again`);
  assert.equal(anchor?.length, 256 * 1024);
});
