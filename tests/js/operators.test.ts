// Every op type of the core's table (src/ops/op_registry.cc) is in the conformance kit and in
// docs/operators.md.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadCore } from '#dist/core/load.js';
import { type KitCase, readKit } from './support/kit.js';
import { readOnnx } from './support/onnx-reader.js';

interface Row {
  opType: string;
  byDefault: boolean;
}

const rows: Row[] = JSON.parse((await loadCore()).operators());
const howTo = 'see CONTRIBUTING.md, Add an operator';

/** Op types that a case of the kit quantizes. */
function quantizedInKit(): Set<string> {
  const byDefault = new Set(rows.filter((row) => row.byDefault).map(({ opType }) => opType));
  const selected = ({ params }: KitCase, opType: string) =>
    (params.op_types_to_quantize as string[] | undefined)?.includes(opType) ??
    byDefault.has(opType);
  const kit = readKit('tests/fixtures/conformance/kit.tar.gz');
  return new Set(
    kit.graphs.flatMap((graph) =>
      readOnnx(kit.model(graph))
        .graph.nodes.map(({ opType }) => opType)
        .filter((opType) => graph.cases.some((one) => selected(one, opType))),
    ),
  );
}

test('every op type of the table has cases in the conformance kit', () => {
  const inKit = quantizedInKit();
  const functions = readFileSync('tests/conformance/kit_ops.py', 'utf8');
  const missing = rows
    .filter(({ opType }) => !inKit.has(opType))
    .map(({ opType }) =>
      new RegExp(`^def ${opType}\\(`, 'm').test(functions)
        ? `${opType} is in tests/conformance/kit_ops.py and not in the kit: npm run kit -- --op ${opType}`
        : `${opType} has a row in src/ops/op_registry.cc and no case in tests/conformance/kit_ops.py: ${howTo}`,
    );
  assert.equal(missing.length, 0, `\n${missing.join('\n')}`);
});

test('every op type of the table is in docs/operators.md', () => {
  const page = readFileSync('docs/operators.md', 'utf8');
  const missing = rows
    .filter(({ opType }) => !page.includes(`| \`${opType}\` |`))
    .map(({ opType }) => `${opType} is not in docs/operators.md: npm run docs; ${howTo}`);
  assert.equal(missing.length, 0, `\n${missing.join('\n')}`);
});
