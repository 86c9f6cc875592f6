// Files larger than fs.readFileSync takes, sparse so that they cost no disk; in memory where the
// system has such a folder, which reads holes in a third of the time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readWhole } from '#dist/platform/read-whole.js';

const size = 2 ** 31 + 4096;

test('a file of more than 2 GiB is read to its end', (t) => {
  if (os.freemem() < 2 * size) return t.skip('needs 4 GiB of memory');
  const memory = '/dev/shm';
  const where = fs.existsSync(memory) ? memory : os.tmpdir();
  const folder = fs.mkdtempSync(path.join(where, 'ptq-whole-'));
  try {
    const file = path.join(folder, 'weights.bin');
    const fd = fs.openSync(file, 'w');
    fs.writeSync(fd, Uint8Array.of(1, 2, 3), 0, 3, size - 3);
    fs.closeSync(fd);
    const bytes = readWhole(file);
    assert.equal(bytes.length, size);
    assert.deepEqual([...bytes.subarray(size - 4)], [0, 1, 2, 3]);
    assert.throws(() => readWhole(file, size - 1), {
      code: 'OUT_OF_MEMORY',
      message: /weights\.bin has 2\.0 GiB/,
    });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
