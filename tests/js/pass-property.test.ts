// The passes of optimize_model keep what a model computes: on random graphs that are made of what
// the passes look for. `npm run conformance -- --passes 5000` tries others, and more of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passGraph } from './support/pass-graphs.js';
import { PassProperty } from './support/pass-property.js';

test('float outputs agree to rounding before and after the passes, on 500 random graphs', async (t) => {
  const property = await PassProperty.create();
  const { failures, invalid, passes } = await property.checkAll(1, 500);
  t.diagnostic(`graphs that each pass changed: ${JSON.stringify(passes)}`);
  assert.deepEqual(invalid, [], 'graphs that onnxruntime does not run');
  assert.equal(failures.length, 0, failures.join('\n\n'));
});

test('a graph depends on its number alone', () => {
  assert.deepEqual(passGraph(7), passGraph(7));
  assert.notDeepEqual(passGraph(7).graph, passGraph(8).graph);
});

test('a wrong pass is found, and shrinking leaves the node that it changes', async () => {
  const wrong = async (model: Uint8Array) => ({
    prepared: new Uint8Array(
      Buffer.from(Buffer.from(model).toString('latin1').replaceAll('Tanh', 'Relu'), 'latin1'),
    ),
    passes: { wrong: 1 },
  });
  const property = await PassProperty.create(wrong);
  const { failures } = await property.checkAll(1, 15);
  assert.ok(failures.length > 0);
  for (const failure of failures) {
    assert.match(failure, /\{\n {2}\w+ = (Tanh \(\w+\)\n\}$|Loop <body)/);
  }
});
