// The reference's qdq_loss_debug: the same figures as it gives for a model that it quantized itself
// (tests/fixtures/make_debug_fixtures.py).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  collectActivations,
  computeActivationError,
  computeWeightError,
  createActivationMatching,
  createWeightMatching,
  diagnose,
  npzReader,
} from '#dist/index.js';
import { model } from './support/pipeline.js';

const folder = path.resolve('tests/fixtures/debug');
const expected = JSON.parse(fs.readFileSync(path.join(folder, 'expected.json'), 'utf8'));
const modelInput = model('classifier.onnx');
const samples = () => npzReader(path.join(folder, 'samples.npz'));

/** Norms of float32 are added up in float32 there. */
const near = (ours: number, theirs: number, what: string, tolerance = 1e-3) =>
  assert.ok(
    Math.abs(ours - theirs) <= tolerance * Math.max(1, Math.abs(theirs) / 50),
    `${what}: ${ours}, ${theirs}`,
  );

for (const name of ['tensor', 'channel']) {
  const quantizedModel = path.join(folder, `${name}.onnx`);

  test(`weights per ${name}: the same match, dequantized to the same values and errors`, async () => {
    const matching = await createWeightMatching({ modelInput, quantizedModel });
    const theirs = expected[name];
    assert.deepEqual(Object.keys(matching).sort(), Object.keys(theirs.dequantized).sort());
    for (const [weight, [size, sum]] of Object.entries<[number, number]>(theirs.dequantized)) {
      const dequantized = Float64Array.from(matching[weight]!.dequantized);
      assert.equal(dequantized.length, size);
      near(
        dequantized.reduce((all, value) => all + value, 0),
        sum,
        weight,
        1e-4,
      );
    }
    for (const [weight, error] of Object.entries(computeWeightError(matching))) {
      near(error, theirs.compute_weight_error[weight], weight);
    }
  });

  test(`activations per ${name}: the same match and errors`, async () => {
    const runtime = 'node';
    const collect = (input: string) =>
      collectActivations({ modelInput: input, calibrationDataReader: samples(), runtime });
    const matching = createActivationMatching(
      await collect(quantizedModel),
      await collect(modelInput),
    );
    const theirs = expected[name];
    const withFloat = Object.keys(matching).filter((tensor) => matching[tensor]!.float);
    assert.deepEqual(withFloat.sort(), Object.keys(theirs.pre_qdq).sort());
    for (const [tensor, sums] of Object.entries<number[]>(theirs.pre_qdq)) {
      for (const [i, sum] of sums.entries()) {
        const ours = matching[tensor]!.pre_qdq[i]!.reduce((all, value) => all + value, 0);
        near(ours, sum, `${tensor} ${i}`, 1e-3);
      }
    }
    const errors = computeActivationError(matching);
    for (const [tensor, { qdq_err, xmodel_err }] of Object.entries<{
      qdq_err: number;
      xmodel_err: number;
    }>(theirs.compute_activation_error)) {
      // Above 150 dB the two are equal but for the last bits.
      if (qdq_err < 150) near(errors[tensor]!.qdq_err, qdq_err, tensor, 1e-2);
      else assert.ok(errors[tensor]!.qdq_err > 120, `${errors[tensor]!.qdq_err}`);
      near(errors[tensor]!.xmodel_err!, xmodel_err, tensor, 1e-2);
    }
  });

  test(`per ${name}: a diagnosis has the same figures without keeping a tensor`, async () => {
    const { tensors } = await diagnose({
      modelInput,
      quantizedModel,
      calibrationDataReader: samples(),
      runtime: 'node',
    });
    const theirs = expected[name];
    const byName = new Map(tensors.map((tensor) => [tensor.tensor, tensor]));
    for (const [weight, error] of Object.entries<number>(theirs.compute_weight_error)) {
      near(byName.get(weight)!.alone!, error, weight);
    }
    for (const [tensor, error] of Object.entries<{ xmodel_err: number; qdq_err: number }>(
      theirs.compute_activation_error,
    )) {
      near(byName.get(tensor)!.accumulated!, error.xmodel_err, tensor, 1e-2);
      if (error.qdq_err < 150) near(byName.get(tensor)!.rounding!, error.qdq_err, tensor, 1e-2);
    }
  });
}

test('only what operators of the wanted types read and make is collected', async () => {
  const collected = await collectActivations({
    modelInput,
    calibrationDataReader: samples(),
    opTypesForSaving: ['Gemm'],
  });
  assert.deepEqual(Object.keys(collected), ['f', 'scores']);
  assert.equal(collected.f!.length, 4);
});
