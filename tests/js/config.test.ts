import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuantizeError } from '#dist/base/errors.js';
import { formatConfig, mergeConfig, parseConfig } from '#dist/options/config-file.js';
import { quantizeStaticOptions } from '#dist/options/quantize-static.js';
import { checkQuantizeStatic } from './support/options.js';

const parse = (value: unknown) =>
  parseConfig(JSON.stringify(value), 'c.json', quantizeStaticOptions);

test('a saved configuration repeats the run', () => {
  const checked = checkQuantizeStatic({
    model_input: 'a.onnx',
    model_output: 'b.onnx',
    calibrate_dataset: ['images'],
    preprocess: 'imagenet size=299',
    quant_format: 'QDQ',
    weight_type: 'QInt8',
    per_channel: true,
    nodes_to_exclude: ['Conv_0'],
    extra_options: { ActivationSymmetric: true },
  });
  const again = checkQuantizeStatic(
    parseConfig(formatConfig(checked), 'c.json', quantizeStaticOptions),
  );
  assert.deepEqual(again, checked);
});

test('aliases of the command line are keys too', () => {
  assert.deepEqual(parse({ input_model: 'a' }), { model_input: 'a' });
  assert.throws(() => parse({ input_model: 'a', model_input: 'b' }), /given twice/);
});

test('flags win over the file; extra options are merged key by key', () => {
  const merged = mergeConfig(
    { per_channel: false, extra_options: { A: 1, B: 2 } },
    { per_channel: true, extra_options: { B: 3 } },
  );
  assert.deepEqual(merged, { per_channel: true, extra_options: { A: 1, B: 3 } });
});

test('what is no configuration is refused', () => {
  const invalid = (error: unknown) =>
    error instanceof QuantizeError && error.code === 'INVALID_OPTION';
  assert.throws(() => parseConfig('{', 'c.json', quantizeStaticOptions), invalid);
  assert.throws(() => parse([]), invalid);
  assert.throws(
    () => parse({ quant_formt: 'QDQ' }),
    (error) => invalid(error) && /"quant_format"/.test((error as QuantizeError).hint ?? ''),
  );
});
