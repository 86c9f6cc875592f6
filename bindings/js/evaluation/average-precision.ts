// Mean average precision as COCO's evaluation has it: boxes of each class by falling score, each
// matched with the free true box that it overlaps most; precision at 101 recalls; the mean over
// thresholds and over the classes that have true boxes. Areas are not told apart, crowds are
// ignored, and of a picture at most 100 boxes a class count.
import { type Box, overlap } from './boxes.js';

export interface TrueBox extends Omit<Box, 'score'> {
  /** Many at once: what is found there is neither right nor wrong. */
  crowd: boolean;
}

const thresholds = Array.from({ length: 10 }, (_, i) => 0.5 + 0.05 * i);
const mostDetections = 100;

interface ByClass {
  positives: number;
  /** By threshold: score and whether it was right. */
  found: { score: number; right: boolean }[][];
}

export class AveragePrecision {
  readonly #classes = new Map<number, ByClass>();
  images = 0;
  boxes = 0;

  /** One picture. Labels of both count alike. */
  add(truth: readonly TrueBox[], found: readonly Box[]): void {
    this.images++;
    this.boxes += truth.filter(({ crowd }) => !crowd).length;
    for (const label of new Set([...truth, ...found].map((box) => box.label))) {
      this.#addClass(
        label,
        truth.filter((box) => box.label === label),
        found
          .filter((box) => box.label === label)
          .sort((a, b) => b.score - a.score)
          .slice(0, mostDetections),
      );
    }
  }

  #addClass(label: number, truth: readonly TrueBox[], found: readonly Box[]): void {
    let sums = this.#classes.get(label);
    if (!sums) {
      sums = { positives: 0, found: thresholds.map(() => []) };
      this.#classes.set(label, sums);
    }
    sums.positives += truth.filter(({ crowd }) => !crowd).length;
    for (const [t, threshold] of thresholds.entries()) {
      const taken = new Set<TrueBox>();
      for (const box of found) {
        let best: TrueBox | null = null;
        let most = threshold - 1e-10;
        for (const one of truth) {
          if (taken.has(one) || one.crowd) continue;
          const shared = overlap(one, box);
          if (shared > most) [best, most] = [one, shared];
        }
        if (best) taken.add(best);
        const ignored =
          !best && truth.some((one) => one.crowd && insideShare(box, one) > threshold);
        if (!ignored) sums.found[t]!.push({ score: box.score, right: best !== null });
      }
    }
  }

  result(): { map: number; map50: number } {
    const classes = [...this.#classes.values()].filter(({ positives }) => positives > 0);
    const mean = (values: readonly number[]) =>
      values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
    const at = (t: number) =>
      mean(classes.map(({ found, positives }) => averagePrecision(found[t]!, positives)));
    return { map: mean(thresholds.map((_, t) => at(t))), map50: at(0) };
  }
}

/** Of a box, the part that is in a crowd. */
function insideShare(box: Box, crowd: TrueBox): number {
  const area = (box.x2 - box.x1) * (box.y2 - box.y1);
  const width = Math.min(box.x2, crowd.x2) - Math.max(box.x1, crowd.x1);
  const height = Math.min(box.y2, crowd.y2) - Math.max(box.y1, crowd.y1);
  return area > 0 && width > 0 && height > 0 ? (width * height) / area : 0;
}

function averagePrecision(
  found: readonly { score: number; right: boolean }[],
  positives: number,
): number {
  const sorted = [...found].sort((a, b) => b.score - a.score);
  const precisions: number[] = [];
  const recalls: number[] = [];
  let right = 0;
  for (const [i, one] of sorted.entries()) {
    if (one.right) right++;
    precisions.push(right / (i + 1));
    recalls.push(right / positives);
  }
  for (let i = precisions.length - 2; i >= 0; i--) {
    precisions[i] = Math.max(precisions[i]!, precisions[i + 1]!);
  }
  let sum = 0;
  let i = 0;
  for (let step = 0; step <= 100; step++) {
    while (i < recalls.length && recalls[i]! < step / 100 - 1e-12) i++;
    sum += precisions[i] ?? 0;
  }
  return sum / 101;
}
