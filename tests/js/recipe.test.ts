import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noRepairs } from '#dist/base/repairs.js';
import { loadCore } from '#dist/core/load.js';
import { formatRecipe, parseRecipe, recipeOf, repairsOf } from '#dist/effort/recipe.js';
import { QuantizeError } from '#dist/index.js';
import { checkQuantizeStatic } from '#dist/options/validate.js';

const core = await loadCore();
const qdq = { quant_format: 'QDQ', weight_type: 'QInt8', effort: 'fast' };
const read = (recipe: unknown, options: object = qdq) =>
  repairsOf(recipe, checkQuantizeStatic({ ...options }, core));

function refused(recipe: unknown, pattern: RegExp, options: object = qdq) {
  assert.throws(
    () => read(recipe, options),
    (error: unknown) => error instanceof QuantizeError && pattern.test(error.message),
  );
}

test('a recipe has what was accepted, and what the float nodes lost', () => {
  const repairs = { ...noRepairs, correctBiases: true, floatNodes: ['a', 'b'] };
  const recipe = recipeOf({
    repairs,
    tried: [
      { repairs: noRepairs, sqnr: 5, accepted: true },
      { repairs: { ...noRepairs, equalize: true }, sqnr: 4, accepted: false },
      { repairs, sqnr: 25, accepted: true },
    ],
    losses: [
      { nodes: ['a', 'b'], noise: 0.2 },
      { nodes: ['c'], noise: 0.1 },
    ],
  });
  assert.deepEqual(
    recipe.steps.map(({ sqnr }) => sqnr),
    [5, 25],
  );
  assert.deepEqual(recipe.losses, [{ nodes: ['a', 'b'], noise: 0.2 }]);
  assert.deepEqual(read(parseRecipe(formatRecipe(recipe), 'the recipe')), repairs);
});

test('repairs that a recipe does not name are not made', () => {
  assert.deepEqual(read({ recipe: 1, repairs: { correctBiases: true } }), {
    ...noRepairs,
    correctBiases: true,
  });
});

test('what an edit has broken is said', () => {
  refused([], /expected an object but received/);
  refused({ repairs: {} }, /expected "recipe": 1/);
  refused({ recipe: 1 }, /expected an object of repairs/);
  refused({ recipe: 1, repairs: { layerIO: true } }, /unknown repair "layerIO"/);
  refused({ recipe: 1, repairs: { layerIo: 1 } }, /layerIo: expected true or false/);
  refused({ recipe: 1, repairs: { smooth: 2 } }, /smooth: expected a number from 0 to 1/);
  refused({ recipe: 1, repairs: { floatNodes: 'a' } }, /floatNodes: expected a list of names/);
  refused({ recipe: 1, repairs: { ranges: { a: [1] } } }, /ranges: expected an object of pairs/);
  refused({ recipe: 1, repairs: { ranges: { a: [1, 1] } } }, /ranges: expected an object of pairs/);
  refused({ recipe: 1, repairs: { smooth: 0.5 } }, /smooth goes with layerIo/);
  assert.throws(() => parseRecipe('{', 'recipe: r.json'), /recipe: r.json is not JSON/);
});

test('a run that cannot make the repairs refuses the recipe', () => {
  const float = { recipe: 1, repairs: { floatNodes: ['a'] } };
  refused(float, /leaves nodes float/, { effort: 'fast' });
  refused(float, /leaves nodes float/, { ...qdq, profile: 'qnn' });
  refused(float, /effort none/, { ...qdq, effort: 'none' });
});
