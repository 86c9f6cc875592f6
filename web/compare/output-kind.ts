// What the outputs of a model are, from their shapes: how they are best shown.
import type { ComparedOutput } from 'onnx-ptq';

export type OutputKind =
  | { kind: 'classes'; output: ComparedOutput }
  | { kind: 'boxes'; output: ComparedOutput; scores: ComparedOutput | null }
  | { kind: 'picture'; output: ComparedOutput }
  | { kind: 'mask'; output: ComparedOutput }
  | { kind: 'values'; output: ComparedOutput };

const leastSide = 16;
const leastBoxes = 50;

/** `areScores`: whether an output of that shape is scores of classes. */
export function outputKind(
  outputs: readonly ComparedOutput[],
  areScores: (name: string) => boolean,
): OutputKind | null {
  const [first] = outputs;
  if (!first) return null;
  const boxes = outputs.find(({ dims }) => dims.length === 3 && dims[2] === 4 && isMany(dims[1]));
  if (boxes) {
    const scores = outputs.find((one) => one !== boxes && one.dims[1] === boxes.dims[1]);
    if (scores) return { kind: 'boxes', output: boxes, scores };
  }
  const { dims } = first;
  const [, a = 0, b = 0, c = 0] = dims;
  if (dims.length === 3 && ((isMany(a) && isRow(b)) || (isMany(b) && isRow(a)))) {
    return { kind: 'boxes', output: first, scores: null };
  }
  if (dims.length === 4 && b >= leastSide && c >= leastSide) {
    return { kind: a === 3 ? 'picture' : 'mask', output: first };
  }
  const used = dims.filter((dim) => dim !== 1);
  if (used.length === 1 && used[0]! >= 2 && dims[0] === 1 && areScores(first.name)) {
    return { kind: 'classes', output: first };
  }
  return { kind: 'values', output: first };
}

const isMany = (count = 0) => count >= leastBoxes;
/** Box and score, and a few hundred classes at most. */
const isRow = (count: number) => count >= 5 && count < 400;
