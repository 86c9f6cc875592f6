// "did you mean …": which known names are close to one that is unknown.

/** Levenshtein distance of `a` and `b`, case ignored. */
export function editDistance(a: string, b: string): number {
  const from = a.toLowerCase();
  const to = b.toLowerCase();
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitute = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}

/** Up to three of `known` that `name` was probably meant to be, closest first. */
export function nearMatches(name: string, known: Iterable<string>): string[] {
  const limit = Math.max(2, Math.floor(name.length / 3));
  const scored: [number, string][] = [];
  for (const candidate of new Set(known)) {
    // Too different in length to be within the limit: skip the quadratic part.
    const distance =
      Math.abs(candidate.length - name.length) > limit ? limit + 1 : editDistance(name, candidate);
    const part = name.length >= 4 && candidate.toLowerCase().includes(name.toLowerCase());
    if (distance <= limit) scored.push([distance, candidate]);
    else if (part) scored.push([limit + 1, candidate]);
  }
  scored.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1));
  return scored.slice(0, 3).map(([, candidate]) => candidate);
}

/** `did you mean "a" or "b"?`, or '' where nothing is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const near = nearMatches(name, known).map((candidate) => `"${candidate}"`);
  if (near.length === 0) return '';
  const last = near.pop() as string;
  return `did you mean ${near.length > 0 ? `${near.join(', ')} or ` : ''}${last}?`;
}
