// Replays the stored conformance kit (tests/fixtures/conformance/kit.tar.gz, made by
// tests/conformance/kit.py): generated graphs and drawn parameters, the reference's results as
// hashes. Every output is loaded in onnxruntime-web and its error held to what its scales imply. No
// Python here; `npm run conformance -- --graph NAME` shows what differs in one graph.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KitGraph, Runner, readKit, replay } from './support/kit.js';

const kit = readKit('tests/fixtures/conformance/kit.tar.gz');
const kinds = new Map<string, KitGraph[]>();
for (const graph of kit.graphs) {
  const kind = graph.name.split('/')[0]?.replace(/\d+$/, '') as string;
  kinds.set(kind, [...(kinds.get(kind) ?? []), graph]);
}

for (const [kind, graphs] of kinds) {
  const cases = graphs.reduce((sum, graph) => sum + graph.cases.length, 0);
  test(`kit: ${kind} (${graphs.length} graphs, ${cases} cases)`, async (t) => {
    const runner = await Runner.create();
    const { failures, cases, ran, deviations, refused, asWritten } = await replay(kit, graphs, {
      runner,
    });
    t.diagnostic(`${ran} outputs ran; meant to differ: ${JSON.stringify(deviations)}`);
    t.diagnostic(`end the reference, refused by us: ${JSON.stringify(refused)}`);
    t.diagnostic(`right only as written: ${JSON.stringify(asWritten)}`);
    const shown = failures.slice(0, 20).join('\n');
    assert.equal(failures.length, 0, `${failures.length} of ${cases} cases:\n${shown}`);
  });
}
