import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryFile } from '#dist/base/memory-file.js';

const pattern = (length: number, start = 0) =>
  Uint8Array.from({ length }, (_, i) => (start + i) * 31 + ((start + i) >> 8));

test('appended pieces are read back anywhere, across blocks', () => {
  const file = new MemoryFile();
  const sizes = [1, 1000, 1 << 20, 3, (1 << 21) + 5];
  let total = 0;
  for (const size of sizes) {
    file.append(pattern(size, total));
    total += size;
  }
  assert.equal(file.size, total);
  const all = pattern(total);
  assert.deepEqual(file.toBytes(), all);
  for (const [offset, length] of [
    [0, 10],
    [(1 << 20) - 3, 7],
    [5, (1 << 21) + 9],
    [total - 4, 4],
    [total, 0],
  ] as const) {
    const into = new Uint8Array(length);
    file.read(offset, into);
    assert.deepEqual(into, all.slice(offset, offset + length));
  }
});

test('reading outside the file is an error', () => {
  const file = new MemoryFile();
  file.append(pattern(10));
  assert.throws(() => file.read(5, new Uint8Array(6)), RangeError);
  assert.throws(() => file.read(-1, new Uint8Array(1)), RangeError);
});

test('append copies: the source may change afterwards', () => {
  const file = new MemoryFile();
  const source = pattern(4);
  file.append(source);
  source.fill(255);
  assert.deepEqual(file.toBytes(), pattern(4));
});

test('truncate gives the memory back at once', () => {
  const file = new MemoryFile();
  file.append(pattern((1 << 20) + 5));
  const [kept, dropped] = file.parts();
  file.truncate(3);
  assert.deepEqual([kept!.length, dropped!.length], [1 << 20, 0]);
  file.truncate();
  assert.equal(kept!.length, 0);
});

test('truncate empties the file, which can be written again', () => {
  const file = new MemoryFile();
  file.append(pattern(1 << 20));
  file.truncate();
  assert.equal(file.size, 0);
  file.append(pattern(3));
  assert.deepEqual(file.toBytes(), pattern(3));
  assert.deepEqual(new Blob(file.parts()).size, 3);
});
