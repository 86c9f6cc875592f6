import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionTurns } from '#dist/diagnosis/session-turns.js';
import type { RuntimeSession } from '#dist/runtime/runtime.js';

test('one session is loaded at a time, and the same one runs on', async () => {
  let loaded = 0;
  let most = 0;
  const loads: string[] = [];
  const turns = new SessionTurns();
  const sessionOf = (name: string) =>
    turns.session(async () => {
      loads.push(name);
      most = Math.max(most, ++loaded);
      return {
        outputNames: [name],
        outputTypes: () => ({}),
        run: async () => ({ [name]: { type: 'float32', dims: [], data: new Float32Array(1) } }),
        release: async () => {
          loaded--;
        },
      } satisfies RuntimeSession;
    });
  const [float, quantized] = [sessionOf('float'), sessionOf('quantized')];
  for (const one of [float, float, quantized, float]) await one.run({}, []);
  assert.deepEqual(Object.keys(await quantized.run({}, [])), ['quantized']);
  assert.deepEqual(loads, ['float', 'quantized', 'float', 'quantized']);
  assert.equal(most, 1);
  await float.release();
  await quantized.release();
  assert.equal(loaded, 0);
});
