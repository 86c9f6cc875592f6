import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuantizeError } from '#dist/base/errors.js';
import { overrideTypes } from '#dist/options/tensor-quant-overrides.js';
import { checkTensorQuantOverrides } from './support/options.js';

const check = (value: unknown) => checkTensorQuantOverrides(value, 'QUInt8');

function refused(value: unknown, message: RegExp, hint = /./, tensor: string | null = 'x') {
  assert.throws(
    () => check(value),
    (error) => {
      assert.ok(error instanceof QuantizeError, `${error}`);
      assert.equal(error.code, 'INVALID_OPTION');
      assert.match(error.message, message);
      assert.match(error.hint ?? '-', hint);
      assert.equal(error.tensor ?? null, tensor);
      return true;
    },
  );
}

test('overrides of every kind are taken as they are', () => {
  const overrides = {
    activation: [{ quant_type: 'QUInt16', rmin: -1, rmax: 2, symmetric: false }],
    explicit: [{ scale: 0.5, zero_point: 2.0 }],
    lowerEnd: [{ rmin: -1 }],
    converted: [
      { quant_type: 'QUInt16', convert: { quant_type: 'QUInt8', recv_nodes: ['Conv_0'], rmin: 0 } },
    ],
    convertedFromDefault: [{ convert: { quant_type: 'QInt16', scale: 1, zero_point: -3 } }],
    channels: [
      { quant_type: 'QInt8', axis: -1, symmetric: true, reduce_range: true },
      { axis: 1, quant_type: 'QInt8' },
      { scale: 1, zero_point: 0 },
    ],
    ranges: [
      { axis: 0, rmin: 0, rmax: 1 },
      { rmin: -1, rmax: 1 },
    ],
    none: [],
    empty: [{}],
  };
  assert.deepEqual(check(overrides), overrides);
});

test('keys that are null are as if they were not there', () => {
  assert.deepEqual(check({ x: [{ symmetric: null, rmin: 1 }] }), { x: [{ rmin: 1 }] });
});

test('what is no object of lists of objects is refused', () => {
  refused([], /expected an object of lists/, /QUInt16/, null);
  refused({ x: { quant_type: 'QInt8' } }, /"x": expected a list/, /list of one/);
  refused({ x: ['QInt8'] }, /an entry is not an object/, /-/);
  refused({ x: [{ convert: 'QInt8' }] }, /convert: expected an object/, /-/);
});

test('unknown keys and types come with what is near', () => {
  refused({ x: [{ quant_typ: 'QInt8' }] }, /unknown key "quant_typ"/, /"quant_type"/);
  refused({ x: [{ quant_type: 'QInt9' }] }, /received "QInt9"/, /QInt8/);
  refused(
    { x: [{ convert: { quant_type: 'QInt8', recv_node: [] } }] },
    /"recv_node"/,
    /recv_nodes/,
  );
});

test('values of the wrong kind are refused', () => {
  refused({ x: [{ symmetric: 1 }] }, /symmetric: expected true or false but received 1/, /-/);
  refused({ x: [{ axis: 0.5 }] }, /axis: expected a whole number/, /-/);
  refused({ x: [{ rmin: '0' }] }, /rmin: expected a number/, /-/);
  refused({ x: [{ scale: 1, zero_point: 2.5 }] }, /zero_point: expected a whole number/, /-/);
  refused({ x: [{ scale: 0, zero_point: 0 }] }, /scale: expected more than 0/, /-/);
  refused({ x: [{ rmin: 2, rmax: 1 }] }, /rmin 2 is larger than rmax 1/, /-/);
  refused(
    { x: [{ quant_type: 'QInt4', scale: 1, zero_point: 8 }] },
    /8 is not a QInt4, which goes from -8 to 7/,
    /-/,
  );
  refused(
    { x: [{ convert: { quant_type: 'QInt8', recv_nodes: 'Conv' } }] },
    /recv_nodes: expected a list of names/,
    /-/,
  );
});

test('scale and zero point go together, and with nothing else', () => {
  refused({ x: [{ scale: 1 }] }, /Must provide both 'scale' and 'zero_point'/);
  refused({ x: [{ zero_point: 1 }] }, /Must provide both 'scale' and 'zero_point'/);
  for (const other of [{ symmetric: true }, { reduce_range: true }, { rmin: 0 }, { rmax: 1 }]) {
    const key = Object.keys(other)[0];
    refused(
      { x: [{ scale: 1, zero_point: 0, ...other }] },
      new RegExp(`option\\(s\\) \\[${key}\\]`),
    );
  }
  refused(
    { x: [{ convert: { quant_type: 'QInt8', scale: 1 } }] },
    /Must provide both 'scale' and 'zero_point'/,
  );
});

test('per channel: axis first, one type, ranges whole, scales for all', () => {
  refused({ x: [{ rmin: 0, rmax: 1 }, {}] }, /the first has no "axis"/, /in the first/);
  refused(
    { x: [{ axis: 0, rmin: 0 }] },
    /"rmin" or "rmax" of channel 0 is missing/,
    /both or none/,
  );
  refused({ x: [{ axis: 0, rmin: 0, rmax: 1 }, {}] }, /"rmin" and "rmax" of channel 1/);
  refused(
    { x: [{ axis: 0, scale: 1, zero_point: 0 }, {}] },
    /"scale" and "zero_point" of channel 1/,
  );
  refused({ x: [{ axis: 0, quant_type: 'QInt8' }, { quant_type: 'QUInt8' }] }, /differs/, /-/);
  refused({ x: [{ axis: 0 }, { axis: 1 }] }, /"axis" of channel 1 differs/, /-/);
  refused({ x: [{ axis: 0 }, { symmetric: true }] }, /"symmetric" of channel 1 differs/, /-/);
  refused({ x: [{ axis: 0 }, { convert: { quant_type: 'QInt8' } }] }, /"convert" together with/);
});

test('convert needs another type, and nothing that is for initializers', () => {
  refused({ x: [{ convert: { rmin: 0 } }] }, /"convert" has no "quant_type"/);
  refused({ x: [{ convert: { quant_type: 'QUInt8' } }] }, /QUInt8, which the tensor has already/);
  refused(
    { x: [{ quant_type: 'QInt16', convert: { quant_type: 'QInt16' } }] },
    /QInt16, which the tensor has already/,
  );
  for (const key of ['axis', 'reduce_range', 'convert']) {
    refused(
      { x: [{ convert: { quant_type: 'QInt8', [key]: 1 } }] },
      new RegExp(`"convert" cannot have "${key}"`),
      /not converted/,
    );
  }
});

test('the second tensor is checked as the first is', () => {
  refused({ a: [{ quant_type: 'QInt8' }], x: [{ scale: 1 }] }, /of "x": Must provide both/);
});

test('the types that overrides name, converts among them', () => {
  const overrides = check({
    x: [{ quant_type: 'QInt16', convert: { quant_type: 'QUInt8' } }],
    y: [{ axis: 0, quant_type: 'QInt4' }],
    z: [{}],
  });
  assert.deepEqual([...overrideTypes(overrides)].sort(), ['QInt16', 'QInt4', 'QUInt8']);
});
