import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuantizeError } from '#dist/base/errors.js';
import { parseArgs } from '#dist/cli/args.js';
import { helpText } from '#dist/cli/help.js';
import { type Command, commandTables } from '#dist/options/commands.js';
import { extraOptions } from '#dist/options/extra-options.js';
import { quantizeStaticOptions } from '#dist/options/quantize-static.js';
import type { OptionSpec } from '#dist/options/spec.js';

const refused = (argv: string[], code: string, message: RegExp, hint?: RegExp) =>
  assert.throws(
    () => parseArgs(argv),
    (error) =>
      error instanceof QuantizeError &&
      error.code === code &&
      message.test(error.message) &&
      (!hint || hint.test(error.hint ?? '')),
  );

test('the call of the mission', () => {
  const { command, values } = parseArgs([
    '--input_model',
    'mobilenetv2-7.onnx',
    '--output_model',
    'mobilenetv2-7.quant.onnx',
    '--calibrate_dataset',
    './test_images/',
  ]);
  assert.equal(command, 'quantize_static');
  assert.deepEqual(values, {
    model_input: 'mobilenetv2-7.onnx',
    model_output: 'mobilenetv2-7.quant.onnx',
    calibrate_dataset: ['./test_images/'],
  });
});

test('flags take - or _, =, short names and the names of the API', () => {
  const { values } = parseArgs(['-i', 'a', '--model-output=b=c', '--quant-format', 'QDQ']);
  assert.deepEqual(values, { model_input: 'a', model_output: 'b=c', quant_format: 'QDQ' });
});

test('a bare boolean flag means true; true and false may follow', () => {
  assert.deepEqual(parseArgs(['--per_channel', '--reduce_range', 'false', '--json']).values, {
    per_channel: true,
    reduce_range: false,
  });
  assert.equal(parseArgs(['--optimize_model=False']).values.optimize_model, false);
  refused(['--per_channel=maybe'], 'INVALID_OPTION', /expected true or false but received "maybe"/);
});

test('list flags take several values, repeat, and may be empty', () => {
  const parse = (...argv: string[]) => parseArgs(argv).values.nodes_to_exclude;
  assert.deepEqual(parse('--nodes_to_exclude', 'A', 'B', '--nodes-to-exclude', 'C'), [
    'A',
    'B',
    'C',
  ]);
  assert.deepEqual(parse('--nodes_to_exclude', '--per_channel'), []);
  assert.deepEqual(parse('--nodes_to_exclude=-odd'), ['-odd']);
});

test('extra options as JSON, as key=value, and merged', () => {
  const { values } = parseArgs([
    '--extra_options',
    '{"MinimumRealRange": 0.001, "WeightSymmetric": true}',
    'ActivationSymmetric=True',
    'OpTypesToExcludeOutputQuantization=MatMul,Add',
    '--extra_options',
    'WeightSymmetric=false',
  ]);
  assert.deepEqual(values.extra_options, {
    MinimumRealRange: 0.001,
    WeightSymmetric: false,
    ActivationSymmetric: true,
    OpTypesToExcludeOutputQuantization: ['MatMul', 'Add'],
  });
});

test('bad usage names the argument and what is near', () => {
  refused(['--per_chanel'], 'INVALID_OPTION', /unknown option "--per_chanel"/, /--per_channel/);
  refused(['quantise_static'], 'INVALID_OPTION', /unknown command/, /quantize_static/);
  refused(['--input_model'], 'INVALID_OPTION', /--input_model needs a value/);
  refused(['--input_model', '--json'], 'INVALID_OPTION', /--input_model needs a value/);
  refused(['--extra_options', 'X'], 'INVALID_OPTION', /expected JSON or key=value/);
  refused(['--extra_options', '{x'], 'INVALID_OPTION', /not valid JSON/);
  refused(['-input_model', 'a'], 'INVALID_OPTION', /unknown option "-input_model"/);
  refused(['--i', 'a'], 'INVALID_OPTION', /unknown option "--i"/);
});

test('commands of later versions end with "not available yet"', () => {
  for (const command of ['quantize_dynamic', 'quantize-matmul-nbits', 'qnn_preprocess_model']) {
    refused([command], 'UNSUPPORTED_OPTION', /not available yet/);
  }
});

test('preprocess has its own options', () => {
  const { command, values } = parseArgs(['preprocess', '--input', 'a', '--skip_optimization']);
  assert.equal(command, 'preprocess');
  assert.deepEqual(values, { model_input: 'a', skip_optimization: true });
  refused(['preprocess', '--per_channel'], 'INVALID_OPTION', /unknown option "--per_channel"/);
});

test('the commands that write configurations have the parameters of their functions', () => {
  const { command, values } = parseArgs([
    'get-qnn-qdq-config',
    '--init_overrides',
    '{"x": [{"quant_type": "QUInt16"}]}',
    '--add_qtype_converts=false',
  ]);
  assert.equal(command, 'get_qnn_qdq_config');
  assert.deepEqual(values, {
    init_overrides: { x: [{ quant_type: 'QUInt16' }] },
    add_qtype_converts: false,
  });
  const qdq = parseArgs(['get_qdq_config', '--calibrate_args', 'percentile=99.9']);
  assert.deepEqual(qdq.values, { calibrate_args: { percentile: 99.9 } });
  refused(['get_qdq_config', '--stride', '2'], 'INVALID_OPTION', /unknown option "--stride"/);
});

test('words of --preprocess are one description', () => {
  const { values } = parseArgs(['--preprocess', 'imagenet', 'size=299', '--json']);
  assert.equal(values.preprocess, 'imagenet size=299');
});

test('help names every option, every extra option, and keeps to 100 columns', () => {
  const text = helpText('quantize_static');
  for (const { name, aliases } of quantizeStaticOptions as readonly {
    name: string;
    aliases?: readonly string[];
  }[]) {
    const names = [name, ...(aliases ?? [])];
    assert.ok(
      names.some((flag) => text.includes(`--${flag}`)),
      name,
    );
  }
  for (const name of Object.keys(extraOptions)) assert.ok(text.includes(name), name);
  for (const line of text.split('\n')) assert.ok(line.length <= 100, line);
});

test('the help of each command names its options and keeps to 100 columns', () => {
  for (const [name, specs] of Object.entries(commandTables)) {
    const text = helpText(name as Command);
    for (const spec of specs as readonly OptionSpec[]) {
      const names = [spec.name, ...(spec.aliases ?? [])];
      assert.ok(
        names.some((flag) => text.includes(`--${flag}`)),
        `${name} ${spec.name}`,
      );
    }
    for (const line of text.split('\n')) assert.ok(line.length <= 100, line);
  }
});
