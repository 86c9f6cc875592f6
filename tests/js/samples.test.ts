import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuantizeError } from '#dist/base/errors.js';
import type { Feeds, ModelSummary, ValueSummary } from '#dist/base/types.js';
import { checkSample, copySample, openSamples, type SampleInput } from '#dist/samples/samples.js';

const inputs: ValueSummary[] = [
  { name: 'x', type: 'float32', shape: ['N', 3, 2, 2] },
  { name: 'ids', type: 'int64', shape: [null] },
];
const good = (): Feeds => ({
  x: { type: 'float32', dims: [1, 3, 2, 2], data: new Float32Array(12) },
  ids: { type: 'int64', dims: [4], data: new BigInt64Array(4) },
});
const model = { inputs } as ModelSummary;

function refused(change: (feeds: Feeds) => void, message: RegExp, hint?: RegExp): void {
  const feeds = good();
  change(feeds);
  assert.throws(
    () => checkSample(feeds, inputs, 2),
    (error) => {
      assert.ok(error instanceof QuantizeError);
      assert.equal(error.code, 'INVALID_DATA');
      assert.match(error.message, message);
      if (hint) assert.match(error.hint ?? '', hint);
      return true;
    },
  );
}

test('a sample that fits passes; symbolic and unknown dimensions take any size', () => {
  checkSample(good(), inputs, 0);
  const feeds = good();
  feeds.x = { type: 'float32', dims: [7, 3, 2, 2], data: new Float32Array(84) };
  checkSample(feeds, inputs, 0);
});

test('errors name the input, what it expects, the sample and what it has', () => {
  refused((feeds) => {
    feeds.x = { type: 'float32', dims: [1, 3, 2, 3], data: new Float32Array(18) };
  }, /^input 'x' expects float32 \[N,3,2,2\], sample 3 has float32 \[1,3,2,3\]$/);
  refused((feeds) => {
    feeds.x = { type: 'float64', dims: [1, 3, 2, 2], data: new Float64Array(12) };
  }, /expects float32 .* has float64/);
  refused((feeds) => {
    feeds.x = { type: 'float32', dims: [3, 2, 2], data: new Float32Array(12) };
  }, /sample 3 has float32 \[3,2,2\]/);
});

test('missing, unknown and short inputs are refused', () => {
  refused((feeds) => {
    delete feeds.ids;
  }, /sample 3 has no input 'ids'/);
  refused(
    (feeds) => {
      feeds.idx = feeds.ids!;
    },
    /"idx", which is not an input/,
    /"ids"/,
  );
  refused((feeds) => {
    feeds.x = { type: 'float32', dims: [1, 3, 2, 2], data: new Float32Array(11) };
  }, /needs 12 values in a Float32Array, sample 3 has 11/);
  refused((feeds) => {
    feeds.ids = { type: 'int64', dims: [4], data: new Int32Array(4) };
  }, /BigInt64Array, sample 3 has 4 in a Int32Array/);
});

test('readers, iterables and async iterables give their samples', async () => {
  const list = [good(), good()];
  let next = 0;
  async function* generate() {
    yield* list;
  }
  const forms: SampleInput[] = [list, generate(), { getNext: () => list[next++] ?? null }];
  for (const form of forms) {
    let count = 0;
    for await (const sample of openSamples(form, model).samples) {
      assert.equal(sample, list[count++]);
    }
    assert.equal(count, 2);
  }
  assert.equal(openSamples(list, model).length, 2);
});

test('what has no samples is refused; a path says what to do', () => {
  const open = (value: unknown) => openSamples(value as SampleInput, model);
  assert.throws(() => open({}), /expected a reader/);
  assert.throws(
    () => open('images/'),
    (error) => error instanceof QuantizeError && /datasetReader/.test(error.hint ?? ''),
  );
});

test('a kept sample is a copy', () => {
  const feeds = good();
  const copy = copySample(feeds);
  (feeds.x!.data as Float32Array)[0] = 5;
  assert.equal(copy.x!.data[0], 0);
});
