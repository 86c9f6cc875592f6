import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describePlan,
  mostWorkers,
  observedOf,
  planMemory,
  withHeld,
} from '#dist/calibration/memory-plan.js';

const estimate = { weights: 100, activations: 50, tensors: [40, 60, 30, 10], allKnown: true };

/** Nothing but the model's own. */
const free = { first: 0, worker: 0, weights: 1, tensor: 0 };

test('within the budget every core has a worker and one run brings out all tensors', () => {
  const plan = planMemory(estimate, 5 * (150 + 2 * 140), 4, true, free);
  // The calling thread has a session, too.
  assert.deepEqual(plan, {
    workers: 4,
    groups: [[0, 1, 2, 3]],
    peak: 5 * 430,
    alone: 430,
    tensorBytes: 140,
  });
});

test('a smaller budget is kept by fewer workers first', () => {
  assert.equal(planMemory(estimate, 3 * (150 + 280), 4, true, free).workers, 2);
  assert.equal(planMemory(estimate, 3 * (150 + 280) - 1, 4, true, free).workers, 1);
});

test('then by several runs; the peak is that of the largest', () => {
  const plan = planMemory(estimate, 150 + 2 * 100, 4, true, free);
  assert.deepEqual(plan, {
    workers: 1,
    groups: [
      [0, 1],
      [2, 3],
    ],
    peak: 150 + 200,
    alone: 150 + 200,
    tensorBytes: 140,
  });
});

test('a tensor is never split: a budget that it does not fit in is exceeded, with a warning', () => {
  const plan = planMemory(estimate, 1, 4, true, free);
  assert.deepEqual(plan.groups, [[0], [1], [2], [3]]);
  assert.equal(plan.peak, 150 + 120);
  assert.equal(describePlan(plan, estimate, 2, 1).severity, 'warning');
});

test('tensors that are derived from others are not brought out', () => {
  const tensors = ['a', 'b', 'c', 'd'].map((name) => ({ name, half: false }));
  const derived = [{ ...tensors[0]! }, { ...tensors[1]!, derived: { tensor: 0, low: 0 } }];
  const observed = observedOf([...derived, ...tensors.slice(2)]);
  assert.deepEqual(observed, [0, 2, 3]);
  const plan = planMemory(estimate, 1e6, 1, true, free, 0, observed);
  assert.deepEqual(plan, {
    workers: 1,
    groups: [[0, 2, 3]],
    peak: 150 + 160,
    alone: 150 + 160,
    tensorBytes: 140,
  });
});

test('reductions bring out nothing', () => {
  const plan = planMemory(estimate, 1000, 4, false, free);
  assert.deepEqual(plan, { workers: 4, groups: [], peak: 750, alone: 150, tensorBytes: 140 });
});

test('what onnxruntime takes for itself counts, by worker, copy of the weights and tensor', () => {
  const cost = { first: 1000, worker: 300, weights: 3, tensor: 5 };
  const session = 50 + 3 * 100 + 4 * 5;
  assert.deepEqual(planMemory(estimate, 1e6, 2, false, cost), {
    workers: 2,
    groups: [],
    peak: 1000 + session + 2 * (300 + session),
    alone: 1000 + session,
    tensorBytes: 140,
  });
});

test('samples that wait for the garbage collector count, up to 16 MiB', () => {
  const alone = (sample: number) => planMemory(estimate, 1e9, 1, false, free, sample).alone;
  assert.equal(alone(10) - alone(0), 40);
  assert.equal(alone(2 ** 30) - alone(0), 2 ** 24);
});

test('the note says what is needed before and after workers are started', () => {
  const plan = {
    workers: 2,
    groups: [],
    peak: 300 * 2 ** 20,
    alone: 100 * 2 ** 20,
    tensorBytes: 0,
  };
  assert.equal(
    describePlan(plan, estimate, 1, 2 ** 31).message,
    'calibration needs about 100 MiB, up to 300 MiB with 2 workers',
  );
});

test('samples are held where the budget has room for them, 64 MiB at most, and count', () => {
  const plan = planMemory(estimate, 1e9, 1, true, free);
  const { held, plan: counted } = withHeld(plan, plan.peak + 100, 1e9);
  assert.equal(held, 100);
  assert.deepEqual([counted.peak, counted.alone], [plan.peak + 100, plan.alone + 100]);
  assert.equal(withHeld(plan, 1e9, 70).held, 70);
  assert.equal(withHeld(plan, 1e9, Number.POSITIVE_INFINITY).held, 64 * 2 ** 20);
  assert.equal(withHeld(plan, plan.peak - 1, 70).held, 0);
});

test('a browser has few copies of large weights in workers, unless it is told otherwise', () => {
  const browser = { cores: 8, weightCopies: 256 };
  const nothing = { workers: null, memory_budget: null };
  assert.equal(mostWorkers(browser, 'web', nothing, 10), 8);
  assert.equal(mostWorkers(browser, 'web', nothing, 100), 2);
  assert.equal(mostWorkers(browser, 'web', nothing, 300), 1);
  assert.equal(mostWorkers(browser, 'web', { ...nothing, workers: 4 }, 300), 4);
  assert.equal(mostWorkers(browser, 'web', { ...nothing, memory_budget: 4096 }, 300), 8);
  assert.equal(mostWorkers({ cores: 8 }, 'web', nothing, 300), 8);
  assert.equal(mostWorkers(browser, 'webgpu', nothing, 10), 1);
});
