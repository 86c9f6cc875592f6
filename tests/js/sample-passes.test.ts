// Samples in passes: whatever a reader is, the first look at its samples loses none of them, and a
// later pass has the same ones or is an error.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Feeds, SampleSlice } from '#dist/base/types.js';
import { SamplePasses } from '#dist/calibration/sample-passes.js';
import { calibrate } from '#dist/index.js';
import type { SampleInput } from '#dist/samples/samples.js';
import { imageSamples, model } from './support/pipeline.js';
import { input, modelOf } from './support/readers.js';

const x = modelOf(input('x', 'float32', [1]));
const sample = (value: number): Feeds => ({
  x: { type: 'float32', dims: [1], data: Float32Array.of(value) },
});
const five = () => [100, 1, 2, 3, 4].map(sample);
const valuesOf = async (passes: AsyncIterable<Feeds | null>) => {
  const values: number[] = [];
  for await (const feeds of passes) values.push(Number(feeds?.x?.data[0]));
  return values;
};

/** An array of the reader's own, filled again for each sample. */
function reusing(): SampleInput {
  const data = new Float32Array(1);
  const values = [100, 1, 2, 3, 4];
  let next = 0;
  return {
    getNext() {
      if (next === values.length) return null;
      data[0] = values[next++]!;
      return { x: { type: 'float32', dims: [1], data } };
    },
    rewind() {
      next = 0;
    },
  };
}

function reader(rewinds: boolean): SampleInput {
  const samples = five();
  let next = 0;
  const getNext = () => samples[next++] ?? null;
  const rewind = () => {
    next = 0;
  };
  return rewinds ? { getNext, rewind } : { getNext };
}

function shared(): SampleInput {
  const samples = five().values();
  return { [Symbol.iterator]: () => ({ next: () => samples.next() }) } as Iterable<Feeds>;
}

/** Every kind of reader, and whether it can be read a second time. */
const readers: Record<string, [() => SampleInput, boolean]> = {
  'an array': [five, true],
  'an iterable': [() => new Set(five()), true],
  'an async iterable': [
    () => ({
      async *[Symbol.asyncIterator]() {
        yield* five();
      },
    }),
    true,
  ],
  'getNext() and rewind()': [() => reader(true), true],
  'getNext() and rewind(), one array for all samples': [reusing, true],
  'getNext() alone': [() => reader(false), true],
  'a generator': [() => five().values() as unknown as Iterable<Feeds>, true],
  'an async generator': [
    () =>
      (async function* () {
        yield* five();
      })(),
    true,
  ],
  'a Readable': [() => Readable.from(five()) as AsyncIterable<Feeds>, true],
  'a ReadableStream': [
    () =>
      new ReadableStream<Feeds>({
        start(controller) {
          for (const one of five()) controller.enqueue(one);
          controller.close();
        },
      }) as unknown as AsyncIterable<Feeds>,
    true,
  ],
  'an iterable that gives its samples once': [shared, false],
};

const every: SampleSlice = { first: 0, step: 1 };

for (const [name, [make, again]] of Object.entries(readers)) {
  test(`${name}: no sample is lost to the first look, nor in a second pass`, async () => {
    const samples = new SamplePasses(make(), x);
    assert.equal((await samples.peek())?.x?.data[0], 100);
    assert.equal((await samples.peek())?.x?.data[0], 100);
    assert.deepEqual(await valuesOf(samples.pass(every, true)), [100, 1, 2, 3, 4]);
    if (again) assert.deepEqual(await valuesOf(samples.pass(every, false)), [100, 1, 2, 3, 4]);
    else {
      await assert.rejects(valuesOf(samples.pass(every, false)), {
        code: 'READER_CANNOT_REWIND',
        message: /there were 0 instead of 5/,
      });
    }
    await samples.close();
  });

  test(`${name}: a slice of it, looked at first`, async () => {
    const slice = { first: 1, step: 2 };
    const samples = new SamplePasses(make(), x, slice);
    assert.equal((await samples.peek())?.x?.data[0], 1);
    assert.deepEqual(await valuesOf(samples.pass(slice, false)), [1, 3]);
  });

  test(`${name}: without a look`, async () => {
    const samples = new SamplePasses(make(), x);
    assert.deepEqual(await valuesOf(samples.pass(every, false)), [100, 1, 2, 3, 4]);
  });
}

test('a slice that has nothing gives the shapes of the first sample of all', async () => {
  const slice = { first: 5, step: 7 };
  const samples = new SamplePasses(five(), x, slice);
  assert.equal((await samples.peek())?.x?.data[0], 100);
  assert.deepEqual(await valuesOf(samples.pass(slice, false)), []);
  assert.equal(await new SamplePasses([], x).peek(), null);
});

test('a pass that goes on in the middle ends where a whole one does', async () => {
  const rest = { first: 3, step: 1 };
  const samples = new SamplePasses(five(), x, rest);
  assert.deepEqual(await valuesOf(samples.pass(rest, true)), [3, 4]);
  assert.deepEqual(await valuesOf(samples.pass(every, false)), [100, 1, 2, 3, 4]);
});

test('more samples than in the pass before are an error, too', async () => {
  let count = 5;
  const growing = {
    *[Symbol.iterator]() {
      yield* Array.from({ length: count++ }, (_, i) => sample(i));
    },
  };
  const samples = new SamplePasses(growing, x);
  await valuesOf(samples.pass(every, true));
  await assert.rejects(valuesOf(samples.pass(every, false)), /there were 6 instead of 5/);
});

/** A shipped source, which says what it decodes; its second file is passed over. */
function source() {
  const decoded: number[] = [];
  async function* open(slice: SampleSlice = every) {
    for (let i = slice.first; i < 5; i += slice.step) {
      decoded.push(i);
      yield i === 1 ? null : five()[i]!;
    }
  }
  const input = {
    length: 5,
    describe: () => '',
    open,
    openUsable: (_: unknown, s: SampleSlice) => open(s),
  };
  return { decoded, input: input as unknown as SampleInput };
}

test('what a source decoded is held for later passes as far as there is room', async () => {
  const { decoded, input } = source();
  const samples = new SamplePasses(input, x, every, () => {});
  await samples.peek();
  samples.holdUpTo(8); // two of these
  for (const again of [true, true, false]) {
    const values: number[] = [];
    for await (const feeds of samples.pass(every, again)) {
      values.push(Number(feeds?.x?.data[0]));
      // As a worker does that is handed the array.
      const data = feeds?.x?.data as Float32Array<ArrayBuffer> | undefined;
      if (data) structuredClone(data, { transfer: [data.buffer] });
    }
    assert.deepEqual(values, [100, Number.NaN, 2, 3, 4]);
  }
  assert.deepEqual(decoded, [0, 1, 2, 3, 4, 3, 4, 3, 4]);
});

test('what is held is of the slice that it was read from', async () => {
  const { decoded, input } = source();
  const rest = { first: 3, step: 1 };
  const samples = new SamplePasses(input, x, rest, () => {});
  samples.holdUpTo(100);
  assert.deepEqual(await valuesOf(samples.pass(rest, true)), [3, 4]);
  assert.deepEqual(await valuesOf(samples.pass(every, false)), [100, Number.NaN, 2, 3, 4]);
  assert.deepEqual(decoded, [3, 4, 0, 1, 2, 3, 4]);
});

test('what was begun is ended', async () => {
  let ended = 0;
  const generator = (async function* () {
    try {
      yield* five();
    } finally {
      ended++;
    }
  })();
  const samples = new SamplePasses({ [Symbol.asyncIterator]: () => generator }, x);
  await samples.peek();
  await samples.close();
  assert.equal(ended, 1);
});

test('a reader with rewind() counts its first sample in the ranges', async () => {
  const given = imageSamples(5);
  (given[0]!.image!.data as Float32Array).fill(100);
  let next = 0;
  const calibrationDataReader = {
    getNext: () => given[next++] ?? null,
    rewind() {
      next = 0;
    },
  };
  for (const calibrateMethod of ['MinMax', 'Percentile'] as const) {
    next = 0;
    const modelInput = model('classifier.onnx');
    const extraOptions = calibrateMethod === 'Percentile' ? { CalibPercentile: 100 } : {};
    const { samples, ranges } = await calibrate({
      modelInput,
      calibrationDataReader,
      calibrateMethod,
      extraOptions,
    });
    assert.equal(samples, 5);
    assert.ok(Math.abs(ranges!.image![1] - 100) < 0.1, `${calibrateMethod} ${ranges!.image}`);
  }
});
