// Replays what onnxruntime.quantization 1.32.0 made of small and real models
// (tests/fixtures/conformance, written by tests/conformance/make_fixtures.py): the same nodes in
// the same order and bit-identical initializers, given the same float model and the same ranges. No
// Python here.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { TensorRanges } from '#dist/base/types.js';
import { parseCalibrationCache } from '#dist/calibration/files/calibration-cache.js';
import { ModelFiles } from '#dist/core/host-files.js';
import { formatRanges } from '#dist/core/ranges.js';
import { CoreSession } from '#dist/core/session.js';
import { quantizeStatic, quantPreProcess } from '#dist/index.js';
import { coreOptions } from '#dist/options/core-options.js';
import { nodePlatform } from '#dist/platform/node.js';
import { initializersAsReference } from './support/as-reference.js';
import { type OnnxModel, type OnnxTensor, readOnnx } from './support/onnx-reader.js';
import { checkQuantizeStatic } from './support/options.js';

const fixtures = 'tests/fixtures/conformance';
const data = '../shared/data/models';

type ExpectedNode = [string, string, string, string[], string[], Record<string, unknown>];
/**
 * Name, element type, dims, first 16 hex digits of the sha256 of the bytes, and the value of a
 * scalar (for people).
 */
type ExpectedInitializer = [string, number, number[], string, number?];

interface Case {
  label: string;
  params: Record<string, unknown>;
  nodes: number;
  initializers: number[];
  opsets: Record<string, number>;
  deviation?: { id: string; why: string; nodes: boolean; initializers: string[] };
}

interface Tables {
  nodes: ExpectedNode[][];
  initializers: ExpectedInitializer[];
}

interface SyntheticFixture extends Tables {
  graphs: Record<string, { ranges: unknown; cases: Case[] }>;
}

interface RealFixture extends Tables {
  model: string;
  prepared: string;
  ranges: unknown;
  cases: Case[];
}

const load = <T>(name: string): T =>
  JSON.parse(gunzipSync(readFileSync(`${fixtures}/${name}.json.gz`)).toString());

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** The core alone, without the run in onnxruntime that quantizeStatic ends with. */
async function quantize(
  model: Uint8Array,
  params: Record<string, unknown>,
  ranges: TensorRanges,
): Promise<OnnxModel> {
  const input = await nodePlatform.openInput(model, {});
  const output = nodePlatform.openOutput(undefined);
  const core = await CoreSession.create(new ModelFiles(input, output));
  try {
    core.open();
    core.configure(
      coreOptions(checkQuantizeStatic({ ...params, optimize_model: false, effort: 'none' })),
    );
    core.prepare();
    core.setRanges(formatRanges(ranges));
    core.quantize('');
    return readOnnx(output.modelBytes());
  } finally {
    core.dispose();
    input.close();
    output.discard();
  }
}

const rangesOf = (cache: unknown) => parseCalibrationCache(JSON.stringify(cache), 'fixture').ranges;

function actualNodes(model: OnnxModel): ExpectedNode[] {
  return model.graph.nodes.map((node) => [
    node.opType,
    node.domain,
    node.name,
    node.inputs,
    node.outputs,
    node.attributes,
  ]);
}

function actualInitializer(tensor: OnnxTensor): ExpectedInitializer {
  return [tensor.name, tensor.dataType, tensor.dims, hash(tensor.bytes)];
}

const sameJson = (a: unknown, b: unknown) => {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
};

/** Names of the initializers that differ. */
function unequalInitializers(model: OnnxModel, expected: ExpectedInitializer[]): string[] {
  const wanted = new Map(expected.map((entry) => [entry[0], entry.slice(0, 4)]));
  const ours = initializersAsReference(model);
  const names = new Set([...wanted.keys(), ...ours.keys()]);
  return [...names].filter((name) => {
    const tensor = ours.get(name);
    return !tensor || !sameJson(actualInitializer(tensor), wanted.get(name));
  });
}

/** 'b_quantized', '*_quantized_[0-9]': the patterns of cases.py. */
const matches = (pattern: string, name: string) =>
  new RegExp(`^${pattern.replace(/[.+^${}()|\\]/g, '\\$&').replace(/\*/g, '.*')}$`).test(name);

function check(model: OnnxModel, expected: Case, tables: Tables): void {
  const nodes = tables.nodes[expected.nodes] as ExpectedNode[];
  const initializers = expected.initializers.map((i) => tables.initializers[i]!);
  const unequal = unequalInitializers(model, initializers);
  const { deviation } = expected;
  if (!deviation) {
    assert.deepEqual(actualNodes(model), nodes);
    assert.deepEqual(
      unequal.map((name) => {
        const tensor = model.graph.initializers.get(name);
        return { ours: tensor ? actualInitializer(tensor) : null, reference: name };
      }),
      [],
    );
  } else {
    // Meant to differ: in this, and in nothing else.
    assert.equal(!sameJson(actualNodes(model), nodes), deviation.nodes, 'the node list');
    const beyond = unequal.filter((name) => !deviation.initializers.some((p) => matches(p, name)));
    assert.deepEqual(beyond, []);
    assert.ok(deviation.nodes || unequal.length > 0, 'the reference is right by now');
  }
  const opsets: Record<string, number> = {};
  for (const domain of ['', 'com.microsoft'])
    if (model.opsets[domain] !== undefined) opsets[domain] = model.opsets[domain];
  assert.deepEqual(opsets, expected.opsets);
}

/** Checks every case; one failure does not hide the others. */
async function replay(
  cases: Case[],
  tables: Tables,
  run: (params: Case['params']) => Promise<OnnxModel>,
): Promise<void> {
  const failures: string[] = [];
  for (const expected of cases) {
    try {
      check(await run(expected.params), expected, tables);
    } catch (error) {
      failures.push(`${expected.label}: ${error instanceof Error ? error.message : error}`);
    }
  }
  assert.equal(
    failures.length,
    0,
    `${failures.length} of ${cases.length}:\n${failures.join('\n')}`,
  );
}

/** Hash of a model's initializers, as make_fixtures.py takes it. */
function fingerprint(model: Uint8Array): string {
  const lines = [...readOnnx(model).graph.initializers.values()].map(
    (tensor) => `${tensor.name} ${hash(tensor.bytes)}\n`,
  );
  return hash(Buffer.from(lines.sort().join('')));
}

const synthetic = load<SyntheticFixture>('synthetic');
for (const [name, { ranges, cases }] of Object.entries(synthetic.graphs)) {
  const deviations = [...new Set(cases.flatMap((c) => (c.deviation ? [c.deviation.id] : [])))];
  const meant = deviations.length ? `, but for ${deviations.join(', ')}` : '';
  test(`${name} is quantized as by the reference (${cases.length} cases${meant})`, async () => {
    const model = readFileSync(`${fixtures}/${name}.onnx`);
    await replay(cases, synthetic, (params) => quantize(model, params, rangesOf(ranges)));
  });
}

for (const name of ['mobilenetv2-7', 'squeezenet1.0-7', 'resnet20_cifar10', 'efficientnet-lite0']) {
  const path = `${data}/${name}.onnx`;
  const skip = existsSync(path) ? false : `needs ${path}`;
  test(`${name}, prepared by our tool, is quantized as by the reference`, { skip }, async () => {
    const fixture = load<RealFixture>(name);
    const prepared = (await quantPreProcess({ modelInput: path })).model as Uint8Array;
    const ranges = rangesOf(fixture.ranges);
    try {
      await replay(fixture.cases, fixture, (params) => quantize(prepared, params, ranges));
    } catch (error) {
      if (fingerprint(prepared) === fixture.prepared) throw error;
      const reason = `the prepared model is not the fixture's: run tests/conformance/make_fixtures.py ${name}`;
      throw new Error(reason, { cause: error });
    }
  });
}

test('quantizeStatic with a calibration cache writes what the core writes', async () => {
  const { ranges, cases } = synthetic.graphs.network as { ranges: unknown; cases: Case[] };
  for (const quantFormat of ['QOperator', 'QDQ'] as const) {
    const expected = cases.find((c) => c.label === `${quantFormat} U8S8 per-channel`);
    assert.ok(expected);
    const { model } = await quantizeStatic({
      modelInput: `${fixtures}/network.onnx`,
      calibrationCache: JSON.stringify(ranges),
      optimizeModel: false,
      quantFormat,
      perChannel: true,
      weightType: 'QInt8',
    });
    check(readOnnx(model as Uint8Array), expected, synthetic);
  }
});
