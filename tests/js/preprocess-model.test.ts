// preprocess and quantPreProcess with the reference's parameters: each works or is refused with the
// reason.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { inspectModel, quantizeStatic, quantPreProcess } from '#dist/index.js';
import type { PreprocessOptions } from '#dist/options/api.js';
import { writeModel } from './support/onnx-writer.js';
import { command, imageSamples, model, temporaryFolder } from './support/pipeline.js';

const input = model('classifier.onnx');

/** Two MatMul of 16 KiB. */
function twoLayers(): string {
  const target = path.join(temporaryFolder(), 'layers.onnx');
  const weight = (name: string) => ({
    name,
    dims: [64, 64],
    pattern: new Float32Array(64).fill(1),
  });
  writeModel(target, {
    nodes: [
      { opType: 'MatMul', name: 'first', inputs: ['x', 'v'], outputs: ['h'] },
      { opType: 'MatMul', name: 'second', inputs: ['h', 'w'], outputs: ['y'] },
    ],
    weights: [weight('v'), weight('w')],
    inputs: [{ name: 'x', dims: [1, 64] }],
    outputs: [{ name: 'y', dims: [1, 64] }],
  });
  return target;
}

async function prepare(
  options: Omit<PreprocessOptions, 'modelInput'>,
  modelInput = twoLayers(),
): Promise<{ files: string[]; target: string }> {
  const target = path.join(temporaryFolder(), 'out.onnx');
  const { externalData } = await quantPreProcess({ modelInput, modelOutput: target, ...options });
  const files = fs.readdirSync(path.dirname(target)).sort();
  assert.deepEqual(
    externalData.map(({ name }) => name).sort(),
    files.filter((name) => name !== 'out.onnx'),
  );
  assert.equal((await inspectModel(target)).externalFiles.length, files.length - 1);
  return { files, target };
}

test('external data is a file for each tensor, one file, or one of that name', async () => {
  const saveAsExternalData = true;
  assert.deepEqual((await prepare({ saveAsExternalData })).files, [
    'out.onnx',
    'out.onnx.data.1',
    'out.onnx.data.2',
  ]);
  const one = await prepare({ saveAsExternalData, allTensorsToOneFile: true });
  assert.deepEqual(one.files, ['out.onnx', 'out.onnx.data']);
  const named = await prepare({ saveAsExternalData, externalDataLocation: 'weights.bin' });
  assert.deepEqual(named.files, ['out.onnx', 'weights.bin']);
  const large = await prepare({ saveAsExternalData, externalDataSizeThreshold: 16385 });
  assert.deepEqual(large.files, ['out.onnx']);
  assert.deepEqual((await prepare({})).files, ['out.onnx']);
});

test('a model in many files is the same model', async () => {
  const modelInput = twoLayers();
  const { target } = await prepare({ saveAsExternalData: true }, modelInput);
  const again = await quantPreProcess({ modelInput: target });
  const direct = await quantPreProcess({ modelInput });
  assert.deepEqual(again.model, direct.model);
});

test('in memory there are as many files', async () => {
  const { externalData } = await quantPreProcess({
    modelInput: twoLayers(),
    saveAsExternalData: true,
  });
  assert.deepEqual(
    externalData.map(({ name, data }) => [name, (data as Uint8Array).length]),
    [
      ['model.onnx.data.1', 16384],
      ['model.onnx.data.2', 16384],
    ],
  );
});

test('what would overwrite the data that is read is refused', async () => {
  const { target } = await prepare({ saveAsExternalData: true });
  await assert.rejects(
    () => quantPreProcess({ modelInput: target, modelOutput: target, saveAsExternalData: true }),
    { code: 'INVALID_OPTION' },
  );
});

test('skip_onnx_shape writes no inferred types', async () => {
  const shaped = await quantPreProcess({ modelInput: twoLayers() });
  const skipped = await quantPreProcess({ modelInput: twoLayers(), skipOnnxShape: true });
  assert.ok((skipped.model as Uint8Array).length < (shaped.model as Uint8Array).length);
});

test('target_opset raises the model, and is refused where it would lower it', async () => {
  const { report } = await quantPreProcess({ modelInput: input, targetOpset: 21 });
  assert.equal(report.opsetAfter, 21);
  await assert.rejects(() => quantPreProcess({ modelInput: input, targetOpset: 7 }), {
    code: 'UNSUPPORTED_OPTION',
  });
  await assert.rejects(() => quantPreProcess({ modelInput: input, targetOpset: 1000 }), {
    code: 'INVALID_OPTION',
  });
  const quantized = await quantizeStatic({
    modelInput: input,
    calibrationDataReader: imageSamples(2),
    targetOpset: 17,
  });
  assert.equal(quantized.report.opsetAfter, 17);
});

test('fix_dim fixes a free dimension for quantizing, too', async () => {
  const modelInput = model('classifier.onnx');
  const fixDim = { N: 1 };
  assert.deepEqual((await inspectModel(modelInput, { fixDim })).inputs[0]?.shape, [1, 3, 8, 8]);
  const { model: written } = await quantPreProcess({ modelInput, fixDim });
  assert.deepEqual((await inspectModel(written)).inputs[0]?.shape, [1, 3, 8, 8]);
  const samples = imageSamples(2);
  const result = await quantizeStatic({ modelInput, calibrationDataReader: samples, fixDim });
  assert.deepEqual((await inspectModel(result.model)).inputs[0]?.shape, [1, 3, 8, 8]);
});

test('what has no effect is refused with the reason', async () => {
  const argv = ['preprocess', '-i', input, '-o', path.join(temporaryFolder(), 'out.onnx')];
  for (const [more, message] of [
    [['--auto_merge'], /auto_merge has no effect: .*symbolic/],
    [['--int_max', '5'], /int_max has no effect/],
    [['--guess_output_rank'], /guess_output_rank has no effect/],
    [['--verbose', '1'], /verbose has no effect/],
    [['--all_tensors_to_one_file'], /without save_as_external_data/],
    [['--external_data_location', 'w.bin'], /without save_as_external_data/],
    [['--external_data_size_threshold', '5'], /without save_as_external_data/],
  ] as const) {
    const { code, err } = await command([...argv, ...more]);
    assert.equal(code, 2, more.join(' '));
    assert.match(err, message);
  }
  const { code } = await command([...argv, '--skip_symbolic_shape', '--skip_onnx_shape=false']);
  assert.equal(code, 0);
});
