// What is taken for better: whichever picture is left out, and by more than rounding.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rank } from '#dist/evidence/leave-one-out.js';

/** The mean of what candidates scored on each picture. */
const scores = (table: Record<string, number[]>) => ({
  pictures: Object.values(table)[0]!.length,
  of(candidate: string, without: number | null) {
    const taken = table[candidate]!.filter((_, i) => i !== without);
    return taken.reduce((sum, value) => sum + value, 0) / taken.length;
  },
});

test('the best comes first; of equal ones the first given', () => {
  const table = { a: [1, 1], b: [2, 2], c: [2, 2] };
  assert.deepEqual(rank(['a', 'b', 'c'], scores(table)).order, ['b', 'c', 'a']);
  assert.deepEqual(rank(['c', 'b'], scores(table)).order, ['c', 'b']);
});

test('what is better on every choice of pictures is clear', () => {
  const ranking = rank(['a', 'b'], scores({ a: [1, 2, 3], b: [2, 3, 4] }));
  assert.equal(ranking.isBehind('a'), true);
});

test('what one picture decides is not clear', () => {
  const ranking = rank(['a', 'b'], scores({ a: [2, 2, 2], b: [1, 1, 9] }));
  assert.deepEqual(ranking.order, ['b', 'a']);
  assert.equal(ranking.isBehind('a'), false);
});

test('what differs no more than runtimes round is not clear', () => {
  const table = { a: [1, 1, 1], b: [1.01, 1.01, 1.01] };
  assert.equal(rank(['a', 'b'], scores(table)).isBehind('a'), false);
  assert.equal(rank(['a', 'b'], scores({ a: [1, 1], b: [1.3, 1.3] })).isBehind('a'), true);
  assert.equal(rank(['a', 'b'], scores({ a: [1, 1], b: [1.3, 1.3] })).isBehind('a', 1.5), false);
});

test('one picture decides nothing', () => {
  assert.equal(rank(['a', 'b'], scores({ a: [1], b: [5] })).isBehind('a'), false);
});
