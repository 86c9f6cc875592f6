// Boxes: how outputs are read, and mean average precision.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AveragePrecision } from '#dist/evaluation/average-precision.js';
import { boxesOf } from '#dist/evaluation/boxes.js';
import { CocoBoxes } from '#dist/evaluation/coco.js';
import { Detection } from '#dist/evaluation/detection.js';

const box = (x1: number, y1: number, x2: number, y2: number, label = 0) => ({
  x1,
  y1,
  x2,
  y2,
  label,
});
const tensor = (dims: number[], values: number[]) => ({
  type: 'float32',
  dims,
  data: Float32Array.from(values),
});

test('boxes that are exact have a precision of 1; what is not found lowers recall', () => {
  const sums = new AveragePrecision();
  const truth = [
    { ...box(0, 0, 10, 10), crowd: false },
    { ...box(20, 20, 40, 40), crowd: false },
  ];
  sums.add(truth, [{ ...box(0, 0, 10, 10), score: 0.9 }]);
  // Recalls 0 to 0.5 of 101 are reached.
  assert.ok(Math.abs(sums.result().map - 51 / 101) < 1e-9);
  assert.equal(sums.boxes, 2);
});

test('a false box before a true one halves precision; after it, it costs nothing', () => {
  const truth = [{ ...box(0, 0, 10, 10), crowd: false }];
  const right = { ...box(0, 0, 10, 10), score: 0.5 };
  const wrong = (score: number) => ({ ...box(50, 50, 60, 60), score });
  const before = new AveragePrecision();
  before.add(truth, [right, wrong(0.9)]);
  assert.equal(before.result().map50, 0.5);
  const after = new AveragePrecision();
  after.add(truth, [right, wrong(0.1)]);
  assert.equal(after.result().map50, 1);
  const twice = new AveragePrecision();
  twice.add(truth, [{ ...right, score: 0.9 }, right]);
  assert.equal(twice.result().map50, 1); // the second is false, and comes after
});

test('a box that overlaps by 0.6 counts at 0.50 and 0.55 and no further', () => {
  const sums = new AveragePrecision();
  sums.add([{ ...box(0, 0, 10, 10), crowd: false }], [{ ...box(0, 0, 10, 6), score: 1 }]);
  const { map, map50 } = sums.result();
  assert.equal(map50, 1);
  assert.ok(Math.abs(map - 0.3) < 1e-9); // 0.50, 0.55, 0.60
});

test('what is found in a crowd is neither right nor wrong; classes are by themselves', () => {
  const sums = new AveragePrecision();
  sums.add(
    [
      { ...box(0, 0, 10, 10, 1), crowd: false },
      { ...box(50, 50, 99, 99, 1), crowd: true },
    ],
    [
      { ...box(60, 60, 70, 70, 1), score: 0.9 },
      { ...box(0, 0, 10, 10, 1), score: 0.8 },
      { ...box(0, 0, 10, 10, 2), score: 0.99 }, // no such class: none of the mean
    ],
  );
  assert.equal(sums.result().map, 1);
});

test('outputs are read as boxes in the layouts that are understood', () => {
  const named = boxesOf(
    {
      boxes: tensor([1, 4], [1, 2, 30, 40]),
      scores: tensor([1], [0.5]),
      labels: tensor([1], [7]),
    },
    100,
    100,
  );
  assert.deepEqual(named, [{ ...box(1, 2, 30, 40, 7), score: 0.5 }]);
  const tensorflow = boxesOf(
    {
      detection_boxes: tensor([1, 1, 4], [0.5, 0.25, 1, 0.75]),
      detection_scores: tensor([1, 1], [1]),
      detection_classes: tensor([1, 1], [1]),
    },
    200,
    100,
  );
  assert.deepEqual(tensorflow, [{ ...box(50, 50, 150, 100, 1), score: 1 }]);
  const rows = boxesOf({ out: tensor([1, 2, 6], [1, 2, 30, 40, 0.5, 7, 0, 0, 0, 0, 0, 0]) }, 9, 9);
  assert.deepEqual(rows, [{ ...box(1, 2, 30, 40, 7), score: 0.5 }]); // the other has no score
});

test('YOLOv8 boxes overlap no better one of their class', () => {
  // Seven places, two classes: x, y, w, h and two scores by row.
  const places = [
    [50, 50, 20, 20, 0.9, 0.1],
    [51, 50, 20, 20, 0.8, 0.1], // the same thing
    [51, 50, 20, 20, 0.1, 0.7], // another class
    [90, 90, 4, 4, 0.6, 0.2],
    ...Array.from({ length: 3 }, () => [0, 0, 0, 0, 0, 0]),
  ];
  const values = Array.from({ length: 6 }, (_, row) => places.map((place) => place[row]!)).flat();
  const found = boxesOf({ output0: tensor([1, 6, 7], values) }, 100, 100);
  assert.deepEqual(
    found.map(({ label, score }) => [label, Math.round(score * 10)]),
    [
      [0, 9],
      [1, 7],
      [0, 6],
    ],
  );
  assert.deepEqual([found[0]!.x1, found[0]!.y2], [40, 60]);
});

test('other outputs are refused with what is understood', () => {
  assert.throws(() => boxesOf({ y: tensor([1, 3, 4, 4], Array(48).fill(0)) }, 1, 1), {
    code: 'INVALID_DATA',
    message: /"y" \[1,3,4,4\] are no boxes/,
  });
});

test('COCO boxes are moved to where the input has the picture; labels are numbers or places', () => {
  const text = JSON.stringify({
    images: [{ id: 5, file_name: 'a.jpg' }],
    annotations: [{ image_id: 5, category_id: 18, bbox: [10, 20, 30, 40] }],
    categories: [{ id: 18 }, { id: 3 }],
  });
  const coco = CocoBoxes.parse(text, 'labels')!;
  const picture = { file: 'test/a.jpg', scaleX: 0.5, scaleY: 2, left: 1, top: 2 };
  assert.deepEqual(coco.boxesOf(picture), [{ ...box(6, 42, 21, 122, 18), crowd: false }]);
  assert.throws(() => coco.boxesOf({ ...picture, file: 'b.jpg' }), /no picture b\.jpg/);
  assert.equal(CocoBoxes.parse('{"a.png": 1}', 'labels'), null);
  for (const label of [18, 1]) {
    const detection = new Detection(coco);
    const outputs = { y: tensor([1, 1, 6], [6, 42, 21, 122, 0.9, label]) };
    detection.add(outputs, picture, [100, 200]);
    assert.equal(detection.result().map, 1, `${label}`);
  }
});
