// inspect and inspectModel: what is said about a model before any work.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { inspectModel } from '#dist/index.js';
import { command, model, temporaryFolder } from './support/pipeline.js';

test('the nodes of each format are listed, the others with a reason', async () => {
  const { formats, nodes, opset, weightBytes, inputs } = await inspectModel(
    model('classifier.onnx'),
  );
  for (const [name, { nodesQuantized, nodesLeftFloat, refused }] of Object.entries(formats)) {
    assert.equal(refused, undefined, name);
    assert.ok(nodesQuantized.length > 0, name);
    assert.ok(nodesQuantized.length + nodesLeftFloat.length <= nodes, name);
    for (const { reason, code } of nodesLeftFloat) assert.ok(reason && code);
  }
  assert.ok(formats.QDQ.opset >= opset);
  assert.ok(weightBytes > 0);
  assert.equal(inputs[0]?.name, 'image');
});

test('data files need not be there', async () => {
  const folder = temporaryFolder();
  const alone = path.join(folder, 'external.onnx');
  fs.copyFileSync(model('external.onnx'), alone);
  const { externalFiles, formats } = await inspectModel(alone);
  assert.deepEqual(externalFiles, ['external.onnx.data']);
  assert.ok(formats.QOperator.nodesQuantized.length > 0);
});

test('a model in which nothing can be quantized says so', async () => {
  const { formats } = await inspectModel(model('if_only.onnx'));
  assert.deepEqual(formats.QDQ.nodesQuantized, []);
  assert.ok(formats.QDQ.nodesLeftFloat.length > 0);
});

test('the command prints text or JSON and writes nothing', async () => {
  const argv = ['inspect', '--input_model', model('classifier.onnx')];
  const text = await command(argv);
  assert.equal(text.code, 0, text.err);
  assert.match(text.out, /^input +"image" float32 \[/m);
  assert.match(text.out, /^opset +\d+/m);
  assert.match(text.out, /^memory +[\d.]+ [kM]?B/m);
  assert.match(text.out, /^QOperator +\d+ of \d+ nodes in int8/m);
  assert.match(text.out, /^QDQ +\d+ of \d+ nodes in int8/m);
  const json = await command([...argv, '--json']);
  assert.deepEqual(Object.keys(JSON.parse(json.out).formats).sort(), ['QDQ', 'QOperator']);
});

test('wrong names and files end as they do elsewhere', async () => {
  const unknown = await command(['inspect', '-i', model('classifier.onnx'), '--fix_dim', 'Z=1']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /no input of the model has a free dimension "Z"/);
  const missing = await command(['inspect', '-i', 'nowhere.onnx']);
  assert.equal(missing.code, 1);
  assert.equal((await command(['inspect'])).code, 2);
});
