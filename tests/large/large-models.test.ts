// A model of 3.2 GB through preparing and quantizing: `npm run test:large`, some minutes and up to
// 8 GB in the folder of temporary files. What it prints is in docs/performance.md.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadCore } from '#dist/core/load.js';
import { inspectModel, QuantizeError, quantizeStatic, quantPreProcess } from '#dist/index.js';
import { writeModel } from '../js/support/onnx-writer.js';
import { writeRanges } from '../js/support/ranges-file.js';

const MB = 1_000_000;
const side = 8192;
const layers = 12;

const folder = mkdtempSync(join(tmpdir(), 'onnx-ptq-3gb-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

/** MatMul after MatMul of 268 MB each, every weight in a file of its own. */
function writeChain(): number {
  const pattern = Float32Array.from({ length: side * 16 }, (_, i) => Math.sin(i * 12.9898) / 8);
  const names = Array.from({ length: layers }, (_, i) => i);
  return writeModel(at('float.onnx'), {
    nodes: names.map((i) => ({
      opType: 'MatMul',
      name: `matmul${i}`,
      inputs: [i === 0 ? 'x' : `y${i - 1}`, `w${i}`],
      outputs: [`y${i}`],
    })),
    weights: names.map((i) => ({
      name: `w${i}`,
      dims: [side, side],
      pattern,
      file: `w${i}.bin`,
    })),
    inputs: [{ name: 'x', dims: [1, side] }],
    outputs: [{ name: `y${layers - 1}`, dims: [1, side] }],
  });
}

/** Runs a step; its time, and that the wasm heap stayed small. */
async function measured<T>(name: string, step: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await step();
  const seconds = (performance.now() - start) / 1000;
  const heap = (await loadCore()).HEAPU8.length;
  const { maxRSS } = process.resourceUsage();
  console.log(
    `${name}: ${seconds.toFixed(1)} s, wasm heap ${(heap / MB).toFixed(0)} MB, ` +
      `process so far at most ${((maxRSS * 1024) / MB).toFixed(0)} MB`,
  );
  assert.ok(heap < 256 * MB, `${name}: the wasm heap has ${heap / MB} MB`);
  return result;
}

const bytes = writeChain();

test('a model of 3.2 GB in many files is inspected', async () => {
  const model = await measured('inspect', () => inspectModel(at('float.onnx')));
  assert.ok(bytes > 3_200 * MB, `it has ${bytes / MB} MB`);
  assert.ok(model.weightBytes > 3_200 * MB);
  assert.equal(model.externalFiles.length, layers);
  assert.equal(model.formats.QDQ.nodesQuantized.length, layers);
});

test('one file of that size is refused with the way out, and nothing is left behind', async () => {
  await assert.rejects(
    () => quantPreProcess({ modelInput: at('float.onnx'), modelOutput: at('one.onnx') }),
    (error) => {
      assert.ok(error instanceof QuantizeError);
      assert.equal(error.code, 'UNSUPPORTED_MODEL');
      assert.match(error.message, /2147483647/);
      assert.match(error.hint ?? '', /save_as_external_data/);
      return true;
    },
  );
  assert.ok(!existsSync(at('one.onnx')));
});

test('a result that no file can hold is refused before the samples are run', async () => {
  let samples = 0;
  const calibrationDataReader = (async function* () {
    samples++;
    yield {};
  })();
  await assert.rejects(
    () =>
      quantizeStatic({
        modelInput: at('float.onnx'),
        modelOutput: at('one.onnx'),
        calibrationDataReader,
        opTypesToQuantize: ['Add'],
      }),
    { code: 'UNSUPPORTED_MODEL', hint: /use_external_data_format/ },
  );
  assert.equal(samples, 0);
  assert.ok(!existsSync(at('one.onnx')));
});

test('it is prepared into one data file, and that is quantized', async () => {
  const { externalData } = await measured('preprocess', () =>
    quantPreProcess({
      modelInput: at('float.onnx'),
      modelOutput: at('prepared.onnx'),
      saveAsExternalData: true,
      allTensorsToOneFile: true,
    }),
  );
  assert.deepEqual(
    externalData.map(({ name }) => name),
    ['prepared.onnx.data'],
  );
  assert.ok(statSync(at('prepared.onnx.data')).size > 3_200 * MB);
  for (let i = 0; i < layers; ++i) rmSync(at(`w${i}.bin`));

  const tensors = Array.from({ length: layers }, (_, i) => `y${i}`);
  writeRanges(at('ranges.json'), ['x', ...tensors]);
  const { report } = await measured('quantize', () =>
    quantizeStatic({
      modelInput: at('prepared.onnx'),
      modelOutput: at('quantized.onnx'),
      calibrationCachePath: at('ranges.json'),
      useExternalDataFormat: true,
      perChannel: true,
      weightType: 'QInt8',
      effort: 'none',
    }),
  );
  assert.equal(report.nodesQuantized.length, layers);
  const ratio = report.bytesAfter / bytes;
  assert.ok(ratio > 0.24 && ratio < 0.26, `int8 weights take a quarter, not ${ratio}`);
  assert.ok(readdirSync(folder).every((name) => !name.endsWith('.partial')));
});
