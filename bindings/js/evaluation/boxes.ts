// Boxes as a detector's outputs have them, in pixels of its input. Understood:
//
//   boxes [N,4] (or [1,N,4]), scores [N] and classes [N], by their names (torchvision, TensorFlow)
//   one output [N,6] or [1,N,6]: x1, y1, x2, y2, score, class (exports with NMS)
//   one output [1,4+C,N]: centre, width, height, then a score a class (YOLOv8); NMS is done here
import { QuantizeError } from '../base/errors.js';
import type { OutputTensor } from '../runtime/runtime.js';

export interface Box {
  /** Ends in pixels of the input. */
  x1: number;
  y1: number;
  x2: number;
  y2: number;
  score: number;
  /** As the model counts, from 0 or from 1. */
  label: number;
}

type Outputs = Readonly<Record<string, OutputTensor>>;

const leastScore = 0.001; // as COCO is evaluated
const mostBoxes = 300;
const mostOverlap = 0.7;

/** `width`, `height`: of the input, for coordinates from 0 to 1. Throws INVALID_DATA. */
export function boxesOf(outputs: Outputs, width: number, height: number): Box[] {
  const entries = Object.entries(outputs);
  const named = (pattern: RegExp) => entries.find(([name]) => pattern.test(name));
  const [boxes, scores] = [named(/box/i), named(/scor|conf/i)];
  const classes = named(/class|label/i);
  let found: Box[] | null = null;
  if (boxes && scores && classes) found = separate(boxes, scores[1], classes[1]);
  else if (entries.length === 1) found = together(entries[0]![1]);
  if (found === null) {
    const shapes = entries.map(([name, { dims }]) => `"${name}" [${dims.join(',')}]`).join(', ');
    throw new QuantizeError(
      'INVALID_DATA',
      `the outputs ${shapes} are no boxes that are understood`,
      {
        hint: 'understood are boxes, scores and classes by these names, [1,N,6] of x1, y1, x2, y2, score, class, and [1,4+classes,N] as YOLOv8 has it',
      },
    );
  }
  // From 0 to 1, as TensorFlow's, or in pixels.
  const relative = found.every(({ x2, y2 }) => x2 <= 2 && y2 <= 2);
  const [sx, sy] = relative ? [width, height] : [1, 1];
  return found
    .filter(({ score }) => score >= leastScore)
    .map((box) => ({
      ...box,
      x1: box.x1 * sx,
      y1: box.y1 * sy,
      x2: box.x2 * sx,
      y2: box.y2 * sy,
    }));
}

function separate(
  [name, boxes]: [string, OutputTensor],
  scores: OutputTensor,
  classes: OutputTensor,
): Box[] | null {
  const count = scores.data.length;
  if (boxes.dims.at(-1) !== 4 || boxes.data.length !== 4 * count) return null;
  if (classes.data.length !== count) return null;
  const at = (i: number) => Number(boxes.data[i]);
  // TensorFlow's detection_boxes begin with y.
  const [x, y] = /detection/i.test(name) ? [1, 0] : [0, 1];
  return Array.from({ length: count }, (_, i) => ({
    x1: at(4 * i + x),
    y1: at(4 * i + y),
    x2: at(4 * i + x + 2),
    y2: at(4 * i + y + 2),
    score: Number(scores.data[i]),
    label: Number(classes.data[i]),
  }));
}

function together({ dims, data }: OutputTensor): Box[] | null {
  const [rows = 0, columns = 0] = dims.slice(-2);
  if (dims.length < 2 || dims.slice(0, -2).some((dim) => dim !== 1)) return null;
  const at = (row: number, column: number) => Number(data[row * columns + column]);
  if (columns === 6) {
    return Array.from({ length: rows }, (_, i) => ({
      x1: at(i, 0),
      y1: at(i, 1),
      x2: at(i, 2),
      y2: at(i, 3),
      score: at(i, 4),
      label: at(i, 5),
    }));
  }
  return rows > 4 && columns > rows ? candidates(rows - 4, columns, at) : null;
}

/** Of each place its best class, then those that no better one of the class overlaps. */
function candidates(
  classes: number,
  places: number,
  at: (row: number, column: number) => number,
): Box[] {
  const boxes: Box[] = [];
  for (let i = 0; i < places; i++) {
    let label = 0;
    for (let c = 1; c < classes; c++) if (at(4 + c, i) > at(4 + label, i)) label = c;
    const score = at(4 + label, i);
    if (!(score >= leastScore)) continue;
    const [x, y, w, h] = [at(0, i), at(1, i), at(2, i) / 2, at(3, i) / 2];
    boxes.push({ x1: x - w, y1: y - h, x2: x + w, y2: y + h, score, label });
  }
  boxes.sort((a, b) => b.score - a.score);
  const kept: Box[] = [];
  for (const box of boxes) {
    if (kept.length >= mostBoxes) break;
    const free = kept.every((one) => one.label !== box.label || overlap(one, box) < mostOverlap);
    if (free) kept.push(box);
  }
  return kept;
}

/** Intersection over union. */
export function overlap(a: Omit<Box, 'score' | 'label'>, b: Omit<Box, 'score' | 'label'>): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const area = (box: typeof a) => (box.x2 - box.x1) * (box.y2 - box.y1);
  return (width * height) / (area(a) + area(b) - width * height);
}
