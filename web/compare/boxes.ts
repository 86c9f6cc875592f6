// Boxes from what detectors give: [1, N, 4] beside scores, rows of YOLOv5 and YOLOX, columns of
// YOLOv8.
import type { ComparedOutput } from 'onnx-ptq';

export interface Box {
  /** In pixels of the model's input. */
  left: number;
  top: number;
  right: number;
  bottom: number;
  score: number;
  label: number;
}

const leastScore = 0.35;
const mostOverlap = 0.45;
const mostBoxes = 20;

export interface Detections {
  dims: readonly number[];
  values: Float32Array;
  scores: { dims: readonly number[]; values: Float32Array } | null;
}

export function detections(
  output: ComparedOutput,
  scores: ComparedOutput | null,
  which: 'float' | 'quantized',
): Detections {
  return {
    dims: output.dims,
    values: output[which],
    scores: scores && { dims: scores.dims, values: scores[which] },
  };
}

/** The best ones, without those that mostly cover a better one. */
export function boxesOf(given: Detections, width: number, height: number): Box[] {
  const found = given.scores ? besideScores(given, width, height) : inRows(given, width, height);
  const kept: Box[] = [];
  for (const box of found.sort((a, b) => b.score - a.score)) {
    if (kept.length === mostBoxes) break;
    if (kept.every((one) => one.label !== box.label || overlap(one, box) < mostOverlap)) {
      kept.push(box);
    }
  }
  return kept;
}

function besideScores({ dims, values, scores }: Detections, width: number, height: number): Box[] {
  const count = dims[1]!;
  const classes = scores!.dims[2] ?? 1;
  const boxes: Box[] = [];
  // Corners between 0 and 1, or in pixels.
  const isShare = values.every((value) => value > -2 && value < 3);
  const [sx, sy] = isShare ? [width, height] : [1, 1];
  for (let i = 0; i < count; i++) {
    // With two classes the first is the background.
    const [label, score] = best(
      scores!.values,
      i * classes + (classes === 2 ? 1 : 0),
      classes === 2 ? 1 : classes,
    );
    if (score < leastScore) continue;
    const [x1, y1, x2, y2] = values.subarray(4 * i, 4 * i + 4) as unknown as number[];
    boxes.push({ left: x1! * sx, top: y1! * sy, right: x2! * sx, bottom: y2! * sy, score, label });
  }
  return boxes;
}

function inRows({ dims, values }: Detections, width: number, height: number): Box[] {
  const [, a, b] = dims as [number, number, number];
  const isColumns = a < b;
  const [count, row] = isColumns ? [b, a] : [a, b];
  const at = (i: number, k: number) => values[isColumns ? k * count + i : i * row + k]!;
  const cells = isColumns ? null : gridOf(count, width, height);
  // YOLOX gives places in its grid and logarithms of sizes.
  let isRaw = false;
  if (cells) for (let i = 0; i < count && !isRaw; i++) isRaw = at(i, 2) < 0;
  const boxes: Box[] = [];
  for (let i = 0; i < count; i++) {
    const object = isColumns ? 1 : at(i, 4);
    const from = isColumns ? 4 : 5;
    let label = 0;
    let score = row === from ? 1 : 0;
    for (let k = from; k < row; k++) {
      if (at(i, k) > score) [label, score] = [k - from, at(i, k)];
    }
    score *= object;
    if (score < leastScore) continue;
    let [x, y, w, h] = [at(i, 0), at(i, 1), at(i, 2), at(i, 3)];
    if (isRaw && cells) {
      const { column, line, stride } = cells(i);
      [x, y] = [(x + column) * stride, (y + line) * stride];
      [w, h] = [Math.exp(w) * stride, Math.exp(h) * stride];
    }
    boxes.push({
      left: x - w / 2,
      top: y - h / 2,
      right: x + w / 2,
      bottom: y + h / 2,
      score,
      label,
    });
  }
  return boxes;
}

/** Cells of strides 8, 16 and 32, one after the other; null where there are not as many. */
function gridOf(count: number, width: number, height: number) {
  const levels = [8, 16, 32].map((stride) => {
    const columns = Math.ceil(width / stride);
    return { stride, columns, cells: columns * Math.ceil(height / stride) };
  });
  if (levels.reduce((sum, { cells }) => sum + cells, 0) !== count) return null;
  return (index: number) => {
    let i = index;
    for (const { stride, columns, cells } of levels) {
      if (i < cells) return { column: i % columns, line: Math.floor(i / columns), stride };
      i -= cells;
    }
    throw new RangeError(`there is no cell ${index}`);
  };
}

function best(values: Float32Array, from: number, count: number): [index: number, value: number] {
  let index = 0;
  for (let i = 1; i < count; i++) if (values[from + i]! > values[from + index]!) index = i;
  return [index, values[from + index]!];
}

/** Intersection over union, 0…1. */
export function overlap(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const area = (box: Box) => (box.right - box.left) * (box.bottom - box.top);
  const both = width * height;
  return both / (area(a) + area(b) - both);
}
