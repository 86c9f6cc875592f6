// Writes the quantized model and, with an effort, the best that the search for repairs finds, on
// samples that were held out of calibration. A recipe is carried out without any search.

import { QuantizeError } from '../base/errors.js';
import { noRepairs } from '../base/repairs.js';
import { asMessage, say } from '../base/text.js';
import type { Diagnostic, QuantizeReport, Repairs } from '../base/types.js';
import { parseRanges } from '../core/ranges.js';
import type { EffortReport } from '../verify/report.js';
import { recipeOf } from './recipe.js';
import { fewest, isSearched, Search } from './search.js';
import { type EffortInput, searchRanges, writeWith } from './trials.js';

/** The output holds the result in the end. */
export async function quantizeWithEffort(
  given: EffortInput,
): Promise<{ quantized: QuantizeReport; effort: EffortReport | null }> {
  const { run, checked, held, recipe } = given;
  if (recipe !== null) return carryOut(given, recipe);
  const searches = isSearched(given);
  const quantized = await writeWith(
    given,
    searches ? searchRanges(given) : given.ranges,
    noRepairs,
  );
  if (checked.effort === 'none') return { quantized, effort: null };
  const search = new Search(given, quantized);
  if (!searches) {
    run.note(tooFewSamples(held.length));
    return search.result();
  }
  if (quantized.nodesQuantized.length === 0) return search.result();
  try {
    await search.run();
  } catch (error) {
    if (!run.isCancelled) run.note(failed(error));
    else if (checked.effort !== 'max') throw error;
  }
  // Whenever it is cancelled from here on, there is a result.
  if (checked.effort === 'max') run.finish();
  return search.result();
}

async function carryOut(given: EffortInput, repairs: Repairs) {
  const known = parseRanges(given.ranges);
  const unknown = Object.keys(repairs.ranges).find((tensor) => !(tensor in known));
  if (unknown !== undefined) {
    throw new QuantizeError(
      'INVALID_OPTION',
      say`recipe: ranges: no range of a tensor named '${unknown}' was calibrated`,
      { tensor: unknown },
    );
  }
  if (repairs.round) await given.collectMoments();
  const done = { level: 'recipe', held: 0, checked: 0, repairs, tried: [], losses: [] };
  return {
    quantized: await writeWith(given, given.ranges, repairs),
    effort: { ...done, recipe: recipeOf(done) },
  };
}

function tooFewSamples(held: number): Diagnostic {
  return {
    severity: 'info',
    code: 'EFFORT_NEEDS_SAMPLES',
    ...asMessage(
      say`no repair was tried: ${held} samples could be held out to compare with, and it takes ${fewest}`,
    ),
    hint: 'give 4 samples or more; from 32 on 16 are held out',
  };
}

/** The search is an extra: whatever goes wrong in it, the result is the best until then. */
function failed(error: unknown): Diagnostic {
  const message = error instanceof Error ? error.message : String(error);
  const { node, tensor } = error instanceof QuantizeError ? error : {};
  return {
    severity: 'warning',
    code: 'EFFORT_FAILED',
    ...asMessage(say`the search for repairs ended early: ${message}`),
    ...(node && { node }),
    ...(tensor && { tensor }),
    hint: 'the result is the best that was found until then; effort none does not search',
  };
}
