// Candidates ranked by a score over pictures. One is taken for better than another only if it is so
// whichever picture is left out, and by more than two runtimes differ in rounding: otherwise it is
// the choice of pictures that decides.

/** By so many times the better score is larger, at least. */
const leastFactor = 1.02;

export interface Scores<T> {
  /** How many pictures the score is over. */
  pictures: number;
  /** Over all pictures but number `without` (null: all); higher is better, never below 0. */
  of(candidate: T, without: number | null): number;
}

export interface Ranking<T> {
  /** Best first; of equal ones the first given. */
  order: T[];
  /** Whether `other` is behind the first for sure; `factor`: by so many times, at least. */
  isBehind(other: T, factor?: number): boolean;
}

export function rank<T>(candidates: readonly T[], { pictures, of }: Scores<T>): Ranking<T> {
  const scores = new Map<T, number>(candidates.map((one) => [one, of(one, null)]));
  const order = [...candidates].sort((a, b) => scores.get(b)! - scores.get(a)!);
  const best = order[0]!;
  const leftOut = Array.from({ length: pictures }, (_, i) => i);
  return {
    order,
    isBehind: (other, factor = leastFactor) =>
      pictures > 1 &&
      scores.get(best)! > factor * scores.get(other)! &&
      leftOut.every((without) => of(best, without) > of(other, without)),
  };
}
