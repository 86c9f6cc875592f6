// Float outputs before and after the passes, in onnxruntime-web without optimizations of its own;
// and the smallest graph in which they still differ.
import type { Feeds } from '#dist/base/types.js';
import { ModelFiles } from '#dist/core/host-files.js';
import { CoreSession } from '#dist/core/session.js';
import { nodePlatform } from '#dist/platform/node.js';
import { product, Random } from './graph-maker.js';
import { Runner } from './kit.js';
import { type Graph, graphText, type Node, onnxBytes, withoutUnused } from './onnx-graph.js';
import { type PassGraph, passGraph } from './pass-graphs.js';

/** Largest difference beside the largest value: rounding, through some layers. */
const limit = 1e-4;

export interface Finding {
  /** `invalid`: onnxruntime does not run the graph as it was made, which is the maker's fault. */
  kind: 'same' | 'invalid' | 'refused' | 'broken' | 'differs';
  why: string;
  /** Changes by pass. */
  passes: Record<string, number>;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

interface Prepared {
  prepared: Uint8Array;
  passes: Record<string, number>;
}

async function prepare(model: Uint8Array): Promise<Prepared> {
  const input = await nodePlatform.openInput(model, {});
  const output = nodePlatform.openOutput(undefined);
  const core = await CoreSession.create(new ModelFiles(input, output));
  try {
    core.open();
    core.configure({ optimize_model: true });
    const { passes } = core.prepare();
    core.writePrepared({
      externalFile: '',
      threshold: 0,
      filePerTensor: false,
      inferredTypes: false,
    });
    const counted = Object.fromEntries(passes.map(({ name, changes }) => [name, changes]));
    return { prepared: output.modelBytes() as Uint8Array, passes: counted };
  } finally {
    core.dispose();
    input.close();
    output.discard();
  }
}

/** Values in [-2, 2), by the name of the input. */
function feedsOf(graph: Graph): Feeds {
  const seed = (name: string) => [...name].reduce((sum, c) => 31 * sum + c.charCodeAt(0), 7);
  return Object.fromEntries(
    graph.inputs.map((name) => {
      const dims = graph.shapes[name] ?? [];
      const random = new Random(seed(name));
      const data = Float32Array.from({ length: product(dims) }, () => 4 * random.next() - 2);
      return [name, { type: 'float32' as const, dims, data }];
    }),
  );
}

/** The same values to rounding; NaN and infinities in the same places. */
function difference(a: Float32Array, b: Float32Array): number {
  const largest = a.reduce(
    (max, v) => (Number.isFinite(v) ? Math.max(max, Math.abs(v)) : max),
    1e-3,
  );
  let worst = 0;
  for (const [i, x] of a.entries()) {
    const y = b[i] as number;
    if (!Object.is(x, y) && x !== y) worst = Math.max(worst, Math.abs(x - y) / largest || 0);
    if (Number.isFinite(x) !== Number.isFinite(y)) return Number.POSITIVE_INFINITY;
  }
  return worst;
}

export class PassProperty {
  readonly #runner: Runner;
  readonly #prepare: typeof prepare;

  private constructor(runner: Runner, prepared: typeof prepare) {
    this.#runner = runner;
    this.#prepare = prepared;
  }

  /** `prepared`: what is to keep the results, if not the core's passes. */
  static async create(prepared = prepare): Promise<PassProperty> {
    return new PassProperty(await Runner.create(), prepared);
  }

  async check({ graph, opset }: PassGraph): Promise<Finding> {
    const model = onnxBytes(graph, opset);
    const feeds = feedsOf(graph);
    let expected: Awaited<ReturnType<Runner['run']>>;
    try {
      expected = await this.#runner.run(model, feeds, 'disabled');
    } catch (error) {
      return { kind: 'invalid', why: messageOf(error), passes: {} };
    }
    let passes: Record<string, number> = {};
    let kind: Finding['kind'] = 'refused';
    try {
      const result = await this.#prepare(model);
      passes = result.passes;
      kind = 'broken';
      const outputs = await this.#runner.run(result.prepared, feeds, 'disabled');
      for (const name of graph.outputs) {
        const [before, after] = [expected[name], outputs[name]];
        if (`${before?.dims}` !== `${after?.dims}`) {
          const why = `${name} is [${after?.dims}] instead of [${before?.dims}]`;
          return { kind: 'differs', why, passes };
        }
        const off = difference(before?.data as Float32Array, after?.data as Float32Array);
        if (off > limit) return { kind: 'differs', why: `${name} is off by ${off}`, passes };
      }
      return { kind: 'same', why: '', passes };
    } catch (error) {
      return { kind, why: messageOf(error), passes };
    }
  }

  /** The smallest graph, found step by step, with which the same kind of thing is wrong. */
  async shrink(given: PassGraph, kind: Finding['kind']): Promise<PassGraph> {
    for (let smallest = given; ; ) {
      let found: PassGraph | undefined;
      for (const graph of smaller(smallest.graph)) {
        const candidate = { graph, opset: smallest.opset };
        if ((await this.check(candidate)).kind !== kind) continue;
        found = candidate;
        break;
      }
      if (!found) return smallest;
      smallest = found;
    }
  }

  /** Checks the graphs of the numbers from `first` on. `text` of what is wrong has it smallest. */
  async checkAll(
    first: number,
    count: number,
  ): Promise<{ failures: string[]; invalid: string[]; passes: Record<string, number> }> {
    const failures: string[] = [];
    const invalid: string[] = [];
    const passes: Record<string, number> = {};
    for (let seed = first; seed < first + count; seed++) {
      const graph = passGraph(seed);
      const finding = await this.check(graph);
      for (const name of Object.keys(finding.passes)) passes[name] = (passes[name] ?? 0) + 1;
      if (finding.kind === 'same') continue;
      if (finding.kind === 'invalid') {
        invalid.push(`graph ${seed}: ${finding.why}\n${graphText(graph.graph)}`);
        continue;
      }
      const small = await this.shrink(graph, finding.kind);
      const { kind, why, passes: ran } = await this.check(small);
      const names = Object.keys(ran).join(', ');
      failures.push(
        `graph ${seed}, opset ${small.opset}, ${kind}: ${why} (passes: ${names})\n${graphText(small.graph)}`,
      );
    }
    return { failures, invalid, passes };
  }
}

/** Graphs with less in them, the smallest first. */
function* smaller(graph: Graph): Generator<Graph> {
  const size = (each: Graph) => each.nodes.length + each.outputs.length + each.inputs.length / 100;
  const candidates = [...cuts(graph)].map(withoutUnused).filter((each) => each.nodes.length > 0);
  candidates.sort((a, b) => size(a) - size(b));
  for (const candidate of candidates) if (size(candidate) < size(graph)) yield candidate;
  if (graph.freeBatch) yield { ...graph, freeBatch: false };
}

function* cuts(graph: Graph): Generator<Graph> {
  for (const output of graph.outputs) yield { ...graph, outputs: [output] };
  for (const [index, node] of graph.nodes.entries()) {
    const output = node.outputs[0] as string;
    if (graph.types?.[output] || node.opType === 'Constant') continue;
    if (!node.attributes?.to) yield { ...graph, outputs: [output] };
    const others = graph.nodes.filter((_, i) => i !== index);
    yield { ...graph, nodes: others, inputs: [...graph.inputs, output] };
    for (const input of node.inputs) {
      if (`${graph.shapes[input]}` !== `${graph.shapes[output]}` || graph.types?.[input]) continue;
      yield renamed(graph, others, output, input);
    }
  }
}

/** Readers of `from` read `to`; bodies are left alone, so that some of these are invalid. */
function renamed(graph: Graph, nodes: readonly Node[], from: string, to: string): Graph {
  const swap = (names: readonly string[]) => names.map((name) => (name === from ? to : name));
  return {
    ...graph,
    nodes: nodes.map((node) => ({ ...node, inputs: swap(node.inputs) })),
    outputs: graph.outputs
      .filter((name) => name !== from || !graph.inputs.includes(to))
      .map((name) => (name === from ? to : name)),
  };
}
