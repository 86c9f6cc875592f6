import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bisection } from '#dist/effort/sensitivity.js';

const units = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    nodes: [`n${i}`, `relu${i}`],
    products: 1,
    weightBytes: 1,
  }));

/** Errors that add up, of these nodes; and the questions. */
function model(noises: Record<string, number>) {
  const asked: string[][] = [];
  const ask = async (nodes: readonly string[]) => {
    asked.push([...nodes]);
    return nodes.reduce((sum, node) => sum + (noises[node] ?? 0.001), 0);
  };
  return { asked, ask };
}

test('the units that lose most are found by halving, others stay in groups', async () => {
  const { asked, ask } = model({ n5: 2, n40: 1 });
  const bisection = new Bisection(units(64), ask);
  await bisection.refine(24);
  assert.ok(asked.length <= 24);
  const worst = [...bisection.losses].sort((a, b) => b.noise - a.noise);
  assert.deepEqual(worst[0]!.nodes, ['n5', 'relu5']);
  assert.deepEqual(worst[1]!.nodes, ['n40', 'relu40']);
  assert.ok(worst.some(({ nodes }) => nodes.length > 2));
});

test('every unit is in one group, in the order of the model', async () => {
  const bisection = new Bisection(units(13), model({ n3: 1 }).ask);
  await bisection.refine(20);
  assert.deepEqual(
    bisection.losses.flatMap(({ nodes }) => nodes),
    units(13).flatMap(({ nodes }) => nodes),
  );
});

test('with more questions it goes on where it was', async () => {
  const { asked, ask } = model({ n5: 2, n40: 1 });
  const bisection = new Bisection(units(64), ask);
  await bisection.refine(8);
  assert.equal(asked.length, 8);
  await bisection.refine(100);
  assert.equal(new Set(asked.map(String)).size, asked.length); // nothing twice
  assert.ok(asked.length < 40); // small losses are left together
});

test('what is given up already does not hide the others', async () => {
  const noises = { n5: 100, n40: 1 };
  const worst = async (givenUp: string[]) => {
    const bisection = new Bisection(units(64), model(noises).ask);
    await bisection.refine(24);
    await bisection.refine(24, () => false, new Set(givenUp));
    return bisection.losses.filter(({ nodes }) => nodes.length === 2).map(({ nodes }) => nodes[0]);
  };
  assert.ok(!(await worst([])).includes('n40'));
  assert.ok((await worst(['n5', 'relu5'])).includes('n40'));
});

test('it ends at once where it is stopped, and takes what does not run for no loss', async () => {
  const stopped = new Bisection(units(8), model({}).ask);
  await stopped.refine(10, () => true);
  assert.deepEqual(stopped.losses, []);
  const failing = new Bisection(units(2), async () => null);
  await failing.refine(10);
  assert.deepEqual(
    failing.losses.map(({ noise }) => noise),
    [0, 0],
  );
});
