// The file of a calibration that is not finished: read as it was written, and of use to the run
// that it belongs to only.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ByteSource } from '#dist/base/bytes.js';
import {
  type CalibrationState,
  checkSameRun,
  formatState,
  modelDigest,
  parseState,
} from '#dist/calibration/calibration-state.js';

const state: CalibrationState = {
  model: 'abc-1',
  options: { calibrate_method: 'MinMax', extra_options: {} },
  tensors: [],
  shard: { index: 1, count: 3 },
  groups: [[0], [1, 2]],
  group: 1,
  done: 7,
  complete: false,
  collected: { x: [1, 2] },
};

const bytes = (content: Uint8Array): ByteSource => ({
  size: content.length,
  read: (offset, into) => into.set(content.subarray(offset, offset + into.length)),
  close() {},
});

test('a state is read as it was written', () => {
  const { format, version, ...read } = JSON.parse(formatState(state));
  assert.deepEqual(read, state);
  assert.ok(format && version);
  const parsed = parseState(formatState(state), 's') as CalibrationState & Record<string, unknown>;
  for (const [key, value] of Object.entries(state)) assert.deepEqual(parsed[key], value, key);
});

test('what is no state, or one of another version, is refused by name', () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => parseState(text, 'a.state'), {
      code: 'INVALID_CALIBRATION_STATE',
      message,
    });
  for (const text of ['', 'x', 'null', '1', '[]', '{}', '{"format": "other"}']) {
    refused(text, /^a\.state: not a calibration state$/);
  }
  const other = { ...JSON.parse(formatState(state)), version: 99 };
  refused(JSON.stringify(other), /another version/);
  const without = { ...JSON.parse(formatState(state)), collected: undefined };
  refused(JSON.stringify(without), /another version/);
});

test('a state of another model, other options or other tensors is refused with what differs', () => {
  const check = (other: Partial<CalibrationState>) => () =>
    checkSameRun(state, { ...state, ...other }, 'the state');
  assert.doesNotThrow(check({ shard: { index: 0, count: 3 }, done: 0 }));
  const code = 'INVALID_CALIBRATION_STATE';
  assert.throws(check({ model: 'b' }), { code, message: /another model/ });
  assert.throws(check({ options: { ...state.options, calibrate_method: 'MSE' } }), {
    code,
    message: /calibrate_method "MinMax" instead of "MSE"/,
  });
  assert.throws(check({ options: { ...state.options, further: 1 } }), {
    code,
    message: /further unset instead of 1/,
  });
  assert.throws(check({ tensors: [{ name: 'x' }] as CalibrationState['tensors'] }), {
    code,
    message: /other tensors/,
  });
});

test('the digest of a model tells a changed byte and a changed length', () => {
  const content = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
  const digest = modelDigest(bytes(content));
  assert.equal(modelDigest(bytes(content.slice())), digest);
  for (const at of [0, 65_535, 65_536, 199_999]) {
    const other = content.slice();
    other[at]! ^= 1;
    assert.notEqual(modelDigest(bytes(other)), digest, `${at}`);
  }
  assert.notEqual(modelDigest(bytes(content.slice(1))), digest);
  assert.ok(modelDigest(bytes(new Uint8Array(0))));
});
