import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QuantizeReport } from '#dist/base/types.js';
import { FloatCosts, leftByEffort, setsToGiveUp } from '#dist/effort/give-up.js';

const costs = new FloatCosts([
  { nodes: ['small', 'relu'], products: 10, weightBytes: 10 },
  { nodes: ['large'], products: 90, weightBytes: 50 },
  { nodes: ['add'], products: 0, weightBytes: 0 },
  { nodes: ['table'], products: 0, weightBytes: 140 },
]);

test('a part costs the mean of its shares of products and of bytes', () => {
  assert.equal(costs.of(['small', 'relu']), (0.1 + 0.05) / 2);
  assert.equal(costs.of(['large']), (0.9 + 0.25) / 2);
  assert.equal(costs.of(['add', 'unknown']), 0);
  assert.ok(Math.abs(costs.of(['small', 'large', 'add', 'table']) - 1) < 1e-9);
});

test('the more is float, the more it must gain, and nothing pays for all of it', () => {
  const unit = (name: string, weightBytes: number) => ({ nodes: [name], products: 0, weightBytes });
  const priced = (all: number) =>
    new FloatCosts([unit('half', all / 2), unit('other', 0.46 * all), unit('rest', 0.04 * all)]);
  const large = priced(100e6);
  assert.equal(large.priceOf([]), 0);
  assert.equal(large.priceOf(['half']), 5);
  assert.equal(large.priceOf(['half', 'other']), 9.6);
  const whole = new FloatCosts([{ ...unit('all', 100e6), products: 9 }]);
  assert.equal(whole.priceOf(['all']), Number.POSITIVE_INFINITY);
  assert.equal(priced(1e6).priceOf(['half']), 2.5, 'a small model saves little');
});

test('what loses most for what it costs comes first, and each set has the one before', () => {
  const losses = [
    { nodes: ['large'], noise: 0.5 },
    { nodes: ['small', 'relu'], noise: 0.3 },
    { nodes: ['add'], noise: 0.1 },
    { nodes: ['table'], noise: 0 },
  ];
  assert.deepEqual(setsToGiveUp(losses, costs, [1, 2, 3, 4, 8]), [
    ['add'],
    ['add', 'small', 'relu'],
    ['add', 'small', 'relu', 'large'],
  ]);
});

test('nodes that effort left float are told from others', () => {
  const node = (name: string, code: string) => ({ name, opType: 'Conv', code, reason: '' });
  const report = {
    nodesLeftFloat: [
      node('a', 'LEFT_BY_EFFORT'),
      node('b', 'NO_RANGE'),
      node('c', 'BETWEEN_LAYERS'),
    ],
  } as QuantizeReport;
  assert.deepEqual(leftByEffort(report), ['a', 'c']);
});
