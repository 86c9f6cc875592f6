// The conformance kit (tests/conformance/kit.py): generated graphs, what onnxruntime.quantization
// makes of them as hashes, and how far a result may be from the float model. Here it is read,
// replayed through the core, compared and run.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Feeds, TensorRanges } from '#dist/base/types.js';
import { ModelFiles } from '#dist/core/host-files.js';
import { formatRanges } from '#dist/core/ranges.js';
import { CoreSession } from '#dist/core/session.js';
import { coreOptions } from '#dist/options/core-options.js';
import { nodePlatform } from '#dist/platform/node.js';
import type { Runtime } from '#dist/platform/platform.js';
import { createSession, type OutputTensor } from '#dist/runtime/runtime.js';
import { floatValues } from '#dist/verify/metrics.js';
import { initializersAsReference } from './as-reference.js';
import {
  type AttributeValue,
  type OnnxGraph,
  type OnnxModel,
  type OnnxTensor,
  readOnnx,
} from './onnx-reader.js';
import { checkQuantizeStatic } from './options.js';

/** Where we mean to differ: an entry of docs/differences.md, and what it may change. */
export interface Deviation {
  id: string;
  nodes: boolean;
  /** Names of initializers as patterns: `*_quantized`. */
  initializers: string[];
}

export interface KitCase {
  params: Record<string, unknown>;
  /** Hashes of the reference's lines; absent where it failed. */
  nodes?: string;
  initializers?: string;
  opsets?: Record<string, number>;
  ir?: number;
  /** The exception that the reference ended in. */
  fails?: string;
  /** Why no runtime takes what the reference wrote. */
  invalid?: string;
  deviations?: Deviation[];
  /** The reference's initializers by name, where a deviation allows some to differ. */
  names?: Record<string, string>;
  /** Largest error by output; null: no bound. */
  bounds: Record<string, number | null>;
  detail?: { nodes: string[]; initializers: string[] };
}

export interface KitGraph {
  name: string;
  /** Bytes of its model. */
  size: number;
  /** Seed of its sample. */
  sample: number;
  float16: boolean;
  /** What onnxruntime-web's optimizer may make of it that gives wrong results in 32-bit wasm. */
  optimized_wrong?: string;
  ranges: Record<string, [number, number]>;
  spread?: Record<string, [number, number]>;
  cases: KitCase[];
}

export interface Kit {
  graphs: KitGraph[];
  model(graph: KitGraph): Uint8Array;
}

/** The files of an uncompressed tar, by name. */
function readTar(tar: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (from: number, to: number) =>
    new TextDecoder().decode(tar.subarray(from, to)).replace(/\0.*$/s, '');
  for (let at = 0; tar[at]; ) {
    const size = Number.parseInt(text(at + 124, at + 136), 8);
    files.set(text(at, at + 100), tar.subarray(at + 512, at + 512 + size));
    at += 512 + 512 * Math.ceil(size / 512);
  }
  return files;
}

/** Reads what kit.py wrote: `<group>.json` with graphs, and their models in `<group>.onnx`. */
export function readKit(path: string): Kit {
  const files = readTar(gunzipSync(readFileSync(path)));
  const models = new Map<KitGraph, Uint8Array>();
  for (const [name, bytes] of files) {
    if (!name.endsWith('.json')) continue;
    const ofGroup = files.get(name.replace('.json', '.onnx')) as Uint8Array;
    let at = 0;
    for (const graph of JSON.parse(new TextDecoder().decode(bytes)) as KitGraph[]) {
      models.set(graph, ofGroup.subarray(at, at + graph.size));
      at += graph.size;
    }
  }
  return { graphs: [...models.keys()], model: (graph) => models.get(graph) as Uint8Array };
}

// --- Quantizing ---------------------------------------------------------------------------------

const isFloat8 = (params: Record<string, unknown>) => params.activation_type === 'QFLOAT8E4M3FN';

/** Ranges as the core takes them; with the deviation where scales come from it. */
function rangesOf(graph: KitGraph, params: Record<string, unknown>): TensorRanges {
  const ranges: TensorRanges = {};
  for (const [tensor, [low, high]] of Object.entries(graph.ranges)) {
    const spread = isFloat8(params) ? graph.spread?.[tensor] : undefined;
    ranges[tensor] = spread
      ? [Math.fround(low), Math.fround(high), Math.fround(spread[1]), Math.fround(spread[0])]
      : [Math.fround(low), Math.fround(high)];
  }
  return ranges;
}

/** A case's parameters, checked, as the core takes them. */
function optionsOf(params: Record<string, unknown>) {
  const method = isFloat8(params) ? { calibrate_method: 'Distribution' } : {};
  const reference = { optimize_model: false, effort: 'none' };
  return coreOptions(checkQuantizeStatic({ ...params, ...method, ...reference }));
}

/** Our result, by the core alone. Throws QuantizeError where a case is refused. */
export async function quantizeCase(
  model: Uint8Array,
  graph: KitGraph,
  params: Record<string, unknown>,
): Promise<Uint8Array> {
  const input = await nodePlatform.openInput(model, {});
  const output = nodePlatform.openOutput(undefined);
  const core = await CoreSession.create(new ModelFiles(input, output));
  try {
    const options = optionsOf(params);
    core.open();
    core.configure(options);
    core.prepare();
    core.setRanges(formatRanges(rangesOf(graph, params)));
    core.quantize('');
    return output.modelBytes() as Uint8Array;
  } finally {
    core.dispose();
    input.close();
    output.discard();
  }
}

// --- Lines, as kit_text.py writes them ----------------------------------------------------------

const sha256 = (data: string | Uint8Array) =>
  createHash('sha256').update(data).digest('hex').slice(0, 12);
const digest = (lines: string[]) => sha256(lines.join('\n'));

function numberText(value: number): string {
  if (Number.isInteger(value)) return String(value === 0 ? 0 : value);
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return bytes.toString('hex');
}

const tensorText = (tensor: OnnxTensor) =>
  `${tensor.dataType}|${tensor.dims.join(',')}|${sha256(tensor.bytes)}`;

function attributeText(value: AttributeValue): string {
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return value;
  if (Array.isArray(value))
    return value.map((item) => (typeof item === 'number' ? numberText(item) : item)).join(',');
  if (value === null) return '';
  if ('nodes' in value) return digest([...nodeLines(value), ...initializerLines(value)]);
  return tensorText(value);
}

function nodeLines(graph: OnnxGraph): string[] {
  return graph.nodes.map((node) => {
    const attributes = Object.entries(node.attributes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}=${attributeText(value)}`);
    const { opType, domain, name, inputs, outputs } = node;
    return [opType, domain, name, inputs.join(','), outputs.join(','), attributes.join(';')].join(
      '|',
    );
  });
}

const initializerLines = (graph: OnnxGraph) =>
  [...graph.initializers.values()].map((tensor) => `${tensor.name}|${tensorText(tensor)}`).sort();

// --- Comparing ----------------------------------------------------------------------------------

const matches = (pattern: string, name: string) =>
  new RegExp(`^${pattern.replace(/[.+^${}()|\\]/g, '\\$&').replace(/\*/g, '.*')}$`).test(name);

/** IR version that an opset came with. */
function irOfOpset(opset: number): number {
  const first = [
    [11, 6],
    [12, 7],
    [15, 8],
    [19, 9],
    [21, 10],
    [23, 11],
    [24, 12],
    [25, 13],
  ] as const;
  return first.filter(([from]) => opset >= from).at(-1)?.[1] ?? 3;
}

/** IR version that an element type came with, as far as it matters here. */
const irOfType = (dataType: number) =>
  dataType === 17 ? 9 : dataType === 21 || dataType === 22 ? 10 : 3;

/** The first lines that differ, for people. */
function firstDifference(what: string, ours: string[], reference: string[] | undefined): string {
  if (!reference) return `${what} differ`;
  const missing = reference.filter((line) => !ours.includes(line));
  const added = ours.filter((line) => !reference.includes(line));
  const at = reference.findIndex((line, i) => line !== ours[i]);
  if (missing.length + added.length === 0)
    return `${what}: another order from ${at}: ours ${ours[at]}, reference ${reference[at]}`;
  const show = (lines: string[]) => lines.slice(0, 4).join('\n          ');
  return `${what}:\n    reference ${show(missing)}\n    ours      ${show(added)}`;
}

/** What is not as it should be with our initializers; null where all is. */
function unequalInitializers(
  expected: KitCase,
  ours: string[],
  deviations: Deviation[],
): string | null {
  const patterns = deviations.flatMap((deviation) => deviation.initializers);
  if (digest(ours) === expected.initializers || patterns.includes('*')) return null;
  if (!expected.names) return firstDifference('initializers', ours, expected.detail?.initializers);
  const names = new Map(ours.map((line) => [line.split('|')[0] as string, digest([line])]));
  const unequal = [...new Set([...names.keys(), ...Object.keys(expected.names)])].filter(
    (name) =>
      names.get(name)?.slice(0, 6) !== expected.names?.[name] &&
      !patterns.some((pattern) => matches(pattern, name)),
  );
  return unequal.length > 0 ? `initializers: ${unequal.join(', ')}` : null;
}

/** What is not as the reference has it, but for the case's deviations; empty where all is. */
export function compareCase(expected: KitCase, bytes: Uint8Array): string[] {
  const found: string[] = [];
  if (expected.fails || expected.invalid) return found;
  const model: OnnxModel = readOnnx(bytes);
  const deviations = expected.deviations ?? [];
  const nodes = nodeLines(model.graph);
  if (digest(nodes) !== expected.nodes && !deviations.some((d) => d.nodes))
    found.push(firstDifference('nodes', nodes, expected.detail?.nodes));
  const ours = initializerLines({ ...model.graph, initializers: initializersAsReference(model) });
  const unequal = unequalInitializers(expected, ours, deviations);
  if (unequal) found.push(unequal);
  const opsets = Object.fromEntries(
    Object.entries(model.opsets).filter(([domain]) => ['', 'com.microsoft'].includes(domain)),
  );
  const sorted = (object: object) => JSON.stringify(Object.entries(object).sort());
  const wanted = { ...expected.opsets };
  // The reference imports com.microsoft also where no node is of it.
  if (!model.graph.nodes.some((node) => node.domain === 'com.microsoft'))
    delete wanted['com.microsoft'];
  const ofOpset = deviations.some(({ id }) => ['D16', 'D20', 'E16', 'E20'].includes(id));
  if (sorted(opsets) !== sorted(wanted) && !ofOpset)
    found.push(`opsets: ours ${sorted(opsets)}, reference ${sorted(wanted)}`);
  // D16: the reference leaves the IR version behind.
  const types = [...model.graph.initializers.values()].map(({ dataType }) => irOfType(dataType));
  const ir = Math.max(expected.ir ?? 0, irOfOpset(model.opsets[''] ?? 0), ...types);
  const types4 = JSON.stringify(expected.params).includes('Int4') ? 10 : ir; // asked for, not used
  if (model.irVersion < ir || model.irVersion > Math.max(ir, types4))
    found.push(`IR version ${model.irVersion}, expected ${ir}`);
  return found;
}

// --- Running ------------------------------------------------------------------------------------

/** The sample of a graph: sample_values() of kit_builder.py. */
function sampleOf(model: Uint8Array, seed: number): Feeds {
  const feeds: Feeds = {};
  for (const [place, { name, elementType, dims }] of readOnnx(model).graph.inputInfos.entries()) {
    const length = dims.reduce((product, dim) => product * dim, 1);
    const values = Float64Array.from(
      { length },
      (_, at) => ((at * 7919 + place * 104729 + seed * 611953) % 12289) / 4096 - 1,
    );
    if (elementType === 6) {
      const data = Int32Array.from(values, (value) => Math.floor(value * 2 + 2));
      feeds[name] = { type: 'int32', dims, data };
    } else if (elementType === 10) {
      feeds[name] = { type: 'float16', dims, data: Uint16Array.from(values, float16Bits) };
    } else {
      feeds[name] = { type: 'float32', dims, data: Float32Array.from(values) };
    }
  }
  return feeds;
}

/** Bits of the nearest float16 of a value that is 0 or at least 2^-12. */
function float16Bits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  let mantissa = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  const floor = Math.floor(mantissa);
  const rest = mantissa - floor;
  mantissa = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
  return (value < 0 ? 0x8000 : 0) | (((exponent + 15) << 10) + mantissa);
}

type Results = Record<string, OutputTensor>;

/** Runs models in onnxruntime-web, one thread. */
export class Runner {
  readonly #runtime: Runtime;

  private constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  static async create(): Promise<Runner> {
    return new Runner(await nodePlatform.loadRuntime({ kind: 'web', threads: 1 }));
  }

  /**
   * The outputs for a graph's sample. Throws QuantizeError where the model cannot be loaded or run.
   */
  async run(
    model: Uint8Array,
    feeds: Feeds,
    optimization: 'all' | 'disabled' = 'all',
  ): Promise<Results> {
    const session = await createSession(this.#runtime, 'the model', { model, optimization });
    try {
      return await session.run(feeds, session.outputNames);
    } finally {
      await session.release();
    }
  }

  /** Optimized, unless `asWritten`, or where the optimizer cannot load what it made. */
  async runOnce(model: Uint8Array, feeds: Feeds, asWritten: boolean): Promise<Results> {
    if (asWritten) return this.run(model, feeds, 'disabled');
    try {
      return await this.run(model, feeds);
    } catch (error) {
      if (!ownFault.test((error as Error).message)) throw error;
      return this.run(model, feeds, 'disabled');
    }
  }

  feeds(model: Uint8Array, graph: KitGraph): Feeds {
    return sampleOf(model, graph.sample);
  }
}

/** Outputs whose error is beyond the bound, as texts. */
export function beyondBounds(expected: KitCase, floats: Results, results: Results): string[] {
  const found: string[] = [];
  for (const [output, bound] of Object.entries(expected.bounds)) {
    const x = floats[output] && floatValues(floats[output]);
    const y = results[output] && floatValues(results[output]);
    if (!x || !y || bound === null) continue;
    let worst = 0;
    for (let i = 0; i < x.length; i++)
      worst = Math.max(worst, Math.abs((x[i] as number) - (y[i] as number)));
    if (!(worst <= bound) || x.length !== y.length)
      found.push(`${output} is off by ${worst}, bound ${bound}`);
  }
  return found;
}

// --- Replaying ----------------------------------------------------------------------------------

export interface Replay {
  cases: number;
  /** `graph #case: what is wrong`, one for each case that is not as it should be. */
  failures: string[];
  /** Cases that end the reference and that we refuse, by code. */
  refused: Record<string, number>;
  /** Cases by the deviations that they name. */
  deviations: Record<string, number>;
  /** Cases that are right only as they are written, by what the optimizer gets wrong. */
  asWritten: Record<string, number>;
  /** Outputs that were loaded and compared with the float model. */
  ran: number;
}

/**
 * Why a case is run as it is written, without onnxruntime-web's optimizer, which gets it wrong;
 * null where it needs no such help. All of these are valid ONNX, and right when they are run that
 * way.
 */
function optimizerFault({ params }: KitCase, graph: KitGraph): string | null {
  const extra = (params.extra_options ?? {}) as Record<string, unknown>;
  const overrides = (extra.TensorQuantOverrides ?? {}) as Record<string, { axis?: number }[]>;
  const chosen = ['nodes_to_exclude', 'nodes_to_quantize', 'op_types_to_quantize'];
  if (graph.float16) return 'float16 between Q and DQ is taken for float';
  if (isFloat8(params)) return 'Q and DQ of float8 become integer operators';
  if (/16/.test(params.weight_type as string) && chosen.some((name) => params[name]))
    return 'the weights of a node that stays float between Q and DQ become int8';
  if (extra.BlockSize) return 'blocks of a weight are taken for channels';
  if (extra.QDQOpTypePerChannelSupportToAxis) return 'the axis of a weight is taken for the last';
  if (Object.values(overrides).some(([first]) => first?.axis !== undefined))
    return 'the axis of a weight is taken for that of its operator';
  return null;
}

/**
 * What it says where it cannot load its own work: at opset 21, a Q that it moved has lost its type,
 * or a value its shape; anywhere, a DQ that it removed is read by another node.
 */
const ownFault = new RegExp(
  [
    'output_dtype INT8 does not match y_zero_point type UINT8',
    'Mismatch between number of inferred and declared dim',
    "_DequantizeLinear_Output' is not a graph input, initializer, or output of a previous node",
  ].join('|'),
);

export interface ReplayOptions {
  /** Load each output and compare it with the float model? */
  runner?: Runner;
}

/** Every case of some graphs. */
export async function replay(
  kit: Kit,
  graphs: KitGraph[],
  { runner }: ReplayOptions = {},
): Promise<Replay> {
  const result: Replay = {
    cases: 0,
    failures: [],
    refused: {},
    deviations: {},
    asWritten: {},
    ran: 0,
  };
  const count = (counts: Record<string, number>, key: string) => {
    counts[key] = (counts[key] ?? 0) + 1;
  };
  for (const graph of graphs) {
    const model = kit.model(graph);
    const feeds = runner?.feeds(model, graph);
    const floats = runner && feeds && (await runner.run(model, feeds));
    const done = new Map<string, Results>();
    for (const [index, expected] of graph.cases.entries()) {
      result.cases++;
      for (const { id } of expected.deviations ?? []) count(result.deviations, id);
      const fail = (what: string) =>
        result.failures.push(
          `${graph.name} #${index}: ${what}\n    ${JSON.stringify(expected.params)}`,
        );
      let bytes: Uint8Array;
      try {
        bytes = await quantizeCase(model, graph, expected.params);
      } catch (error) {
        const { code = 'no code', message } = error as { code?: string; message: string };
        if (expected.fails && !['INTERNAL', 'OUT_OF_MEMORY', 'no code'].includes(code))
          count(result.refused, code);
        else fail(`refused: ${code}: ${message}`);
        continue;
      }
      const found = compareCase(expected, bytes);
      if (found.length > 0) fail(found.join('\n    '));
      if (!runner || !feeds || !floats) continue;
      const written = optimizerFault(expected, graph) !== null;
      const key = `${written} ${sha256(bytes)}`;
      try {
        const results = done.get(key) ?? (await runner.runOnce(bytes, feeds, written));
        if (!done.has(key)) result.ran++;
        done.set(key, results);
        let beyond = beyondBounds(expected, floats, results);
        if (beyond.length > 0 && graph.optimized_wrong) {
          count(result.asWritten, graph.optimized_wrong);
          beyond = beyondBounds(expected, floats, await runner.runOnce(bytes, feeds, true));
        }
        for (const text of beyond) fail(text);
      } catch (error) {
        fail(`does not run: ${(error as Error).message}`);
      }
    }
  }
  return result;
}
