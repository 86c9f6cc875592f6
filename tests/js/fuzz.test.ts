// The readers on damaged files: seeds, regressions of the fuzzers, and the same few hundred mutants
// every time. The fuzzers themselves (docs/testing.md) run as long as one likes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { regressionsOf } from '../fuzz/js/corpus.js';
import { QuantizeError } from '../fuzz/js/modules.js';
import { outcome } from '../fuzz/js/outcome.js';
import { mutate, Random } from '../fuzz/js/random.js';
import { allTargets, type Target } from '../fuzz/js/targets.js';

const mutants = 300;

async function endsWell(target: Target, bytes: Uint8Array, name: string): Promise<void> {
  const finding = await outcome(target, bytes);
  if (!finding) return;
  const shown = Buffer.from(bytes).toString('base64').slice(0, 4000);
  assert.fail(`${name}: ${finding.kind}: ${finding.detail}\n${shown}`);
}

for (const target of allTargets) {
  test(`${target.name}: seeds are read, regressions and mutants end in a result or a known error`, async () => {
    const seeds = await target.seeds();
    let read = 0;
    for (const seed of seeds) {
      try {
        await target.run(seed);
        read++;
      } catch (error) {
        if (!(error instanceof QuantizeError)) throw error;
      }
    }
    assert.ok(read >= 2, `${read} of ${seeds.length} seeds are read`);
    for (const [i, bytes] of regressionsOf(target.name).entries()) {
      await endsWell(target, bytes, `regression ${i}`);
    }
    const random = new Random(1);
    for (let i = 0; i < mutants; i++) {
      const mutant = mutate(random, random.pick(seeds), seeds, target.kind);
      const bytes = target.repair && !random.chance(4) ? target.repair(mutant) : mutant;
      await endsWell(target, bytes, `mutant ${i}`);
    }
  });
}
