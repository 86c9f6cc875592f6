// How much what a model puts out tells about which picture it was given. A model that is fed as in
// training is sure of what it sees, sees the same in two crops of a picture, and something else in
// another picture; one that is fed otherwise is unsure, or says the same of all.

/** The entropy of a distribution, in nats. */
export function entropy(distribution: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < distribution.length; i++) {
    const p = distribution[i]!;
    if (p > 0) sum -= p * Math.log(p);
  }
  return sum;
}

export function mean(rows: readonly ArrayLike<number>[]): Float64Array {
  const out = new Float64Array(rows[0]!.length);
  for (const row of rows) for (let i = 0; i < out.length; i++) out[i]! += row[i]! / rows.length;
  return out;
}

/** Scores as they are where they sum to 1, else their softmax. */
export function asDistribution(values: ArrayLike<number>): Float64Array {
  const scores = Float64Array.from(values);
  const sum = scores.reduce((total, value) => total + value, 0);
  if (Math.abs(sum - 1) < 1e-2 && scores.every((value) => value >= -1e-6)) {
    return scores.map((value) => Math.max(0, value / sum));
  }
  const largest = scores.reduce((most, value) => Math.max(most, value), -Infinity);
  const powers = scores.map((value) => Math.exp(value - largest));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}

/**
 * `classes`: by picture, the class probabilities over its views. The mutual information of picture
 * and class, of what is possible, times how sure the model is: 0…1.
 */
export function classInformation(classes: readonly ArrayLike<number>[]): number {
  const most = Math.log(Math.min(classes.length, classes[0]!.length));
  if (!(most > 0)) return 0;
  const unsure = classes.reduce((sum, row) => sum + entropy(row), 0) / classes.length;
  const information = entropy(mean(classes)) - unsure;
  return (Math.max(0, information) / most) * (1 - unsure / Math.log(classes[0]!.length));
}

const binary = (p: number) => (p > 0 && p < 1 ? -(p * Math.log(p) + (1 - p) * Math.log(1 - p)) : 0);

/**
 * The same of many yes-or-no probabilities (boxes, the pixels of a mask), by picture: the mutual
 * information of the picture with each, summed, in nats.
 */
export class ProbabilityInformation {
  readonly #rows: readonly ArrayLike<number>[];
  readonly #sums: Float64Array;
  readonly #unsure: number[];

  constructor(rows: readonly ArrayLike<number>[]) {
    this.#rows = rows;
    this.#sums = new Float64Array(rows[0]?.length ?? 0);
    this.#unsure = rows.map((row) => {
      let unsure = 0;
      for (let i = 0; i < row.length; i++) {
        this.#sums[i]! += row[i]!;
        unsure += binary(row[i]!);
      }
      return unsure;
    });
  }

  /** Of all pictures but number `without`. */
  of(without: number | null): number {
    const left = without === null ? null : this.#rows[without]!;
    const count = this.#rows.length - (left ? 1 : 0);
    if (count < 2) return 0;
    let together = 0;
    for (let i = 0; i < this.#sums.length; i++) {
      together += binary((this.#sums[i]! - (left ? left[i]! : 0)) / count);
    }
    const unsure = this.#unsure.reduce((sum, value, i) => (i === without ? sum : sum + value), 0);
    return Math.max(0, together - unsure / count);
  }
}
