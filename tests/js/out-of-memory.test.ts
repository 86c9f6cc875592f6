// Where the process may not reserve the address space that WebAssembly wants, as under a batch
// system's limits.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const kibibytes = 8_000_000; // Node starts with it; a module's memory alone reserves more

test('under a limit of address space the command names it, in one message, and writes nothing', (t) => {
  if (process.platform !== 'linux') return t.skip('ulimit -v is heeded on Linux');
  const folder = mkdtempSync(join(tmpdir(), 'ptq-limit-'));
  try {
    const output = join(folder, 'result.onnx');
    const argv = [
      ...['dist/node/cli.js', '-q', '-i', 'examples/digits/model/digits-mobilenetv2.onnx'],
      ...['-o', output, '--calibrate_dataset', 'examples/digits/images/calib'],
    ];
    const command = `ulimit -v ${kibibytes} && exec "$0" "$@"`;
    const { status, stderr } = spawnSync('bash', ['-c', command, process.execPath, ...argv], {
      encoding: 'utf8',
    });
    assert.equal(status, 1, stderr);
    const [message, hint, ...more] = stderr.trimEnd().split('\n');
    assert.match(message ?? '', /^error: no memory for the wasm core: /);
    assert.match(hint ?? '', /ulimit -v/);
    assert.deepEqual(more, []);
    assert.ok(!existsSync(output));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
