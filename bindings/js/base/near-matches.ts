// "did you mean …": which known names are close to one that is unknown. The rule of
// src/base/near_matches.h; tests/fixtures/near_matches.json holds both to it.

import { type Sentence, say } from './text.js';

const folded = (text: string) => text.toLowerCase().replaceAll('-', '_');

/**
 * Insertions, deletions, replacements and swaps of neighbours between `a` and `b`; case and dashes
 * are ignored.
 */
export function editDistance(a: string, b: string): number {
  const from = folded(a);
  const to = folded(b);
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = above[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, above[j]! + 1, row[j - 1]! + 1);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, above] = [above, row];
  }
  return above[to.length]!;
}

/**
 * Up to three of `known` that `name` may have meant, best first, equal ones by name: those few
 * edits away (a third of its length, but 1 to 8, and fewer than its length), then those that
 * contain it or that it contains, of 3 characters or more, nearest length first.
 */
export function nearMatches(name: string, known: Iterable<string>): string[] {
  const wanted = folded(name);
  const limit = Math.min(Math.max(Math.floor(wanted.length / 3), 1), 8);
  const scored: [number, string][] = [];
  for (const candidate of new Set(known)) {
    const other = folded(candidate);
    const difference = Math.abs(other.length - wanted.length);
    // Too different in length to be within the limit: skip the quadratic part.
    const distance = difference > limit ? limit + 1 : editDistance(name, candidate);
    const shorter = Math.min(wanted.length, other.length);
    const contained = shorter >= 3 && (other.includes(wanted) || wanted.includes(other));
    if (distance <= limit && distance < wanted.length) scored.push([distance, candidate]);
    else if (contained) scored.push([1000 + difference, candidate]); // after any edit distance
  }
  scored.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1));
  return scored.slice(0, 3).map(([, candidate]) => candidate);
}

/** `did you mean "a" or "b"?`; undefined where nothing is near. */
export function didYouMean(name: string, known: Iterable<string>): Sentence | undefined {
  const [first, second, third] = nearMatches(name, known);
  if (first === undefined) return undefined;
  if (second === undefined) return say`did you mean "${first}"?`;
  if (third === undefined) return say`did you mean "${first}" or "${second}"?`;
  return say`did you mean "${first}", "${second}" or "${third}"?`;
}
