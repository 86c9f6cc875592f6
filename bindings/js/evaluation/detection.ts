// Boxes of one model against the true ones.
import type { PlacedPicture } from '../base/sample-origin.js';
import type { ModelSummary } from '../base/types.js';
import type { OutputTensor } from '../runtime/runtime.js';
import { AveragePrecision } from './average-precision.js';
import { boxesOf } from './boxes.js';
import type { CocoBoxes } from './coco.js';
import type { DetectionResult } from './report.js';

export class Detection {
  readonly #truth: CocoBoxes;
  /**
   * Labels are the numbers of categories, or their places among them (0, 1, …): models say neither,
   * so both are tried, and what fits better is what is meant.
   */
  readonly #readings: { sums: AveragePrecision; read(label: number): number }[];

  constructor(truth: CocoBoxes) {
    this.#truth = truth;
    const { categories } = truth;
    const reading = (read: (label: number) => number) => ({ sums: new AveragePrecision(), read });
    this.#readings = [reading((label) => label), reading((label) => categories[label] ?? -1)];
  }

  add(
    outputs: Readonly<Record<string, OutputTensor>>,
    picture: PlacedPicture,
    [width, height]: readonly [number, number],
  ): void {
    const found = boxesOf(outputs, width, height);
    const truth = this.#truth.boxesOf(picture);
    for (const { sums, read } of this.#readings) {
      sums.add(
        truth,
        found.map((box) => ({ ...box, label: read(box.label) })),
      );
    }
  }

  result(): DetectionResult {
    const results = this.#readings.map(({ sums }) => ({
      ...sums.result(),
      images: sums.images,
      boxes: sums.boxes,
    }));
    return results.reduce((best, one) => (one.map > best.map ? one : best));
  }
}

/** Width and height of the pictures that the model takes, by the dims of a sample. */
export function pictureSize(
  { inputs }: ModelSummary,
  dims: readonly number[],
): readonly [number, number] {
  const fixed = inputs[0]?.shape ?? dims;
  const channelsLast = [1, 3, 4].includes(Number(fixed.at(-1))) && !isChannels(fixed[1]);
  const [height, width] = channelsLast ? dims.slice(-3) : dims.slice(-2);
  return [width ?? 1, height ?? 1];
}

const isChannels = (dim: unknown) => dim === 1 || dim === 3 || dim === 4;
