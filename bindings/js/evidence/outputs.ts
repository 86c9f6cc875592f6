// What a model puts out, and which preprocessing it speaks for: scores of classes and probabilities
// by how much they tell about the picture (information.ts), pictures by how close they are to the
// one that was put in.

import type { PreprocessCandidate } from '../base/types.js';
import { asDistribution, classInformation, mean, ProbabilityInformation } from './information.js';
import { rank, type Scores } from './leave-one-out.js';
import { normalize, type Observed, type TrialSession, type Trials } from './trials.js';

/** Pictures of the first round, which leaves a few candidates for the second. */
const firstPictures = 4;
const mostLeft = 4;
/** Larger inputs take so long that fewer pictures must do, and the channel order is not asked. */
const largePixels = 448 * 448;
const fewPictures = 2;
/** Of the best score, what a candidate needs to be left. */
const leastShare = 0.5;
/** Of 0…1: scores of classes that tell less tell nothing. */
const leastClassScore = 0.25;
const mostClasses = 1 << 15;
/** An output of fewer values has no pixels and no boxes. */
const leastValues = 64;
/** A box has fewer values. */
const mostColumns = 1 << 10;
const mostPixels = 1 << 17;
/** Nats: probabilities that tell less tell nothing. */
const leastInformation = 1;
/** By so much a float probability may leave 0…1. */
const rounding = 1e-5;

export interface OutputEvidence extends Scores<PreprocessCandidate> {
  by: 'scores' | 'probabilities' | 'pictures';
  /** Those that the scores are of. */
  candidates: readonly PreprocessCandidate[];
  /** What it takes, in times the score, to tell normalizations apart; absent: what differs. */
  factor?: number;
}

/** Scores of classes have to agree among crops; what does not has to tell much more. */
const valueFactor = 1.5;

type ByCandidate<T> = Map<PreprocessCandidate, T[]>;

/**
 * null where no output tells anything. `outputs`: the model's, of floats. `likely`: candidates for
 * what is no scores of classes and would be misled by pictures of another magnitude.
 */
export async function outputEvidence(
  trials: Trials,
  outputs: readonly string[],
  candidates: readonly PreprocessCandidate[],
  likely: readonly PreprocessCandidate[],
): Promise<OutputEvidence | null> {
  if (outputs.length === 0) return null;
  const session = await trials.open(outputs);
  try {
    const first = await session.observe(candidates[0]!, 0, 0);
    const classes = numbersOf(first, isClasses);
    if (classes.length > 0) {
      const evidence = await classEvidence(session, trials.count, classes, candidates);
      if (evidence) return evidence;
    }
    const many = numbersOf(first, ({ values }) => values.length >= leastValues);
    return many.length > 0 ? await valueEvidence(session, trials, many, likely) : null;
  } finally {
    await session.release();
  }
}

function numbersOf(outputs: readonly Observed[], fits: (output: Observed) => boolean): number[] {
  return outputs.flatMap((output, number) => (fits(output) ? [number] : []));
}

/** [N,C], also with further dimensions of 1. */
function isClasses({ dims }: Observed): boolean {
  const large = dims.slice(1).filter((dim) => dim !== 1);
  return large.length === 1 && large[0]! > 1 && large[0]! <= mostClasses;
}

/** Values of the first sample of a batch: all are the same. */
const firstSample = ({ dims, values }: Observed) =>
  values.subarray(0, values.length / (dims[0] || 1));

async function classEvidence(
  session: TrialSession,
  count: number,
  numbers: readonly number[],
  candidates: readonly PreprocessCandidate[],
): Promise<OutputEvidence | null> {
  /** By candidate, picture, and output. */
  const seen: ByCandidate<Float64Array[]> = new Map();
  const look = async (candidate: PreprocessCandidate, picture: number, views: number) => {
    const distributions: Float64Array[][] = numbers.map(() => []);
    for (let view = 0; view < views; view++) {
      const outputs = await session.observe(candidate, picture, view);
      for (const [i, number] of numbers.entries()) {
        distributions[i]!.push(asDistribution(firstSample(outputs[number]!)));
      }
    }
    return distributions.map(mean);
  };
  const score = (candidate: PreprocessCandidate, without: number | null) => {
    const pictures = seen.get(candidate)!.filter((_, i) => i !== without);
    const scores = numbers.map((_, i) => classInformation(pictures.map((one) => one[i]!)));
    return scores.reduce((sum, value) => sum + value, 0) / scores.length;
  };
  const few = spread(count, firstPictures);
  for (const candidate of candidates) {
    seen.set(candidate, []);
    for (const picture of few) seen.get(candidate)!.push(await look(candidate, picture, 1));
  }
  const left = shortList(candidates, (candidate) => score(candidate, null));
  for (const candidate of left) {
    seen.set(candidate, []);
    for (let i = 0; i < count; i++) seen.get(candidate)!.push(await look(candidate, i, 2));
  }
  const best = Math.max(...left.map((candidate) => score(candidate, null)));
  if (best < leastClassScore) return null;
  return { by: 'scores', candidates: left, pictures: count, of: score };
}

/** `few` of the numbers 0…count − 1, evenly. */
function spread(count: number, few: number): number[] {
  const taken = Math.min(count, few);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}

function shortList(
  candidates: readonly PreprocessCandidate[],
  score: (candidate: PreprocessCandidate) => number,
): PreprocessCandidate[] {
  const { order } = rank(candidates, { pictures: 0, of: score });
  const least = leastShare * score(order[0]!);
  return order.filter((candidate) => score(candidate) >= least).slice(0, mostLeft);
}

async function valueEvidence(
  session: TrialSession,
  trials: Trials,
  numbers: readonly number[],
  likely: readonly PreprocessCandidate[],
): Promise<OutputEvidence | null> {
  const [height = 0, width = 0] = trials.pictures.dims.slice(
    trials.pictures.channelsLast ? -3 : -2,
  );
  const isLarge = width * height > largePixels;
  const few = spread(trials.count, isLarge ? fewPictures : firstPictures);
  const candidates = isLarge ? firstOfPresets(likely) : likely;
  /** The candidate that was run in the place of one. */
  const run = (one: PreprocessCandidate) =>
    candidates.includes(one) ? one : candidates.find(({ preset }) => preset === one.preset)!;
  const probabilities = numbers.map(() => new Probabilities());
  const likeness: ByCandidate<Likeness[]> = new Map();
  for (const candidate of candidates) {
    likeness.set(candidate, []);
    for (const picture of few) {
      const outputs = await session.observe(candidate, picture, 0);
      const like: Likeness[] = [];
      for (const [i, number] of numbers.entries()) {
        probabilities[i]!.add(candidate, outputs[number]!);
        like.push(...likenessOf(outputs[number]!, trials, candidate, picture));
      }
      likeness.get(candidate)!.push(like);
    }
  }
  const told = probabilities.filter(({ isAny }) => isAny);
  if (told.length > 0) {
    const information = told.map((output) => output.information());
    const of = (candidate: PreprocessCandidate, without: number | null) =>
      information.reduce((sum, by) => sum + by.get(run(candidate))!.of(without), 0);
    const best = Math.max(...candidates.map((candidate) => of(candidate, null)));
    if (best < leastInformation) return null;
    return {
      by: 'probabilities',
      candidates: likely,
      pictures: few.length,
      of,
      factor: valueFactor,
    };
  }
  if (![...likeness.values()].every((pictures) => pictures.every(({ length }) => length > 0))) {
    return null;
  }
  const of = (candidate: PreprocessCandidate, without: number | null) => {
    const all = likeness.get(run(candidate))!.filter((_, i) => i !== without);
    const sum = (what: keyof Likeness) =>
      all.flat().reduce((total, picture) => total + picture[what], 0);
    return sum('energy') / sum('error');
  };
  return { by: 'pictures', candidates: likely, pictures: few.length, of, factor: valueFactor };
}

/** Of each normalization the first. */
export function firstOfPresets(candidates: readonly PreprocessCandidate[]): PreprocessCandidate[] {
  return candidates.filter(
    (one, i) => candidates.findIndex(({ preset }) => preset === one.preset) === i,
  );
}

/** What an output says of yes or no, as far as its values never leave 0…1. */
class Probabilities {
  readonly #seen: ByCandidate<Float32Array> = new Map();
  /** By column, whether its values are probabilities; null before the first run. */
  #columns: boolean[] | null = null;
  /** The column of a value. */
  #columnOf: (index: number) => number = () => 0;

  get isAny(): boolean {
    return this.#columns?.includes(true) === true;
  }

  add(candidate: PreprocessCandidate, output: Observed): void {
    const values = firstSample(output);
    if (this.#columns === null) {
      // Boxes [N,boxes,values of a box], or the other way round: some values are probabilities.
      const [, rows = 1, width = 1] = output.dims;
      const isTable = output.dims.length === 3 && Math.min(rows, width) < mostColumns;
      if (isTable) this.#columnOf = width <= rows ? (i) => i % width : (i) => Math.floor(i / width);
      this.#columns = Array<boolean>(isTable ? Math.min(rows, width) : 1).fill(true);
    }
    const columns = this.#columns;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!(value >= -rounding && value <= 1 + rounding)) columns[this.#columnOf(i)] = false;
    }
    if (!this.isAny) this.#seen.clear();
    else
      this.#seen.set(candidate, [...(this.#seen.get(candidate) ?? []), thinned(values, columns)]);
  }

  information(): Map<PreprocessCandidate, ProbabilityInformation> {
    const columns = this.#columns!;
    const rows = (all: readonly Float32Array[]) =>
      all.map((values) =>
        columns.length === 1 ? values : values.filter((_, i) => columns[this.#columnOf(i)]),
      );
    return new Map(
      [...this.#seen].map(([candidate, all]) => [candidate, new ProbabilityInformation(rows(all))]),
    );
  }
}

/** A copy; of masks at most so many pixels. */
function thinned(values: Float32Array, columns: readonly boolean[]): Float32Array {
  const step = columns.length > 1 ? 1 : Math.ceil(values.length / mostPixels);
  return step === 1 ? values.slice() : values.filter((_, i) => i % step === 0);
}

/** Of one picture that came out: how far it is from that which was put in, and what that held. */
interface Likeness {
  error: number;
  energy: number;
}

/** One, where the output is a picture of as many channels, and of its size or a multiple of it. */
function likenessOf(
  output: Observed,
  { pictures }: Trials,
  candidate: PreprocessCandidate,
  picture: number,
): Likeness[] {
  const { dims, channelsLast, views } = pictures;
  const sides = (of: readonly number[]) =>
    channelsLast ? [of[3]!, of[1]!, of[2]!] : [of[1]!, of[2]!, of[3]!];
  if (dims.length !== 4 || output.dims.length !== 4) return [];
  const [channels, height, width] = sides(dims) as [number, number, number];
  const [outChannels, outHeight, outWidth] = sides(output.dims) as [number, number, number];
  const times = outHeight / height;
  if (outChannels !== channels || !Number.isInteger(times) || outWidth !== width * times) return [];
  const given = new Float32Array(views[picture]![0]!.length);
  normalize(views[picture]![0]!, candidate, channelsLast, given);
  const came = firstSample(output);
  const mean = given.reduce((sum, value) => sum + value, 0) / given.length;
  const like = { error: 0, energy: 0 };
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let block = 0; block < times * times; block++) {
          const row = y * times + Math.floor(block / times);
          const column = x * times + (block % times);
          sum +=
            came[
              channelsLast
                ? (row * outWidth + column) * channels + c
                : (c * outHeight + row) * outWidth + column
            ]!;
        }
        const value =
          given[channelsLast ? (y * width + x) * channels + c : (c * height + y) * width + x]!;
        like.error += (sum / times ** 2 - value) ** 2;
        like.energy += (value - mean) ** 2;
      }
    }
  }
  return [like];
}
