// --save_recipe and --recipe: what a search has found is done again, as it is or edited.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Recipe } from '#dist/verify/report.js';
import { collapsing, samples } from './support/collapsing.js';
import { npy } from './support/npy.js';
import { command, temporaryFolder } from './support/pipeline.js';

const model = collapsing();
const folder = temporaryFolder();
const dataset = path.join(folder, 'samples');
fs.mkdirSync(dataset);
for (const [index, { x }] of samples(12).entries()) {
  const name = `${String(index).padStart(2, '0')}.npy`;
  fs.writeFileSync(path.join(dataset, name), npy('<f4', [...x!.dims], x!.data as Float32Array));
}

const at = (name: string) => path.join(folder, name);
const run = (output: string, ...more: string[]) =>
  command([
    '--input_model',
    model,
    '--output_model',
    at(output),
    '--calibrate_dataset',
    dataset,
    ...more,
  ]);

test('a saved recipe is carried out with no search, to the same bytes', async () => {
  const searched = await run(
    'searched.onnx',
    '--effort',
    'fast',
    '--save_recipe',
    at('recipe.json'),
  );
  assert.equal(searched.code, 0, searched.err);
  assert.match(searched.out, /effort +channels equalized.* dB on 5 samples held out/);
  const recipe: Recipe = JSON.parse(fs.readFileSync(at('recipe.json'), 'utf8'));
  assert.equal(recipe.recipe, 1);
  assert.equal(recipe.repairs.equalize, true);
  const again = await run('again.onnx', '--recipe', at('recipe.json'));
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /effort +channels equalized.*, as in the recipe/);
  assert.ok(fs.readFileSync(at('again.onnx')).equals(fs.readFileSync(at('searched.onnx'))));
});

test('an edited recipe does what it says: nothing, and it is the result of none', async () => {
  fs.writeFileSync(at('empty.json'), '{"recipe": 1, "repairs": {}}');
  const empty = await run('empty.onnx', '--recipe', at('empty.json'));
  assert.equal(empty.code, 0, empty.err);
  assert.equal((await run('none.onnx', '--effort', 'none')).code, 0);
  assert.ok(fs.readFileSync(at('empty.onnx')).equals(fs.readFileSync(at('none.onnx'))));
});

test('a recipe that is broken, or that nothing can be saved of, is refused, and nothing is written', async () => {
  fs.writeFileSync(at('broken.json'), '{"recipe": 1, "repairs": {"equalise": true}}');
  for (const [pattern, ...more] of [
    [/unknown repair "equalise"/, '--recipe', at('broken.json')],
    [/absent\.json/, '--recipe', at('absent.json')],
    [
      /save_recipe has no effect with effort none/,
      '--effort',
      'none',
      '--save_recipe',
      at('r.json'),
    ],
  ] as const) {
    const { code, err } = await run('refused.onnx', ...more);
    assert.equal(code, 2, err);
    assert.match(err, pattern);
    assert.ok(!fs.existsSync(at('refused.onnx')) && !fs.existsSync(at('r.json')));
  }
});
