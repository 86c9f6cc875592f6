// What onnxruntime-web is given of a large model: the graph, and of the weights one tensor at a
// time. Bytes are counted.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MemoryFile } from '#dist/base/memory-file.js';
import { nodePlatform } from '#dist/platform/node.js';
import type { Runtime } from '#dist/platform/platform.js';
import { createSession } from '#dist/runtime/runtime.js';
import '#dist/set-up-node.js';
import { writeModel } from './support/onnx-writer.js';

const side = 1500;
const tensorBytes = side * side * 4;
const folder = mkdtempSync(join(tmpdir(), 'onnx-ptq-given-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'model.onnx');
let runtime: Runtime;
/** As onnxruntime makes them of the whole model. */
let expected: Float32Array;

const sample = {
  x: {
    type: 'float32' as const,
    dims: [1, side],
    data: Float32Array.from({ length: side }, (_, i) => Math.cos(i)),
  },
};

before(async () => {
  const pattern = Float32Array.from({ length: side }, (_, i) => Math.sin(i * 12.9898) / 8);
  const names = ['a', 'b'];
  writeModel(file, {
    nodes: [
      { opType: 'MatMul', name: 'first', inputs: ['x', 'a'], outputs: ['h'] },
      { opType: 'MatMul', name: 'second', inputs: ['h', 'b'], outputs: ['y'] },
    ],
    weights: names.map((name) => ({ name, dims: [side, side], pattern })),
    inputs: [{ name: 'x', dims: [1, side] }],
    outputs: [{ name: 'y', dims: [1, side] }],
  });
  runtime = await nodePlatform.loadRuntime({ kind: 'web' });
  const { ort } = runtime;
  const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(file)));
  const { x } = sample;
  const { y } = await session.run({ x: new ort.Tensor('float32', x.data, x.dims) });
  expected = y!.data as Float32Array;
  await session.release();
});

/** Records what becomes of files and of the bytes that onnxruntime gets. */
function counting(base: Runtime) {
  const counts = { largestRead: 0, read: 0, modelBytes: 0, open: 0 };
  const create = async (...[model, options]: Parameters<Create>) => {
    counts.modelBytes = (model as unknown as Uint8Array).length;
    return base.ort.InferenceSession.create(model, options);
  };
  const ort = { ...base.ort, env: base.ort.env, InferenceSession: { create } };
  const counted: Runtime = {
    ...base,
    ort: ort as unknown as Runtime['ort'],
    open(path) {
      const source = base.open!(path)!;
      counts.open++;
      return {
        size: source.size,
        read(offset, into) {
          counts.largestRead = Math.max(counts.largestRead, into.length);
          counts.read += into.length;
          source.read(offset, into);
        },
        close() {
          counts.open--;
          source.close();
        },
      };
    },
  };
  return { counted, counts };
}

type Create = Runtime['ort']['InferenceSession']['create'];

test('a large model is read tensor by tensor, and runs as the whole one', async () => {
  const { counted, counts } = counting(runtime);
  for (const optimization of ['disabled', 'all'] as const) {
    const session = await createSession(counted, 'the model', { model: file, optimization });
    const { y } = await session.run(sample, ['y']);
    await session.release();
    assert.deepEqual(y!.data, expected);
    assert.ok(counts.modelBytes < 10_000, `${counts.modelBytes} bytes of a graph`);
    assert.equal(counts.largestRead, tensorBytes);
    assert.equal(counts.open, 0);
  }
  // Once each, and the windows of the scan.
  assert.ok(counts.read < 2 * (2 * tensorBytes + 300_000), `${counts.read} bytes were read`);
});

test('a result in memory is not put together', async () => {
  class Kept extends MemoryFile {
    override toBytes(): never {
      throw new Error('a copy of all of it');
    }
  }
  const result = new Kept();
  result.append(readFileSync(file));
  const session = await createSession(runtime, 'the model', { model: result });
  const { y } = await session.run(sample, ['y']);
  await session.release();
  assert.deepEqual(y!.data, expected);
});

test('files are closed where the model cannot be loaded', async () => {
  const { counted, counts } = counting(runtime);
  const broken = join(folder, 'broken.onnx');
  writeModel(broken, {
    nodes: [{ opType: 'NoSuchOperator', name: 'n', inputs: ['x', 'a'], outputs: ['y'] }],
    weights: [{ name: 'a', dims: [4, 2 ** 20], pattern: new Float32Array(2 ** 20) }],
    inputs: [{ name: 'x', dims: [1] }],
    outputs: [{ name: 'y', dims: [1] }],
  });
  await assert.rejects(createSession(counted, 'the model', { model: broken }), {
    code: 'RUNTIME_CANNOT_LOAD',
  });
  assert.equal(counts.open, 0);
});
