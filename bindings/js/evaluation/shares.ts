// How often something holds, with its standard error.
import type { Share } from './report.js';

export function shareOf(hits: number, of: number): Share | null {
  if (of === 0) return null;
  const share = hits / of;
  return { hits, of, share, standardError: Math.sqrt((share * (1 - share)) / of) };
}

/**
 * The place of `index` in a row by falling values, 0 the best; of equal ones the first is before.
 */
export function placeOf(values: ArrayLike<number>, start: number, count: number, index: number) {
  const own = values[start + index]!;
  let place = 0;
  for (let i = 0; i < count; i++) {
    const value = values[start + i]!;
    if (value > own || (value === own && i < index)) place++;
  }
  return place;
}
