// A result larger than its model is a warning with the reason; weights that stay float are named in
// the API, the command and the report.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { quantizeStatic } from '#dist/index.js';
import { judgeSize } from '#dist/verify/judge-size.js';
import { writeModel } from './support/onnx-writer.js';
import { command, noise, temporaryFolder } from './support/pipeline.js';

const weights = (bytes: number, floatBytes: number) => ({
  bytes,
  floatBytes,
  left:
    floatBytes > 0
      ? [{ name: 'w', bytes: floatBytes, node: 'n', code: 'OTHER_DOMAIN', reason: 'it is custom' }]
      : [],
});

test('only a result that is larger is one', () => {
  assert.deepEqual(judgeSize(1000, 1000, weights(900, 900)), []);
  const [float] = judgeSize(1000, 1500, weights(900, 800));
  assert.equal(float?.code, 'RESULT_LARGER');
  assert.match(float.message, /1\.00 kB → 1\.50 kB.*800 B of 900 B.*"w" because it is custom/);
  assert.deepEqual([float.node, float.tensor], ['n', 'w']);
  const [small] = judgeSize(1000, 1500, weights(100, 0));
  assert.match(small!.message, /100 B of it are weights/);
});

/** x [1,n] -> MatMul (w) -> h -> `tail` -> y [1,n]; v is a weight as large as w. */
function modelFile(n: number, tail: { opType: string; inputs: string[] }[]): string {
  const file = path.join(temporaryFolder(), 'm.onnx');
  const nodes = [{ opType: 'MatMul', inputs: ['x', 'w'] }, ...tail].map((node, i, all) => ({
    ...node,
    name: `n${i}`,
    outputs: [i === all.length - 1 ? 'y' : `h${i}`],
  }));
  const weight = (name: string) => ({ name, dims: [n, n], pattern: noise(n, 3) });
  writeModel(file, {
    nodes,
    weights: [weight('w'), weight('v')],
    inputs: [{ name: 'x', dims: [1, n] }],
    outputs: [{ name: 'y', dims: [1, n] }],
  });
  return file;
}

const samples = (n: number) =>
  [1, 2, 3].map((seed) => ({ x: { type: 'float32', dims: [1, n], data: noise(n, seed) } }));

for (const quantFormat of ['QDQ', 'QOperator'] as const) {
  test(`${quantFormat}: a model of hardly any weights grows, and that is said`, async () => {
    const { report } = await quantizeStatic({
      modelInput: modelFile(2, [{ opType: 'MatMul', inputs: ['h0', 'v'] }]),
      calibrationDataReader: samples(2),
      quantFormat,
    });
    assert.ok(report.bytesAfter > report.bytesBefore);
    const said = report.diagnostics.find(({ code }) => code === 'RESULT_LARGER');
    assert.equal(said?.severity, 'warning');
    assert.deepEqual(report.weights, { bytes: 32, floatBytes: 0, left: [] });
  });

  test(`${quantFormat}: weights that stay float are named in summary, warnings and report`, async () => {
    // Max is not quantized by default.
    const file = modelFile(32, [{ opType: 'Max', inputs: ['h0', 'v'] }]);
    const folder = path.dirname(file);
    fs.mkdirSync(path.join(folder, 'data'));
    const { data } = samples(32)[0]!.x;
    fs.writeFileSync(path.join(folder, 'data', 'a.raw'), new Uint8Array(data.buffer));
    const argv = ['-i', file, '-o', path.join(folder, 'q.onnx'), '--quant_format', quantFormat];
    const common = [...argv, '--calibrate_dataset', path.join(folder, 'data')];
    const { code, out, err } = await command(common);
    assert.equal(code, 0, err);
    assert.match(out, /50 % of the weights' bytes are float/);
    assert.match(err, /warning: 4\.10 kB of 8\.19 kB of weights stay float.*'v'.*Max/);
    const json = JSON.parse((await command([...common, '--json'])).out);
    assert.equal(json.weights.floatBytes, 4096);
    assert.deepEqual(
      json.weights.left.map((one: { name: string; node: string; code: string }) => [
        one.name,
        one.node,
        one.code,
      ]),
      [['v', 'n1', 'OP_TYPE_NOT_SELECTED']],
    );
  });
}
