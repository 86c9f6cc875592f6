// How much outputs tell about the picture: sure, the same for its crops, different for another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  asDistribution,
  classInformation,
  entropy,
  mean,
  ProbabilityInformation,
} from '#dist/evidence/information.js';

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, not ${expected}`);

test('entropy is in nats, and 0 for what is sure', () => {
  near(entropy([0.5, 0.5]), Math.log(2));
  near(entropy([0, 1, 0]), 0);
});

test('scores become probabilities by softmax, probabilities stay', () => {
  assert.deepEqual([...asDistribution([0.25, 0.75])], [0.25, 0.75]);
  const [a, b] = asDistribution([1000, 1000 + Math.log(3)]);
  near(a!, 0.25);
  near(b!, 0.75);
});

test('class scores that are sure and differ from picture to picture tell all', () => {
  near(
    classInformation([
      [1, 0],
      [0, 1],
    ]),
    1,
  );
});

test('class scores tell nothing where they are the same for all, or unsure', () => {
  near(
    classInformation([
      [1, 0],
      [1, 0],
    ]),
    0,
  );
  near(
    classInformation([
      [0.5, 0.5],
      [0.5, 0.5],
    ]),
    0,
  );
  near(classInformation([[1, 0]]), 0);
});

test('crops that disagree lower what class scores tell', () => {
  const agree = [
    mean([
      [0.9, 0.1],
      [0.9, 0.1],
    ]),
    mean([
      [0.1, 0.9],
      [0.1, 0.9],
    ]),
  ];
  const disagree = [
    mean([
      [0.9, 0.1],
      [0.3, 0.7],
    ]),
    mean([
      [0.1, 0.9],
      [0.6, 0.4],
    ]),
  ];
  assert.ok(classInformation(agree) > 2 * classInformation(disagree));
});

test('probabilities tell where they are sure and change', () => {
  const boxes = new ProbabilityInformation([
    [1, 0, 0.5, 1],
    [0, 0, 0.5, 1],
  ]);
  near(boxes.of(null), Math.log(2));
  near(boxes.of(0), 0);
});

test('a picture that is left out does not count', () => {
  const information = new ProbabilityInformation([[1], [0], [0]]);
  near(information.of(0), 0);
  near(information.of(1), Math.log(2));
});
