// How many calibration workers there are, on machines of which only the clock is real enough: one
// worker takes 20 ms a sample, and more of them run as many at a time as the machine can.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkerGrowth } from '#dist/calibration/worker-growth.js';

/** The sizes that a run has, `speed`: how many times as fast as one worker so many are. */
function run(
  growth: WorkerGrowth,
  clock: Clock,
  speed: (workers: number) => number,
  samples = 2000,
) {
  const sizes = [growth.size];
  growth.begin();
  for (let done = 1; done <= samples; done++) {
    clock.time += 20 / speed(growth.size);
    const wanted = growth.handedOver(samples - done);
    if (wanted) growth.begin(wanted);
    if (growth.size !== sizes.at(-1)) sizes.push(growth.size);
  }
  return sizes;
}

interface Clock {
  time: number;
}

function growthTo(most: number): { growth: WorkerGrowth; clock: Clock } {
  const clock = { time: 0 };
  return { growth: new WorkerGrowth(most, () => clock.time), clock };
}

test('where every worker helps there are as many as may be', () => {
  for (const [most, sizes] of [
    [1, [1]],
    [2, [2]],
    [4, [4]],
    [6, [4, 6]],
    [16, [4, 8, 16]],
    [24, [4, 8, 16, 24]],
  ] as const) {
    const { growth, clock } = growthTo(most);
    assert.deepEqual(
      run(growth, clock, (workers) => workers),
      sizes,
    );
    assert.equal(growth.note, null);
  }
});

test('there are no more where twice as many hardly gain, which is said', () => {
  const { growth, clock } = growthTo(16);
  assert.deepEqual(
    run(growth, clock, (workers) => Math.min(workers, 4.4)),
    [4, 8],
  );
  assert.equal(growth.note?.code, 'CALIBRATION_WORKERS');
  assert.equal(
    growth.note.message,
    '8 of up to 16 workers calibrate: 4 run 200 samples a second, 8 run 220',
  );
});

test('workers that make it slower get no more samples', () => {
  const { growth, clock } = growthTo(16);
  assert.deepEqual(
    run(growth, clock, (workers) => (workers > 8 ? 5 : workers)),
    [4, 8, 16, 8],
  );
  assert.match(growth.note?.message ?? '', /^8 of up to 16 workers calibrate: 8 run 400/);
});

test('a few more workers need not gain what twice as many do', () => {
  const { growth, clock } = growthTo(9);
  assert.deepEqual(
    run(growth, clock, (workers) => workers),
    [4, 8, 9],
  );
  assert.equal(growth.note, null);
});

test('what is almost over gets no more workers', () => {
  const { growth, clock } = growthTo(16);
  // 400 samples take 4 two seconds.
  assert.deepEqual(
    run(growth, clock, (workers) => workers, 400),
    [4],
  );
});

test('the next pass goes on with what was found, measured anew', () => {
  const { growth, clock } = growthTo(16);
  // As of one pass that ends while 8 are measured, and one that is slower for all.
  assert.deepEqual(run(growth, clock, (workers) => workers, 412).at(-1), 4);
  const slow = (workers: number) => Math.min(workers, 9) / 4;
  assert.deepEqual(run(growth, clock, slow), [4, 8, 16]);
  assert.match(growth.note?.message ?? '', /^16 of up to 16 workers calibrate/);
  assert.deepEqual(
    run(growth, clock, (workers) => workers),
    [16],
  );
});
