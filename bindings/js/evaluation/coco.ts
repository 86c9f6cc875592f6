// COCO's annotations: the true boxes of pictures, found by the names of their files.
import { QuantizeError } from '../base/errors.js';
import type { PlacedPicture } from '../base/sample-origin.js';
import { isObject } from '../base/values.js';
import type { TrueBox } from './average-precision.js';

interface Annotation {
  category: number;
  box: [number, number, number, number]; // x, y, width, height
  crowd: boolean;
}

export class CocoBoxes {
  readonly #byFile = new Map<string, Annotation[]>();
  /** Numbers of the categories, in order: what a model that counts from 0 calls 0, 1, … */
  readonly categories: number[];

  /** null where the JSON is none of COCO's. Throws INVALID_DATA. */
  static parse(text: string, name: string): CocoBoxes | null {
    if (!/^\s*\{/.test(text)) return null;
    let root: unknown;
    try {
      root = JSON.parse(text);
    } catch (cause) {
      throw new QuantizeError(
        'INVALID_DATA',
        `${name}: not valid JSON: ${(cause as Error).message}`,
      );
    }
    if (!isObject(root) || !Array.isArray(root.images) || !Array.isArray(root.annotations))
      return null;
    return new CocoBoxes(root as never, name);
  }

  private constructor(
    root: {
      images: { id: number; file_name: string }[];
      annotations: { image_id: number; category_id: number; bbox: number[]; iscrowd?: number }[];
      categories?: { id: number }[];
    },
    name: string,
  ) {
    const byId = new Map<number, Annotation[]>();
    for (const { id, file_name } of root.images) {
      const list: Annotation[] = [];
      byId.set(id, list);
      this.#byFile.set(baseOf(String(file_name)), list);
    }
    for (const { image_id, category_id, bbox, iscrowd } of root.annotations) {
      if (!Array.isArray(bbox) || bbox.length !== 4 || !Number.isInteger(category_id)) {
        throw new QuantizeError(
          'INVALID_DATA',
          `${name}: an annotation has no bbox of four numbers`,
        );
      }
      const box = bbox as Annotation['box'];
      byId.get(image_id)?.push({ category: category_id, box, crowd: iscrowd === 1 });
    }
    const named = root.categories?.map(({ id }) => id);
    const used = root.annotations.map(({ category_id }) => category_id);
    this.categories = [...new Set(named ?? used)].sort((a, b) => a - b);
  }

  get description(): string {
    return `boxes of ${this.#byFile.size} pictures in ${this.categories.length} categories`;
  }

  /** The boxes of a picture, in pixels of the model's input. Throws INVALID_DATA. */
  boxesOf({ file, scaleX, scaleY, left, top }: PlacedPicture): TrueBox[] {
    const annotations = this.#byFile.get(baseOf(file));
    if (!annotations) {
      throw new QuantizeError('INVALID_DATA', `the annotations have no picture ${file}`);
    }
    return annotations.map(({ category, box: [x, y, width, height], crowd }) => ({
      x1: x * scaleX + left,
      y1: y * scaleY + top,
      x2: (x + width) * scaleX + left,
      y2: (y + height) * scaleY + top,
      label: category,
      crowd,
    }));
  }
}

const baseOf = (file: string) => file.slice(file.lastIndexOf('/') + 1);
