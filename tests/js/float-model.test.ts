// The float model that results are compared with runs a sample once, however often it is asked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InputFiles } from '#dist/base/bytes.js';
import type { Feeds, ModelSummary } from '#dist/base/types.js';
import type { Runtime } from '#dist/platform/platform.js';
import { FloatModel, type FloatOutputs } from '#dist/verify/float-model.js';

const sample = (value: number): Feeds => ({
  x: { type: 'float32', dims: [1], data: Float32Array.of(value) },
});

/** A runtime that counts: y is twice x, `size` times. */
function counting(size: number) {
  const counts = { sessions: 0, runs: 0, released: 0 };
  const runtime = {
    kind: 'node',
    ort: {
      env: {},
      Tensor: class {
        constructor(
          readonly type: string,
          readonly data: Float32Array,
          readonly dims: number[],
        ) {}
      },
      InferenceSession: {
        create: async () => {
          counts.sessions++;
          return {
            inputNames: ['x'],
            outputNames: ['y'],
            run: async ({ x }: { x: { data: Float32Array } }) => {
              counts.runs++;
              const data = new Float32Array(size).fill(2 * x.data[0]!);
              return { y: { type: 'float32', dims: [size], data, dispose() {} } };
            },
            release: async () => {
              counts.released++;
            },
          };
        },
      },
    },
  } as unknown as Runtime;
  return { runtime, counts };
}

const input = { label: 'a model', runtimeBytes: () => new Uint8Array(8) } as unknown as InputFiles;
const summary = {
  irVersion: 8,
  externalFiles: [],
  outputs: [{ name: 'y', type: 'float32' }],
} as unknown as ModelSummary;
const nothing = async () => {};

test('a sample is run once, and a session is loaded for what has to be run only', async () => {
  const { runtime, counts } = counting(1);
  const known: FloatOutputs = new WeakMap();
  const [a, b] = [sample(1), sample(2)];
  const float = new FloatModel(runtime, input, summary, known);
  await float.outputsOf([a], nothing);
  assert.deepEqual(float.unknownOf([a, b]), [b]);
  const outputs = await float.outputsOf([a, b], nothing);
  assert.deepEqual(
    outputs.map(({ y }) => y!.data[0]),
    [2, 4],
  );
  await float.release();
  assert.deepEqual(counts, { sessions: 1, runs: 2, released: 1 });

  const later = new FloatModel(runtime, input, summary, known);
  await later.outputsOf([b, a], nothing);
  await later.release();
  assert.equal(counts.sessions, 1);
});

test('large outputs are not kept', async () => {
  const { runtime, counts } = counting(2 ** 20);
  const float = new FloatModel(runtime, input, summary);
  const a = sample(3);
  await float.outputsOf([a], nothing);
  assert.deepEqual(float.unknownOf([a]), [a]);
  const [outputs] = await float.outputsOf([a], nothing);
  assert.equal(outputs!.y!.data[0], 6);
  await float.release();
  assert.equal(counts.runs, 2);
});
