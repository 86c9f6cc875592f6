// The comparison of outputs: what can be compared is, the rest is counted, and what cannot be
// judged is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ValueSummary } from '#dist/base/types.js';
import type { OutputTensor } from '#dist/runtime/runtime.js';
import { compareOutputs } from '#dist/verify/compare.js';
import { judgeQuality, qualityText } from '#dist/verify/judge.js';

const floats = (dims: number[], ...data: number[]): OutputTensor => ({
  type: 'float32',
  dims,
  data: Float32Array.from(data),
});
const integers = (...data: number[]): OutputTensor => ({
  type: 'int64',
  dims: [data.length],
  data: BigInt64Array.from(data, BigInt),
});
const output = (name: string, shape: ValueSummary['shape'] = null): ValueSummary => ({
  name,
  type: 'float32',
  shape,
});
const model = { outputs: [output('y')], opTypes: {} as Record<string, number> };
const compare = (pairs: [OutputTensor, OutputTensor][], outputs = model.outputs) =>
  compareOutputs(
    { outputs },
    pairs.map(([y]) => ({ y })),
    pairs.map(([, y]) => ({ y })),
  );
const codes = (quality: ReturnType<typeof compare>, of = model) =>
  judgeQuality(quality, of).map(({ code }) => code);

test('another size that depends on the data is counted, the other samples are compared', () => {
  const boxes = floats([2, 2], 1, 2, 3, 4);
  const quality = compare([
    [boxes, floats([2, 2], 1, 2, 3, 4.01)],
    [boxes, floats([1, 2], 1, 2)],
    [floats([3, 2], 1, 2, 3, 4, 5, 6), boxes],
  ]);
  const [y] = quality.outputs;
  assert.deepEqual(y?.sizes, { samples: 2, float: 4, quantized: 2 });
  assert.equal(y?.compared, 1);
  assert.ok((quality.sqnr ?? 0) > 50);
  assert.deepEqual(codes(quality), ['OUTPUT_SIZES_DIFFER']);
  assert.match(qualityText(quality), /y differ in 2 of 3 samples: 4 \/ 2/);
});

test('another size where the model fixes it is a failure', () => {
  const fixed = [output('y', [2, 2])];
  assert.throws(() => compare([[floats([2, 2], 1, 2, 3, 4), floats([4], 1, 2, 3, 4)]], fixed), {
    code: 'VERIFICATION_FAILED',
    tensor: 'y',
    message: /\[4\] instead of .* \[2,2\]/,
  });
  const open = [output('y', ['N', 2])];
  assert.ok(compare([[floats([1, 2], 1, 2), floats([0, 2])]], open).outputs[0]?.sizes);
});

test('outputs without a value are not measurable, equal ones exact', () => {
  const empty = compare([[floats([0, 4]), floats([0, 4])]]);
  assert.deepEqual(
    [empty.sqnr, empty.outputs[0]?.compared, empty.outputs[0]?.exact],
    [null, 0, false],
  );
  assert.match(qualityText(empty), /^not measurable/);
  assert.deepEqual(codes(empty), []);
  const equal = compare([[floats([2], 1, 2), floats([2], 1, 2)]]);
  assert.deepEqual([equal.sqnr, equal.outputs[0]?.exact], [null, true]);
  assert.match(qualityText(equal), /^outputs are exact/);
  assert.deepEqual(codes(equal), []);
});

test('the headline is that of the worst output', () => {
  const two = [output('a'), output('b')];
  const quality = compareOutputs(
    { outputs: two },
    [{ a: floats([1], 1), b: floats([1], 100) }],
    [{ a: floats([1], 1.5), b: floats([1], 100.1) }],
  );
  const [a, b] = quality.outputs;
  assert.ok(Math.abs((quality.sqnr ?? 0) - 20 * Math.log10(2)) < 1e-6);
  assert.equal(quality.sqnr, a?.sqnr);
  assert.ok((b?.sqnr ?? 0) > 55);
  assert.match(qualityText(quality), /^SQNR of a 6\.0 dB/);
  assert.deepEqual(codes(quality), ['POOR_QUALITY']);
});

test('the spread over samples is said', () => {
  const quality = compare([
    [floats([1], 1), floats([1], 1.1)],
    [floats([1], 1), floats([1], 1.001)],
  ]);
  const [low, high] = quality.outputs[0]!.spread!;
  assert.ok(Math.abs(low - 20) < 0.1 && Math.abs(high - 60) < 0.1, `${low} ${high}`);
  assert.match(qualityText(quality), /\(20\.0 to 60\.0 by sample\)/);
});

test('integers are compared by equality', () => {
  const quality = compare([[integers(1, 2, 3, 4), integers(1, 2, 3, 5)]]);
  assert.equal(quality.outputs[0]?.different, 0.25);
  assert.equal(quality.sqnr, null);
  assert.deepEqual(codes(quality), ['POOR_QUALITY']);
  assert.match(qualityText(quality), /25\.0 % of y differ/);
  const same = compare([[integers(1, 2), integers(1, 2)]]);
  assert.deepEqual([same.outputs[0]?.different, same.outputs[0]?.exact], [0, true]);
});

test('NaN that only the quantized model gives is broken; NaN of both is left out', () => {
  const broken = compare([[floats([2], 1, 2), floats([2], 1, Number.NaN)]]);
  assert.deepEqual([broken.sqnr, broken.outputs[0]?.broken], [null, true]);
  assert.match(qualityText(broken), /^NaN or infinite/);
  assert.deepEqual(codes(broken), ['POOR_QUALITY']);
  const both = compare([[floats([2], Number.NaN, 2), floats([2], 0, 2)]]);
  assert.equal(both.outputs[0]?.exact, true);
});

test('a model that draws random numbers cannot be judged', () => {
  const quality = compare([[floats([2], 1, 2), floats([2], -3, 5)]]);
  assert.deepEqual(codes(quality), ['POOR_QUALITY']);
  const random = { ...model, opTypes: { RandomNormalLike: 1 } };
  const [warning] = judgeQuality(quality, random);
  assert.equal(warning?.code, 'RANDOM_OUTPUTS');
  assert.match(warning?.message ?? '', /RandomNormalLike/);
});

test('the top class is compared where the first output is class scores', () => {
  const scores = floats([2, 3], 0.1, 0.8, 0.1, 0.6, 0.2, 0.2);
  const agree = compare([[scores, floats([2, 3], 0.1, 0.7, 0.2, 0.3, 0.4, 0.3)]]).top1;
  assert.deepEqual(agree, { output: 'y', agree: 1, of: 2 });
  const embedding = floats([1, 6], 0.2, 0.4, 0.41, 0.8, 0.81, 0.79);
  assert.equal(compare([[embedding, embedding]]).top1, null);
});
