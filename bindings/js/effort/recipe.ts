// A recipe: what was done for a result, so that it can be done again without searching, on another
// build of the model or with other samples, or after somebody has edited it.

import { QuantizeError } from '../base/errors.js';
import { didYouMean } from '../base/near-matches.js';
import { noRepairs } from '../base/repairs.js';
import { type Sentence, say } from '../base/text.js';
import type { Repairs } from '../base/types.js';
import { isObject, show } from '../base/values.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import type { EffortReport, Recipe } from '../verify/report.js';
import { mayLeaveFloat } from './candidates.js';

const version = 1;

/** What the search came to. */
export const recipeOf = ({
  repairs,
  tried,
  losses,
}: Pick<EffortReport, 'repairs' | 'tried' | 'losses'>): Recipe => ({
  recipe: version,
  repairs,
  steps: tried.filter(({ accepted }) => accepted).map(({ repairs, sqnr }) => ({ repairs, sqnr })),
  losses: losses.filter(({ nodes }) => nodes.some((node) => repairs.floatNodes.includes(node))),
});

export const formatRecipe = (recipe: Recipe): string => `${JSON.stringify(recipe, null, 2)}\n`;

/** `label` names it in errors. Throws INVALID_OPTION. */
export function parseRecipe(text: string, label: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(say`${label} is not JSON: ${(cause as Error).message}`);
  }
}

/**
 * The repairs of a recipe; those that it does not name are not made. Names of nodes are checked
 * when the model is there. Throws INVALID_OPTION, and UNSUPPORTED_OPTION where this run cannot make
 * them.
 */
export function repairsOf(recipe: unknown, checked: CheckedStatic): Repairs {
  if (!isObject(recipe))
    throw invalid(say`recipe: expected an object but received ${show(recipe)}`);
  const { recipe: made, repairs } = recipe as Partial<Recipe>;
  if (made !== version) {
    throw invalid(
      say`recipe: expected "recipe": ${version} but received ${show(made)}`,
      say`report.effort.recipe and save_recipe have it`,
    );
  }
  if (!isObject(repairs)) {
    throw invalid(say`recipe: expected an object of repairs but received ${show(repairs)}`);
  }
  for (const [name, value] of Object.entries(repairs)) checkRepair(name, value);
  const all = { ...noRepairs, ...repairs };
  if (checked.effort === 'none') {
    throw unsupported(
      say`recipe with effort none, which makes no repairs`,
      say`use effort ${'fast'}`,
    );
  }
  const leavesFloat = all.layerIo || all.floatNodes.length > 0;
  if (leavesFloat && !mayLeaveFloat(checked)) {
    throw unsupported(
      say`recipe: it leaves nodes float, which the format, the profile or the choice of nodes does not allow`,
      say`take layerIo and floatNodes out of it, or use quant_format QDQ`,
    );
  }
  if (all.smooth > 0 && !all.layerIo) {
    throw unsupported(say`recipe: smooth goes with layerIo only`, say`set layerIo, too`);
  }
  return all;
}

function checkRepair(name: string, value: unknown): void {
  const known = Object.keys(noRepairs);
  if (!known.includes(name)) {
    throw invalid(say`recipe: unknown repair "${name}"`, didYouMean(name, known));
  }
  const expected = (what: Sentence) =>
    invalid(say`recipe: ${name}: expected ${what} but received ${show(value)}`);
  const usual = noRepairs[name as keyof Repairs];
  if (typeof usual === 'boolean' && typeof value !== 'boolean') throw expected(say`true or false`);
  if (typeof usual === 'number' && !(typeof value === 'number' && value >= 0 && value <= 1)) {
    throw expected(say`a number from 0 to 1`);
  }
  if (name === 'ranges' && !isRanges(value)) {
    throw expected(say`an object of pairs, the lowest and the highest value of a tensor`);
  }
  const isNames = Array.isArray(value) && value.every((item) => typeof item === 'string');
  if (Array.isArray(usual) && !isNames) throw expected(say`a list of names`);
}

const isRanges = (value: unknown): value is Repairs['ranges'] =>
  isObject(value) &&
  Object.values(value).every(
    (range) => Array.isArray(range) && range.length === 2 && (range[0] as number) < range[1],
  );

const invalid = (message: Sentence, hint?: Sentence) =>
  new QuantizeError('INVALID_OPTION', message, { hint });

const unsupported = (message: Sentence, hint: Sentence) =>
  new QuantizeError('UNSUPPORTED_OPTION', message, { hint });
