// Tensor ranges as the core reads and writes them: JSON, which has no infinity.
import type { Repairs, TensorRanges } from '../base/types.js';

type RangeEnd = number | 'inf' | '-inf';

/** Reads the core's JSON of ranges; tensors without a value are left out. */
export function parseRanges(json: string): TensorRanges {
  const ranges: [string, TensorRanges[string]][] = [];
  const end = (value: RangeEnd) =>
    typeof value === 'number' ? value : value === 'inf' ? Infinity : -Infinity;
  for (const [tensor, range] of Object.entries(
    JSON.parse(json) as Record<string, RangeEnd[] | null>,
  )) {
    if (range) ranges.push([tensor, range.map(end) as [number, number]]);
  }
  return Object.fromEntries(ranges); // so that a tensor may be named __proto__
}

/** The core's JSON of ranges. */
export function formatRanges(ranges: TensorRanges): string {
  return JSON.stringify(ranges, (_, value) =>
    value === Infinity ? 'inf' : value === -Infinity ? '-inf' : value,
  );
}

/** The core's JSON of ranges, with those that repairs have in place of it. */
export function withRanges(json: string, { ranges }: Pick<Repairs, 'ranges'>): string {
  if (Object.keys(ranges).length === 0) return json;
  // Tensors without a value stay in it, as null.
  return JSON.stringify({ ...JSON.parse(json), ...ranges });
}
