import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noRepairs } from '#dist/base/repairs.js';
import { loadCore } from '#dist/core/load.js';
import { fits, repairSteps } from '#dist/effort/candidates.js';
import { checkQuantizeStatic } from '#dist/options/validate.js';

const core = await loadCore();
const stepsOf = (options: object) =>
  repairSteps(checkQuantizeStatic({ effort: 'fast', ...options }, core)).map((step) =>
    Object.keys(step).join(' + '),
  );

const rounding = 'round + correctBiases';
const plain = ['correctBiases', rounding];

test('channels are equalized where a weight has one scale, and ranges are those of the values', () => {
  assert.deepEqual(stepsOf({}), ['correctBiases', 'equalize + correctBiases', rounding]);
  assert.deepEqual(stepsOf({ per_channel: true }), plain);
  assert.deepEqual(stepsOf({ calibrate_method: 'Entropy' }), plain);
});

test('nodes stay float in QDQ only, and where nobody chose what is quantized', () => {
  const qdq = { quant_format: 'QDQ', weight_type: 'QInt8', per_channel: true };
  const all = ['correctBiases', 'layerIo + correctBiases', 'smooth', 'smooth', 'smooth', rounding];
  assert.deepEqual(stepsOf(qdq), all);
  assert.deepEqual(stepsOf({ ...qdq, calibrate_method: 'Entropy' }), [
    ...all.slice(0, 2),
    rounding,
  ]);
  assert.deepEqual(stepsOf({ ...qdq, op_types_to_quantize: ['Conv'] }), plain);
  assert.deepEqual(stepsOf({ ...qdq, nodes_to_quantize: ['a'] }), plain);
  const overrides = { TensorQuantOverrides: { x: [{ quant_type: 'QUInt8' }] } };
  assert.deepEqual(stepsOf({ ...qdq, extra_options: overrides }), plain);
});

test('smoothing goes with layers that stand alone', () => {
  assert.ok(!fits({ smooth: 0.5 }, noRepairs));
  assert.ok(fits({ smooth: 0.5 }, { ...noRepairs, layerIo: true }));
  assert.ok(fits({ correctBiases: true }, noRepairs));
});

test('a profile whose runtime takes no float nodes keeps them quantized', () => {
  assert.ok(!stepsOf({ profile: 'qnn' }).some((step) => step.includes('layerIo')));
  assert.ok(stepsOf({ profile: 'x64-vnni' }).some((step) => step.includes('layerIo')));
});
