import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuantizeError } from '#dist/base/errors.js';
import type { OptionValues } from '#dist/base/types.js';
import { coreOptions } from '#dist/options/core-options.js';
import { extraOptions } from '#dist/options/extra-options.js';
import { preprocessOptions } from '#dist/options/preprocess.js';
import type { QuantFormat } from '#dist/options/quant-types.js';
import { quantizeStaticOptions } from '#dist/options/quantize-static.js';
import { checkOptions, readParameters } from '#dist/options/validate.js';
import { checkQuantizeStatic } from './support/options.js';

/** Expects a QuantizeError whose code, message and hint match. */
function throwsError(work: () => unknown, code: string, message: RegExp, hint?: RegExp): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof QuantizeError, `${error}`);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    if (hint) assert.match(error.hint ?? '', hint);
    return true;
  });
}

const extra = (given: Record<string, unknown>, format: QuantFormat) =>
  checkQuantizeStatic({ quant_format: format, extra_options: given }).extra_options;

test('defaults are those of the mission', () => {
  const checked = checkQuantizeStatic({});
  assert.deepEqual(
    { ...checked },
    {
      model_input: null,
      model_output: null,
      calibrate_dataset: null,
      preprocess: null,
      sample_rate: null,
      calibration_state: null,
      resume: null,
      strict: false,
      use_external_data_format: false,
      profile: null,
      quant_format: 'QOperator',
      activation_type: 'QUInt8',
      weight_type: 'QUInt8',
      per_channel: false,
      reduce_range: false,
      op_types_to_quantize: [],
      nodes_to_quantize: [],
      nodes_to_exclude: [],
      optimize_model: true,
      disabled_passes: [],
      target_opset: null,
      fix_dim: {},
      dump_passes: null,
      effort: 'normal',
      budget: null,
      target_sqnr: null,
      target_agreement: null,
      max_float_nodes: null,
      max_size: null,
      recipe: null,
      save_recipe: null,
      hold_out: null,
      calibrate_method: 'MinMax',
      calibration_cache_path: null,
      runtime: null,
      workers: null,
      memory_budget: null,
      calibration_providers: [],
      extra_options: {},
    },
  );
});

test('what a search is told is refused where there is none', () => {
  const refused = (options: OptionValues) =>
    assert.throws(() => checkQuantizeStatic(options), { code: 'UNSUPPORTED_OPTION' });
  refused({ budget: 10, effort: 'normal' });
  refused({ target_sqnr: 20, effort: 'fast' });
  refused({ target_agreement: 0.9, effort: 'fast' });
  for (const name of ['max_float_nodes', 'max_size']) refused({ [name]: 1, effort: 'none' });
  refused({ save_recipe: 'r.json', effort: 'none' });
  assert.equal(checkQuantizeStatic({ budget: 10, effort: 'max' }).budget, 10);
  assert.throws(() => checkQuantizeStatic({ target_agreement: 2, effort: 'max' }), {
    code: 'INVALID_OPTION',
  });
});

test('null is the default, as None is in the reference', () => {
  const checked = checkQuantizeStatic({ nodes_to_exclude: null, extra_options: null });
  assert.deepEqual(checked.nodes_to_exclude, []);
  assert.deepEqual(checked.extra_options, {});
});

test('an unknown option is an error with near matches', () => {
  throwsError(
    () => checkQuantizeStatic({ per_chanel: true }),
    'INVALID_OPTION',
    /unknown option "per_chanel"/,
    /"per_channel"/,
  );
});

test('an unknown enum value is an error that lists the values and near matches', () => {
  throwsError(
    () => checkQuantizeStatic({ quant_format: 'QDQs' }),
    'INVALID_OPTION',
    /QOperator, QDQ but received "QDQs"/,
    /did you mean "QDQ"/,
  );
});

test('enum values are taken in any case and come out as member names', () => {
  const checked = checkQuantizeStatic({ quant_format: 'qdq', weight_type: 'qint8' });
  assert.equal(checked.quant_format, 'QDQ');
  assert.equal(checked.weight_type, 'QInt8');
});

test('values of the wrong kind say what is expected and what came', () => {
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ per_channel: 'yes' }, /per_channel: expected true or false but received "yes"/],
    [{ nodes_to_exclude: 'conv1' }, /nodes_to_exclude: expected a list of names/],
    [{ nodes_to_exclude: [1] }, /nodes_to_exclude: expected a list of names/],
    [{ extra_options: [] }, /extra_options: expected an object/],
    [{ model_output: '' }, /model_output: expected a path/],
    [{ quant_format: 1 }, /quant_format: expected one of .* but received 1/],
  ];
  for (const [given, message] of wrong) {
    throwsError(() => checkQuantizeStatic(given), 'INVALID_OPTION', message);
  }
});

test('values that nothing would come of are refused, never ignored', () => {
  for (const given of [
    { calibration_providers: ['CUDAExecutionProvider'] },
    { extra_options: { CalibPercentile: 99 } },
    { calibrate_method: 'MSE', extra_options: { num_bins: 99 } },
  ]) {
    throwsError(() => checkQuantizeStatic(given), 'UNSUPPORTED_OPTION', /has no effect|not in/);
  }
});

test('SmoothQuant is refused by its own name', () => {
  for (const extra of [{ SmoothQuant: true }, { SmoothQuantAlpha: 0.7 }]) {
    throwsError(
      () => checkQuantizeStatic({ extra_options: extra }),
      'UNSUPPORTED_OPTION',
      /^SmoothQuant is not available yet$/,
      /later release/,
    );
  }
});

test('all seven types are taken in QDQ, and come out as they went in', () => {
  for (const type of ['QInt8', 'QUInt8', 'QInt16', 'QUInt16', 'QInt4', 'QUInt4'] as const) {
    const weight = type === 'QInt8' ? 'QInt8' : 'QUInt8';
    const given = { quant_format: 'QDQ', activation_type: type, weight_type: weight };
    assert.equal(checkQuantizeStatic(given).activation_type, type);
    assert.equal(checkQuantizeStatic({ quant_format: 'QDQ', weight_type: type }).weight_type, type);
  }
});

test('combinations of types that nothing can run are refused with a hint', () => {
  const refused: [Record<string, unknown>, RegExp, RegExp][] = [
    [{ activation_type: 'QInt8' }, /QInt8 activations with QUInt8 weights/, /weight_type QInt8/],
    [{ activation_type: 'QFLOAT8E4M3FN' }, /QFLOAT8E4M3FN with weights of QUInt8/, /both/],
    [{ weight_type: 'QFLOAT8E4M3FN' }, /QUInt8 with weights of QFLOAT8E4M3FN/, /neither/],
    [
      { activation_type: 'QFLOAT8E4M3FN', weight_type: 'QFLOAT8E4M3FN' },
      /does not go with calibrate_method MinMax/,
      /Distribution/,
    ],
    [{ activation_type: 'QUInt16' }, /QUInt16 with quant_format QOperator/, /quant_format QDQ/],
    [{ weight_type: 'QInt16' }, /QInt16 with quant_format QOperator/, /quant_format QDQ/],
    [{ weight_type: 'QInt4' }, /QInt4 with quant_format QOperator/, /quant_format QDQ/],
    [
      { extra_options: { TensorQuantOverrides: { x: [{ quant_type: 'QInt16' }] } } },
      /QInt16 with quant_format QOperator.*TensorQuantOverrides/,
      /quant_format QDQ/,
    ],
    [
      { extra_options: { TensorQuantOverrides: { x: [{ convert: { quant_type: 'QInt8' } }] } } },
      /"convert" in TensorQuantOverrides \(tensor "x"\) has no effect/,
      /quant_format QDQ/,
    ],
    [
      {
        quant_format: 'QDQ',
        extra_options: {
          DedicatedQDQPair: true,
          TensorQuantOverrides: { x: [{ convert: { quant_type: 'QInt8' } }] },
        },
      },
      /DedicatedQDQPair with "convert"/,
      /leave one/,
    ],
  ];
  for (const [given, message, hint] of refused) {
    throwsError(() => checkQuantizeStatic(given), 'UNSUPPORTED_OPTION', message, hint);
  }
});

test('infinity and NaN are named as they were given', () => {
  for (const given of [Number.POSITIVE_INFINITY, Number.NaN]) {
    const said = new RegExp(`but received "?${given}`);
    throwsError(() => extra({ CalibPercentile: given }, 'QDQ'), 'INVALID_OPTION', said);
    const overrides = { TensorQuantOverrides: { x: [{ scale: given }] } };
    throwsError(() => extra(overrides, 'QDQ'), 'INVALID_OPTION', said);
  }
});

test('numbers of extra options: whole where they count, not negative', () => {
  const check = (extra: object) =>
    checkQuantizeStatic({ quant_format: 'QDQ', extra_options: extra }).extra_options;
  assert.deepEqual(check({ BlockSize: 32 }), { BlockSize: 32 });
  for (const [extra, message] of [
    [{ BlockSize: -1 }, /BlockSize: expected a whole number of at least 0 but received -1/],
    [{ BlockSize: 1.5 }, /BlockSize: expected a whole number/],
    [{ MinimumRealRange: -1 }, /MinimumRealRange: expected a number of at least 0/],
    [{ QDQOpTypePerChannelSupportToAxis: { MatMul: '1' } }, /expected an object of whole numbers/],
  ] as const) {
    throwsError(() => check(extra), 'INVALID_OPTION', message);
  }
});

test('every extra option that is not available yet is accepted at its default', () => {
  for (const [name, spec] of Object.entries(extraOptions)) {
    for (const format of ['QDQ', 'QOperator'] as const) {
      assert.doesNotThrow(() => extra({ [name]: spec.default }, format), name);
    }
  }
});

test('options of one format are refused in the other unless at their default', () => {
  const given = { DedicatedQDQPair: true };
  assert.deepEqual(extra(given, 'QDQ'), given);
  throwsError(
    () => extra(given, 'QOperator'),
    'UNSUPPORTED_OPTION',
    /DedicatedQDQPair has no effect with quant_format QOperator/,
    /quant_format QDQ/,
  );
  assert.doesNotThrow(() => extra({ DedicatedQDQPair: false }, 'QOperator'));
});

test('an unknown extra option is an error with near matches', () => {
  throwsError(
    () => extra({ ActivationSymetric: true }, 'QDQ'),
    'INVALID_OPTION',
    /unknown extra option "ActivationSymetric"/,
    /ActivationSymmetric/,
  );
});

test('camelCase options become the reference names, unknown ones are errors', () => {
  assert.deepEqual(
    readParameters(quantizeStaticOptions, { perChannel: true, signal: 1 }, ['signal']),
    {
      per_channel: true,
    },
  );
  throwsError(
    () => readParameters(quantizeStaticOptions, { perChanel: true }, []),
    'INVALID_OPTION',
    /unknown option "perChanel"/,
    /"perChannel"/,
  );
});

test('the core gets what it acts on and nothing else', () => {
  const options = coreOptions(
    checkQuantizeStatic({
      model_input: 'a.onnx',
      extra_options: { ActivationSymmetric: true, SmoothQuant: false },
    }),
  );
  assert.deepEqual(Object.keys(options).sort(), [
    'activation_type',
    'calibrate_method',
    'disabled_passes',
    'effort',
    'extra_options',
    'fix_dim',
    'nodes_to_exclude',
    'nodes_to_quantize',
    'op_types_to_quantize',
    'optimize_model',
    'per_channel',
    'quant_format',
    'reduce_range',
    'target_opset',
    'weight_type',
  ]);
  assert.deepEqual(options.extra_options, { ActivationSymmetric: true });
});

test('parameters of quant_pre_process: those without effect are refused when changed', () => {
  throwsError(
    () => checkOptions(preprocessOptions, { guess_output_rank: true }),
    'UNSUPPORTED_OPTION',
    /guess_output_rank has no effect/,
  );
  assert.equal(
    checkOptions(preprocessOptions, { skip_symbolic_shape: true }).skip_symbolic_shape,
    true,
  );
});
