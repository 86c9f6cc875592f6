// getQdqConfig, getQnnQdqConfig and their commands, held to what the reference returns
// (tests/fixtures/make_config_fixtures.py), and quantize(), which runs such a configuration.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  getQdqConfig,
  getQnnQdqConfig,
  QuantizeError,
  quantize,
  quantizeStatic,
} from '#dist/index.js';
import { quantizeStaticOptions } from '#dist/options/quantize-static.js';
import { camelCase } from '#dist/options/spec.js';
import { command, imageFolder, imageSamples, model, temporaryFolder } from './support/pipeline.js';

const folder = path.resolve('tests/fixtures/config');
const at = (name: string) => path.join(folder, name);

interface Case {
  function: 'get_qdq_config' | 'get_qnn_qdq_config';
  model: string;
  options: Record<string, unknown> & { exclude_op_type?: string };
  expected: Record<string, unknown> & { error?: string };
}
const cases: Case[] = JSON.parse(fs.readFileSync(at('cases.json'), 'utf8'));

async function configure({ function: name, model: file, options }: Case): Promise<unknown> {
  const { exclude_op_type: opType, ...rest } = options;
  const entries = Object.entries(rest).map(([key, value]) => [camelCase(key), value]);
  const given = { modelInput: at(file), ...Object.fromEntries(entries) };
  if (opType) given.nodesToExclude = (node: { opType: string }) => node.opType === opType;
  return name === 'get_qdq_config' ? getQdqConfig(given) : getQnnQdqConfig(given);
}

for (const name of ['get_qdq_config', 'get_qnn_qdq_config'] as const) {
  test(`${name} returns what the reference returns`, async () => {
    let compared = 0;
    for (const each of cases.filter((one) => one.function === name && !one.expected.error)) {
      const label = `${each.model} ${JSON.stringify(each.options)}`;
      assert.deepEqual(await configure(each), each.expected, label);
      compared++;
    }
    assert.ok(compared > 30, `${compared} cases`);
  });
}

test('overrides that the reference refuses are refused, with the tensor', async () => {
  const refused = cases.filter(({ expected }) => expected.error);
  assert.ok(refused.length > 20);
  for (const each of refused) {
    const label = `${JSON.stringify(each.options)}: ${each.expected.error}`;
    await assert.rejects(
      configure(each),
      (error) =>
        error instanceof QuantizeError &&
        ['INVALID_OPTION', 'UNSUPPORTED_MODEL'].includes(error.code) &&
        error.tensor !== undefined,
      label,
    );
  }
});

test('what was given is not changed', async () => {
  const initOverrides = { op4: [{ quant_type: 'QUInt16' as const }] };
  const config = await getQnnQdqConfig({ modelInput: at('branches.onnx'), initOverrides });
  assert.deepEqual(initOverrides, { op4: [{ quant_type: 'QUInt16' }] });
  assert.notDeepEqual(config.extra_options.TensorQuantOverrides, initOverrides);
});

test('fixed 16-bit outputs replace a range and a symmetry, with which they would be invalid', async () => {
  const config = await getQnnQdqConfig({
    modelInput: at('layers.onnx'),
    initOverrides: { sig: [{ quant_type: 'QUInt16', symmetric: true }] },
    addQtypeConverts: false,
  });
  assert.deepEqual(config.extra_options.TensorQuantOverrides?.sig, [
    { quant_type: 'QUInt16', scale: 1 / 65536, zero_point: 0 },
  ]);
});

test('the graph is enough: external data may be missing', async () => {
  const alone = path.join(temporaryFolder(), 'model.onnx');
  fs.copyFileSync(at('layers-external.onnx'), alone);
  assert.deepEqual(
    await getQdqConfig({ modelInput: alone }),
    await getQdqConfig({ modelInput: at('layers-external.onnx') }),
  );
});

test('a predicate cannot exclude a node that has no name', async () => {
  await assert.rejects(
    getQdqConfig({ modelInput: at('branches-unnamed.onnx'), nodesToExclude: () => true }),
    (error) => error instanceof QuantizeError && error.code === 'UNSUPPORTED_MODEL',
  );
});

test('wrong options are refused before the model is read', async () => {
  const refused: [object, RegExp][] = [
    [{ perChanel: true }, /unknown option "perChanel"/],
    [{ weightType: 'QInt9' }, /weight_type: expected one of/],
    [{ calibrateArgs: { percentil: 99 } }, /unknown key of calibrate_args "percentil"/],
    [{ extraOptions: { BlockSiz: 1 } }, /unknown extra option "BlockSiz"/],
    [{ tensorQuantOverrides: { x: [{ scale: 1 }] } }, /Must provide both 'scale' and 'zero_point'/],
  ];
  for (const [options, message] of refused) {
    await assert.rejects(getQdqConfig({ modelInput: 'no such file', ...options } as never), {
      code: 'INVALID_OPTION',
      message,
    });
  }
});

test('quantize() runs a configuration as quantizeStatic() runs the same parameters', async () => {
  const modelInput = model('classifier.onnx');
  const quantConfig = await getQdqConfig({ modelInput, perChannel: true });
  const calibrationDataReader = imageSamples(3);
  const run = await quantize({ modelInput, calibrationDataReader, quantConfig });
  const same = await quantizeStatic({
    modelInput,
    calibrationDataReader,
    quantFormat: 'QDQ',
    weightType: 'QInt8',
    perChannel: true,
    opTypesToQuantize: quantConfig.op_types_to_quantize,
    extraOptions: { ForceQuantizeNoInputCheck: true },
  });
  assert.ok(Buffer.from(run.model as Uint8Array).equals(Buffer.from(same.model as Uint8Array)));
  assert.ok(run.report.nodesQuantized.length > 0);
  for (const [given, message] of [
    [{ ...quantConfig, per_chanel: true }, /unknown option in quantConfig "per_chanel"/],
    [{ ...quantConfig, model_input: 'x' }, /unknown option in quantConfig "model_input"/],
    [null, /quantConfig is missing/],
  ] as const) {
    await assert.rejects(quantize({ modelInput, quantConfig: given as never }), {
      code: 'INVALID_OPTION',
      message,
    });
  }
});

test('a mixed-precision configuration for QNN runs: 16 bits where asked, converted around it', async () => {
  const modelInput = model('classifier.onnx');
  const quantConfig = await getQnnQdqConfig({
    modelInput,
    initOverrides: { c2: [{ quant_type: 'QUInt16' }] },
  });
  const { report } = await quantize({
    modelInput,
    calibrationDataReader: imageSamples(4),
    quantConfig,
  });
  const types = new Map(report.tensors.map(({ name, quantType }) => [name, quantType]));
  assert.equal(types.get('c2'), 'QUInt16');
  assert.equal(types.get('p1'), 'QUInt8');
  assert.equal(types.get('image'), 'QUInt8');
  assert.ok((report.quality.sqnr ?? 0) > 20, `SQNR ${report.quality.sqnr}`);
});

test('every key of a configuration is an option of quantize_static', async () => {
  const config = await getQdqConfig({ modelInput: at('layers.onnx') });
  const known = quantizeStaticOptions.map(({ name }) => name as string);
  for (const name of Object.keys(config)) assert.ok(known.includes(name), name);
});

test('the commands write what the functions return, and --config runs it', async () => {
  const home = temporaryFolder();
  const file = (name: string) => path.join(home, name);
  const read = (name: string) => JSON.parse(fs.readFileSync(file(name), 'utf8'));
  fs.writeFileSync(
    file('in.json'),
    JSON.stringify({
      model_input: at('layers.onnx'),
      activation_type: 'QUInt16',
      nodes_to_exclude: ['no such node'],
      init_overrides: null,
    }),
  );
  const saved = ['--config', file('in.json'), '--save_config', file('out.json')];
  const done = await command(['get_qnn_qdq_config', ...saved]);
  assert.deepEqual(done, { code: 0, out: '', err: '' });
  const { model_input: input, ...config } = read('out.json');
  assert.equal(input, at('layers.onnx'));
  const expected = await getQnnQdqConfig({
    modelInput: at('layers.onnx'),
    activationType: 'QUInt16',
    nodesToExclude: ['no such node'],
  });
  assert.deepEqual({ ...config, calibration_providers: null }, expected);

  const empty = await command(['get_qdq_config', '-i', at('cast.onnx')]);
  assert.deepEqual(JSON.parse(empty.out).op_types_to_quantize, []);
  const both = await command([
    'get-qdq-config',
    '-i',
    at('cast.onnx'),
    ...saved.slice(2),
    '--json',
  ]);
  assert.equal(both.out, fs.readFileSync(file('out.json'), 'utf8'));

  const samples = imageFolder('rgb.png');
  const carried = ['-i', model('classifier.onnx'), '-o', file('q.onnx')];
  const dataset = ['--calibrate_dataset', samples, '--preprocess', 'zero-to-one'];
  await command(['get_qdq_config', ...carried, ...dataset, ...saved.slice(2)]);
  const run = await command(['--config', file('out.json'), '--quiet']);
  assert.equal(run.code, 0, run.err);
  assert.match(run.err, /^warning: the result is larger than the model[^\n]*\n$/);
  assert.ok(fs.existsSync(file('q.onnx')));

  const missing = await command(['get_qdq_config']);
  assert.equal(missing.code, 2);
  assert.match(missing.err, /model_input is missing/);
});
