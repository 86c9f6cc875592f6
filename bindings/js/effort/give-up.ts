// Which parts are worth computing in float: those that lose most for what they cost, the first of
// them, the first two, and so on. Errors mask one another, so that one part less may be no gain and
// four parts less a large one.

import type { ModelUnit, QuantizeReport } from '../base/types.js';
import type { PartLoss } from '../verify/report.js';

/** A model of which less is left in integers is no quantized one. */
const mostFloat = 0.9;

/** From so many bytes of float weights on a share has its full price: small models save little. */
const fullPriceBytes = 2 ** 22;
/** It is never less than this part of it. */
const leastPrice = 0.5;
/** In decibels. */
const priceOfAll = 20;

/** So that parts that cost nothing are in an order, too. */
const leastCost = 0.01;

/**
 * What units cost in float: the mean of their shares of products and of bytes of weights. What must
 * be gained for it: 10 dB for half of a model of 4 MiB or more, 5 dB of one of 2 MiB or less.
 */
export class FloatCosts {
  readonly #of = new Map<string, number>();
  readonly #priceOfAll: number;

  constructor(units: readonly ModelUnit[]) {
    const sum = (of: (unit: ModelUnit) => number) => units.reduce((all, unit) => all + of(unit), 0);
    const products = Math.max(
      1,
      sum((unit) => unit.products),
    );
    const bytes = Math.max(
      1,
      sum((unit) => unit.weightBytes),
    );
    this.#priceOfAll = priceOfAll * Math.min(1, Math.max(leastPrice, bytes / fullPriceBytes));
    for (const unit of units) {
      const cost = (unit.products / products + unit.weightBytes / bytes) / 2;
      // That of the layer, which is a unit's first node.
      if (unit.nodes[0] !== undefined) this.#of.set(unit.nodes[0], cost);
    }
  }

  /** 0 to 1; nodes that are not in the units cost nothing. */
  of(nodes: readonly string[]): number {
    return nodes.reduce((sum, node) => sum + (this.#of.get(node) ?? 0), 0);
  }

  /**
   * How many decibels it must gain to have these in float. Nothing pays for more than nine tenths.
   */
  priceOf(nodes: readonly string[]): number {
    const share = this.of(nodes);
    return share <= mostFloat ? this.#priceOfAll * share : Number.POSITIVE_INFINITY;
  }
}

/** The nodes that effort left float, however it came to it. */
export const leftByEffort = ({ nodesLeftFloat }: QuantizeReport): string[] =>
  nodesLeftFloat
    .filter(({ code }) => code === 'LEFT_BY_EFFORT' || code === 'BETWEEN_LAYERS')
    .map(({ name }) => name);

/** Those that lose most for what they cost come first. */
export function byWorth(losses: readonly PartLoss[], costs: FloatCosts): PartLoss[] {
  const worth = ({ nodes, noise }: PartLoss) => noise / (leastCost + costs.of(nodes));
  return [...losses].sort((a, b) => worth(b) - worth(a));
}

/** The worst groups that were found, by noise for cost, the first `count` of them at each step. */
export function setsToGiveUp(
  losses: readonly PartLoss[],
  costs: FloatCosts,
  counts: readonly number[],
): string[][] {
  const ranked = byWorth(
    losses.filter(({ noise }) => noise > 0),
    costs,
  );
  return counts
    .filter((count) => count <= ranked.length)
    .map((count) => ranked.slice(0, count).flatMap(({ nodes }) => nodes));
}
