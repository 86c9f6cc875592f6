// A result that has to be there at once is compared on few samples, on a slow machine on fewer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InputFiles } from '#dist/base/bytes.js';
import { Run } from '#dist/base/run.js';
import type { Feeds, ModelSummary } from '#dist/base/types.js';
import type { Runtime } from '#dist/platform/platform.js';
import type { RuntimeSession } from '#dist/runtime/runtime.js';
import { FloatModel, type FloatOutputs } from '#dist/verify/float-model.js';
import { verifyResult } from '#dist/verify/verify-result.js';

const samples = Array.from(
  { length: 16 },
  (_, i): Feeds => ({ x: { type: 'float32', dims: [1], data: Float32Array.of(i) } }),
);
const outputs = { y: { type: 'float32', dims: [1], data: Float32Array.of(1) } };
const summary = { irVersion: 8, outputs: [{ name: 'y', type: 'float32' }] } as ModelSummary;
const quick = { isQuick: true, isTimed: false };

/** Which samples a quantized model was run on whose runs take so many milliseconds. */
async function runOn(ms: number, known: readonly Feeds[], amount = quick) {
  const seen: number[] = [];
  const load = async (): Promise<RuntimeSession> => ({
    outputNames: ['y'],
    outputTypes: () => ({}),
    async run({ x }) {
      seen.push(x!.data[0] as number);
      await new Promise((done) => setTimeout(done, ms));
      return outputs;
    },
    release: async () => {},
  });
  const floats: FloatOutputs = new WeakMap(known.map((sample) => [sample, outputs]));
  const float = new FloatModel({} as Runtime, {} as InputFiles, summary, floats);
  float.outputsOf = async (asked) => asked.map(() => outputs);
  const held = { samples: 0, kept: [], held: samples, heldInRanges: false };
  const quality = await verifyResult(new Run({}), float, load, summary, held, amount);
  assert.equal(quality.samples, seen.length);
  return seen;
}

test('8 samples tell, spread over all', async () => {
  assert.deepEqual(await runOn(0, samples), [1, 5, 9, 13, 3, 7, 11, 15]);
});

test('on a slow machine 4 do, which are spread over all, too', async () => {
  assert.deepEqual(await runOn(150, samples), [1, 5, 9, 13]);
});

test('all 8 are run where the float model has to run them for the first time', async () => {
  assert.equal((await runOn(150, samples.slice(0, 1))).length, 8);
});

test('who has time runs all of them', async () => {
  assert.equal((await runOn(30, samples, { isQuick: false, isTimed: false })).length, 16);
});
