import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describePlan, planMemory } from '#dist/calibration/memory-plan.js';

const estimate = { weights: 100, activations: 50, tensors: [40, 60, 30, 10], allKnown: true };

test('within the budget every core has a worker and one run brings out all tensors', () => {
  const plan = planMemory(estimate, 4 * (150 + 2 * 140), 4, true);
  assert.deepEqual(plan, { workers: 4, groups: [[0, 1, 2, 3]], peak: 4 * (150 + 280) });
});

test('a smaller budget is kept by fewer workers first', () => {
  assert.equal(planMemory(estimate, 2 * (150 + 280), 4, true).workers, 2);
});

test('then by several runs; the peak is that of the largest', () => {
  const plan = planMemory(estimate, 150 + 2 * 100, 4, true);
  assert.deepEqual(plan, {
    workers: 1,
    groups: [
      [0, 1],
      [2, 3],
    ],
    peak: 150 + 200,
  });
});

test('a tensor is never split: a budget that it does not fit in is exceeded, with a warning', () => {
  const plan = planMemory(estimate, 1, 4, true);
  assert.deepEqual(plan.groups, [[0], [1], [2], [3]]);
  assert.equal(plan.peak, 150 + 120);
  assert.equal(describePlan(plan, estimate, 2, 1).severity, 'warning');
});

test('reductions bring out nothing', () => {
  assert.deepEqual(planMemory(estimate, 1000, 4, false), { workers: 4, groups: [], peak: 600 });
});
