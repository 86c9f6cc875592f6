// The file of a calibration that is not finished: read as it was written, and of use to the run
// that it belongs to only.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CalibrationState,
  checkSameRun,
  formatState,
  parseState,
} from '#dist/calibration/calibration-state.js';

const state: CalibrationState = {
  model: 'abc-1',
  options: { calibrate_method: 'MinMax', extra_options: {} },
  tensors: ['a', 'b', 'c'].map((name) => ({ name, half: false })),
  holdOut: 0,
  heldInRanges: false,
  shard: { index: 1, count: 3 },
  groups: [[0], [1, 2]],
  group: 1,
  done: 7,
  complete: false,
  collected: { x: [1, 2] },
};

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
  for (const part of Object.keys(state).filter((name) => name !== 'shard')) {
    refused(JSON.stringify({ ...JSON.parse(formatState(state)), [part]: undefined }), /damaged/);
  }
  for (const part of [
    { done: 1e300 },
    { done: -5 },
    { done: 1.5 },
    { group: 5 },
    { group: -1 },
    { groups: [[0, 99999]] },
    { groups: 'abc' },
    { shard: { index: -1, count: 0 } },
    { shard: { index: 3, count: 3 } },
    { options: null },
    { tensors: [{ name: 1, half: false }] },
    { collected: [] },
  ]) {
    refused(JSON.stringify({ ...JSON.parse(formatState(state)), ...part }), /damaged/);
  }
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
  assert.throws(check({ holdOut: 8 }), { code, message: /hold_out 0 instead of 8/ });
  assert.throws(check({ options: { ...state.options, further: 1 } }), {
    code,
    message: /further unset instead of 1/,
  });
  assert.throws(check({ tensors: [{ name: 'x' }] as CalibrationState['tensors'] }), {
    code,
    message: /other tensors/,
  });
});
