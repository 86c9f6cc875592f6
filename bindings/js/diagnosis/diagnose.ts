// Where a quantized model goes wrong, from the samples alone: both models run beside each other,
// and each layer of the quantized one by itself, on what the float model makes. Per sample and
// batch of tensors:
//
//   float:      sample                          → every tensor of the batch
//   quantized:  sample                          → the same, with all that was lost on the way
//   by itself:  the float tensors a layer reads → what it makes of them
//   alone:      float model + that difference   → what the outputs make of it
//
// Sums are kept, no tensors: memory depends on the batch, not on the number of samples.
import { freeBuffer } from '../base/free-buffer.js';
import type { Run } from '../base/run.js';
import type { Feeds, SampleTensor } from '../base/types.js';
import type { ProbeRequest, QuantizedTensor } from '../core/probes.js';
import type { Runtime } from '../platform/platform.js';
import type { OutputTensor } from '../runtime/runtime.js';
import { findCause } from './causes.js';
import { dequantize } from './dequantize.js';
import {
  type Layer,
  type MatchedModels,
  type MatchedTensor,
  matchModels,
  readersOf,
} from './layers.js';
import { Moments } from './moments.js';
import type { ConstantPart, Probe, ProbedModel } from './probed-model.js';
import type { Diagnosis, LayerDiagnosis, TensorDiagnosis } from './report.js';
import { SessionTurns } from './session-turns.js';
import { floatEnds, TensorFacts } from './tensor-facts.js';
import { type WeightFacts, weightFacts } from './weight-facts.js';

export interface DiagnosisInput {
  float: ProbedModel;
  quantized: ProbedModel;
  runtime: Runtime;
  run: Run;
  /** Begins anew at each call. */
  samples(): AsyncIterable<Feeds>;
  /** How many samples there are, where it is known. */
  count?: number | undefined;
  /** With so many of them layers are asked alone; 0: none are. */
  aloneSamples: number;
  /** Names of nodes, or tensors that they make: only these layers are looked at; absent: all. */
  only?: ReadonlySet<string> | undefined;
  /** For the tensors of one sample, of all models together. */
  budgetBytes: number;
}

/** Tensors of three runs, those of one of them before and after rounding, and a difference. */
const copies = 5;
/** A layer that does less of the harm, or none to speak of, has no cause. */
const leastShare = 0.03;
const harmless = 30; // dB at the outputs
/** dB between exact and saturating arithmetic, below which they differ by more than rounding. */
const sameArithmetic = 60;

interface LayerSums {
  layer: Layer;
  accumulated: Moments;
  own: Moments;
  saturated: Moments;
  alone: Moments[];
}

interface Batch {
  layers: LayerSums[];
  activations: TensorSums[];
  bytes: number;
}

interface TensorSums {
  tensor: MatchedTensor;
  facts: TensorFacts | null;
  accumulated: Moments;
  rounding: Moments;
}

export async function diagnoseModels(given: DiagnosisInput): Promise<Diagnosis> {
  const { float, quantized, run } = given;
  const all = matchModels(float.structure, quantized.structure, quantized.quantized);
  const matched = given.only ? within(all, given.only) : all;
  const outputs = float.summary.outputs
    .filter(({ name, type }) => /^float/.test(type) && hasOutput(quantized, name))
    .map(({ name }) => name);
  const sizes = await sizesOf(given, matched.layers, matched.activations);
  const batches = inBatches(matched.layers, matched.activations, sizes, given.budgetBytes);
  const outputSums = outputs.map((name) => ({ name, sums: new Moments() }));
  const saturation = await measureSaturation(given, outputs);
  let samples = 0;
  const start = performance.now();
  const total = given.count === undefined ? undefined : given.count * batches.length;
  let done = 0;
  for (const [index, batch] of batches.entries()) {
    const runner = await BatchRunner.load(given, batch, outputs, saturation !== null);
    let sample = 0;
    try {
      for await (const feeds of given.samples()) {
        await runner.run(feeds, sample < given.aloneSamples, index === 0 ? outputSums : []);
        sample++;
        run.samples('verify', ++done, total, performance.now() - start);
        await run.checkpoint();
      }
    } finally {
      await runner.release();
    }
    samples = sample;
  }
  const dbs = outputSums.map(({ name, sums }) => ({ name, sqnr: sums.sqnr }));
  const known = dbs.flatMap(({ sqnr }) => (sqnr === null ? [] : [sqnr]));
  const sums = batches.flatMap(({ layers }) => layers);
  const layers = reportLayers(given, sums, batches, sizes);
  return {
    samples,
    aloneSamples: Math.min(samples, given.aloneSamples),
    format: formatOf(quantized),
    sqnr: known.length > 0 ? Math.min(...known) : null,
    outputs: dbs,
    ...layers,
    tensors: reportTensors(given, batches),
    saturation,
    batches: batches.length,
    batchBytes: Math.max(0, ...batches.map(({ bytes }) => bytes)),
  };
}

/** The layers of these names, and what they read and make. */
function within({ layers, activations }: MatchedModels, only: ReadonlySet<string>): MatchedModels {
  const left = layers.filter(
    ({ node, output }) => only.has(nameInFloat(node.name)) || only.has(output.name),
  );
  const tensors = new Set(left.flatMap(({ output, reads }) => [output, ...(reads ?? [])]));
  return { layers: left, activations: activations.filter((tensor) => tensors.has(tensor)) };
}

/** The QOperator format appends to names of nodes. */
export const nameInFloat = (name: string): string => name.replace(/_quant$/, '');

const hasOutput = ({ summary }: ProbedModel, name: string) =>
  summary.outputs.some((output) => output.name === name);

function formatOf({ structure, quantized }: ProbedModel): Diagnosis['format'] {
  if (quantized.length === 0) return 'float';
  return structure.nodes.some(({ opType }) => /^(QLinear|QGemm)/.test(opType))
    ? 'QOperator'
    : 'QDQ';
}

/** Elements by name in the float model, in the first sample. */
async function sizesOf(
  { float, runtime, samples, run }: DiagnosisInput,
  layers: readonly Layer[],
  activations: readonly MatchedTensor[],
): Promise<Map<string, number>> {
  const names = new Set<string>();
  for (const { output, reads } of layers) {
    names.add(output.name);
    for (const { name } of reads ?? []) names.add(name);
  }
  for (const { name } of activations) names.add(name);
  const sizes = new Map<string, number>();
  if (names.size === 0) return sizes;
  const list = [...names];
  const probe = await float.probe(runtime, {
    outputs: list.map((tensor) => ({ tensor, after: false })),
    sizes: true,
  });
  try {
    for await (const feeds of samples()) {
      await run.checkpoint();
      const results = await probe.run(pick(feeds, probe.inputs));
      for (const [i, { data }] of results.entries()) sizes.set(list[i]!, Number(data[0]));
      break;
    }
  } finally {
    await probe.release();
  }
  return sizes;
}

const pick = (feeds: Feeds, names: readonly string[]): Feeds =>
  Object.fromEntries(names.map((name) => [name, feeds[name]!]));

/** In graph order, as many layers as the budget has room for; at least one. */
function inBatches(
  layers: readonly Layer[],
  activations: readonly MatchedTensor[],
  sizes: ReadonlyMap<string, number>,
  budget: number,
): Batch[] {
  const batches: Batch[] = [];
  const left = new Map(activations.map((tensor) => [tensor.name, tensor]));
  let held = new Set<string>();
  let batch: Batch | null = null;
  const take = (tensors: readonly MatchedTensor[], into: Batch) => {
    for (const { name } of tensors) {
      held.add(name);
      const activation = left.get(name);
      if (!activation) continue;
      left.delete(name);
      into.activations.push(tensorSums(activation));
    }
  };
  const cost = (tensors: readonly MatchedTensor[]) =>
    tensors.reduce(
      (sum, { name }) => sum + (held.has(name) ? 0 : copies * 4 * (sizes.get(name) ?? 0)),
      0,
    );
  const add = (tensors: readonly MatchedTensor[]): Batch => {
    if (batch === null || batch.bytes + cost(tensors) > budget) {
      held = new Set();
      batch = { layers: [], activations: [], bytes: 0 };
      batches.push(batch);
    }
    batch.bytes += cost(tensors);
    take(tensors, batch);
    return batch;
  };
  for (const layer of layers) {
    const into = add([layer.output, ...(layer.reads ?? [])]);
    into.layers.push({
      layer,
      accumulated: new Moments(),
      own: new Moments(),
      saturated: new Moments(),
      alone: [],
    });
  }
  for (const tensor of [...left.values()]) add([tensor]);
  return batches;
}

const tensorSums = (tensor: MatchedTensor): TensorSums => ({
  tensor,
  facts: tensor.quantized?.scales.length === 1 ? new TensorFacts(tensor.quantized) : null,
  accumulated: new Moments(),
  rounding: new Moments(),
});

/** The sessions of one batch. */
class BatchRunner {
  readonly #batch: Batch;
  readonly #names: string[];
  readonly #observed: MatchedTensor[];
  readonly #outputs: readonly string[];
  readonly #alone: LayerSums[];
  /** Of pairs of Q and DQ: what is rounded. */
  readonly #rounded: TensorSums[];
  readonly #reads: MatchedTensor[];
  #float!: Probe;
  #quantized!: Probe;
  #own: Probe | null = null;
  #saturating: Probe | null = null;
  #added: Probe | null = null;

  private constructor(batch: Batch, outputs: readonly string[]) {
    this.#batch = batch;
    this.#outputs = outputs;
    const tensors = new Map<string, MatchedTensor>();
    for (const { layer } of batch.layers) tensors.set(layer.output.name, layer.output);
    for (const { tensor } of batch.activations) tensors.set(tensor.name, tensor);
    this.#observed = [...tensors.values()];
    this.#rounded = batch.activations.filter(({ tensor }) => tensor.quantized?.before);
    this.#alone = batch.layers.filter(({ layer }) => layer.isQuantized && layer.reads !== null);
    const reads = new Map<string, MatchedTensor>();
    for (const { layer } of this.#alone) for (const one of layer.reads!) reads.set(one.name, one);
    this.#reads = [...reads.values()];
    this.#names = [
      ...new Set([...tensors.keys(), ...this.#reads.map(({ name }) => name), ...outputs]),
    ];
  }

  static async load(
    { float, quantized, runtime, aloneSamples }: DiagnosisInput,
    batch: Batch,
    outputs: readonly string[],
    saturates: boolean,
  ): Promise<BatchRunner> {
    const runner = new BatchRunner(batch, outputs);
    const turns = float.isLarge ? new SessionTurns() : null;
    const probeOf = (model: ProbedModel, request: ProbeRequest) =>
      model.probe(runtime, request, {}, turns);
    try {
      runner.#float = await probeOf(float, {
        outputs: runner.#names.map((tensor) => ({ tensor, after: false })),
      });
      runner.#quantized = await probeOf(quantized, {
        outputs: [
          ...runner.#observed.map(({ probed }) => ({ tensor: probed, after: true })),
          ...outputs.map((tensor) => ({ tensor, after: false })),
          ...runner.#rounded.map(({ tensor }) => ({ tensor: tensor.probed, after: false })),
        ],
      });
      if (runner.#alone.length === 0) return runner;
      const own = {
        outputs: runner.#alone.map(({ layer }) => ({ tensor: layer.output.probed, after: true })),
        fed: runner.#reads.map(({ probed }) => probed),
      };
      runner.#own = await probeOf(quantized, own);
      if (saturates) {
        const asUsersRun = { optimization: 'all', exactIntegers: false } as const;
        runner.#saturating = await quantized.probe(runtime, own, asUsersRun, turns);
      }
      if (aloneSamples === 0 || outputs.length === 0) return runner;
      runner.#added = await probeOf(float, {
        outputs: outputs.map((tensor) => ({ tensor, after: false })),
        added: runner.#alone.map(({ layer }) => layer.output.name),
      });
      return runner;
    } catch (error) {
      await runner.release();
      throw error;
    }
  }

  async run(
    feeds: Feeds,
    asksAlone: boolean,
    outputSums: readonly { name: string; sums: Moments }[],
  ): Promise<void> {
    const results = await this.#float.run(pick(feeds, this.#float.inputs));
    const floats = new Map(this.#names.map((name, i) => [name, results[i]!]));
    const quantized = await this.#quantized.run(pick(feeds, this.#quantized.inputs));
    const others = new Map(this.#observed.map(({ name }, i) => [name, quantized[i]!]));
    for (const [i, { sums }] of outputSums.entries()) {
      addTo(sums, floats.get(this.#outputs[i]!)!, quantized[this.#observed.length + i]!);
    }
    for (const { layer, accumulated } of this.#batch.layers) {
      addTo(accumulated, floats.get(layer.output.name)!, others.get(layer.output.name)!);
    }
    for (const { tensor, facts, accumulated } of this.#batch.activations) {
      const float = floats.get(tensor.name)!;
      facts?.add(float.dims, float.data as Float32Array);
      addTo(accumulated, float, others.get(tensor.name)!);
    }
    const before = quantized.slice(this.#observed.length + this.#outputs.length);
    for (const [i, { tensor, rounding }] of this.#rounded.entries()) {
      addTo(rounding, before[i]!, others.get(tensor.name)!);
    }
    if (!this.#own) return;
    const made = await this.#own.run(this.#ownFeeds(this.#own, feeds, floats));
    for (const [i, { layer, own }] of this.#alone.entries()) {
      addTo(own, floats.get(layer.output.name)!, made[i]!);
    }
    if (this.#saturating) {
      const cut = await this.#saturating.run(this.#ownFeeds(this.#saturating, feeds, floats));
      for (const [i, { saturated }] of this.#alone.entries()) addTo(saturated, made[i]!, cut[i]!);
    }
    if (asksAlone && this.#added) await this.#runAlone(this.#added, feeds, floats, made);
  }

  /** Layer after layer: its difference is added, and the outputs are looked at. */
  async #runAlone(
    probe: Probe,
    feeds: Feeds,
    floats: ReadonlyMap<string, OutputTensor>,
    made: readonly OutputTensor[],
  ): Promise<void> {
    const given = pick(feeds, probe.inputs);
    for (const name of probe.added) if (name !== '') given[name] = zero;
    for (const [i, { layer, alone }] of this.#alone.entries()) {
      const input = probe.added[i]!;
      const float = floats.get(layer.output.name)!;
      const sums = alone.length > 0 ? alone : this.#outputs.map(() => new Moments());
      if (alone.length === 0) alone.push(...sums);
      if (input === '') continue;
      if (made[i]!.data.length !== float.data.length) continue;
      given[input] = difference(float, made[i]!);
      const results = await probe.run(given);
      given[input] = zero;
      for (const [k, name] of this.#outputs.entries()) {
        addTo(sums[k]!, floats.get(name)!, results[k]!);
      }
    }
  }

  #ownFeeds(probe: Probe, feeds: Feeds, floats: ReadonlyMap<string, OutputTensor>): Feeds {
    const given = pick(feeds, probe.inputs);
    for (const [i, input] of probe.fed.entries()) {
      if (input !== '') given[input] = floats.get(this.#reads[i]!.name)! as SampleTensor;
    }
    return given;
  }

  async release(): Promise<void> {
    for (const probe of [this.#float, this.#quantized, this.#own, this.#saturating, this.#added]) {
      await probe?.release();
    }
  }
}

const zero: SampleTensor = { type: 'float32', dims: [], data: new Float32Array(1) };

function difference(float: OutputTensor, made: OutputTensor): SampleTensor {
  const [x, y] = [float.data as Float32Array, made.data as Float32Array];
  const data = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const more = y[i]! - x[i]!;
    data[i] = Number.isFinite(more) ? more : 0;
  }
  return { type: 'float32', dims: float.dims, data };
}

function addTo(sums: Moments, float: OutputTensor, other: OutputTensor): void {
  sums.add(float.dims, float.data as Float32Array, other.data as Float32Array);
}

/** With the runtime as users run it, beside exact integers; null where that is the same. */
async function measureSaturation(
  { quantized, runtime, samples, run }: DiagnosisInput,
  outputs: readonly string[],
): Promise<number | null> {
  if (runtime.kind !== 'node' || outputs.length === 0 || quantized.quantized.length === 0) {
    return null;
  }
  const request = { outputs: outputs.map((tensor) => ({ tensor, after: false })) };
  const probes: Probe[] = [];
  const sums = new Moments();
  try {
    for (const exactIntegers of [true, false]) {
      probes.push(await quantized.probe(runtime, request, { optimization: 'all', exactIntegers }));
    }
    for await (const feeds of samples()) {
      await run.checkpoint();
      const [exact, other] = [probes[0]!, probes[1]!];
      const expected = await exact.run(pick(feeds, exact.inputs));
      const made = await other.run(pick(feeds, other.inputs));
      for (const [i, tensor] of expected.entries()) addTo(sums, tensor, made[i]!);
      break;
    }
  } finally {
    for (const probe of probes) await probe.release();
  }
  const { sqnr } = sums;
  return sqnr !== null && sqnr < sameArithmetic ? sqnr : null;
}

function reportLayers(
  { float, quantized }: DiagnosisInput,
  all: readonly LayerSums[],
  batches: readonly Batch[],
  sizes: ReadonlyMap<string, number>,
): Pick<Diagnosis, 'layers' | 'worst'> {
  const facts = new Map<string, TensorFacts>();
  for (const { activations } of batches) {
    for (const { tensor, facts: one } of activations) if (one) facts.set(tensor.name, one);
  }
  const readers = readersOf(float.structure.nodes);
  const weights = new Map<string, WeightFacts | null>();
  const factsOfWeight = (layer: Layer) =>
    layer.weights.flatMap((tensor) => {
      if (!weights.has(tensor.quantized)) {
        const values = quantized.constant(tensor.quantized);
        const dims = quantized.structure.initializers[tensor.quantized] ?? [];
        weights.set(tensor.quantized, values && weightFacts(tensor, dims, values));
        if (values) freeBuffer(values);
      }
      return weights.get(tensor.quantized) ?? [];
    });
  const harm = ({ alone, own, layer }: LayerSums) =>
    alone.length > 0
      ? Math.max(0, ...alone.map(({ ratio }) => ratio))
      : layer.isQuantized
        ? own.ratio
        : 0;
  const sum = all.reduce((total, one) => total + finite(harm(one)), 0);
  const worst: Diagnosis['worst'] = [];
  const layers = all.map((one): LayerDiagnosis => {
    const { layer, accumulated, own, saturated, alone } = one;
    const share = sum > 0 ? finite(harm(one)) / sum : 0;
    const harms = share >= leastShare && 10 * Math.log10(1 / harm(one)) < harmless;
    const named = (tensors: readonly MatchedTensor[]) =>
      tensors.flatMap(({ name }) => facts.get(name) ?? []);
    const reads = named(layer.reads ?? []);
    const cause = harms
      ? findCause({
          layer,
          reads,
          tensors: [...reads, ...named([layer.output])],
          weights: factsOfWeight(layer),
          meanShift: own.meanShift,
          saturated: own.noise > 0 ? saturated.noise / own.noise : 0,
          readers: (tensor) => readers.get(tensor) ?? [],
        })
      : null;
    if (cause) worst.push({ node: layer.node.name, tensor: layer.output.name, share, cause });
    const seen = alone.flatMap(({ sqnr }) => (sqnr === null ? [] : [sqnr]));
    return {
      node: layer.node.name,
      opType: layer.node.opType,
      tensor: layer.output.name,
      isQuantized: layer.isQuantized,
      elements: sizes.get(layer.output.name) ?? 0,
      weightBytes: layer.weights.reduce(
        (bytes, tensor) => bytes + bytesOf(quantized, tensor.quantized, tensor.type),
        0,
      ),
      accumulated: accumulated.sqnr,
      own: layer.isQuantized ? own.sqnr : null,
      alone: seen.length > 0 ? Math.min(...seen) : null,
      meanShift: layer.isQuantized ? own.meanShift : null,
      enters: own.noise > 0 && 2 * own.noise >= accumulated.noise,
      cause,
    };
  });
  worst.sort((a, b) => b.share - a.share);
  return { layers, worst };
}

/** So that the share of what broke is all there is. */
const finite = (ratio: number) => Math.min(ratio, 1e6);

function bytesOf({ structure }: ProbedModel, name: string, type: string): number {
  const dims = structure.initializers[name];
  const bits = Number(/\d+$/.exec(type)?.[0] ?? 8);
  return dims ? Math.ceil((dims.reduce((product, dim) => product * dim, 1) * bits) / 8) : 0;
}

/** Of a weight that both models have under one name and in one shape. */
function weightError(
  { float, quantized }: Pick<DiagnosisInput, 'float' | 'quantized'>,
  tensor: QuantizedTensor,
): number | null {
  const dims = quantized.structure.initializers[tensor.quantized];
  const given = float.structure.initializers[tensor.name];
  if (!dims || !given || given.join() !== dims.join()) return null;
  const sums = new Moments();
  const integers = quantized.constantParts(tensor.quantized);
  for (const { first, values } of float.constantParts(tensor.name)) {
    const part = integers.next().value as ConstantPart;
    const rounded = dequantize(tensor, tensor.type, dims, part.values, first);
    if (rounded) sums.add([1, 1, 1, values.length], values, rounded);
    for (const array of [values, part.values, rounded]) if (array) freeBuffer(array);
    if (!rounded) return null;
  }
  return sums.sqnr;
}

function reportTensors(
  models: Pick<DiagnosisInput, 'float' | 'quantized'>,
  batches: readonly Batch[],
): TensorDiagnosis[] {
  const activations = batches.flatMap(({ activations }) =>
    activations.map(({ tensor, facts, accumulated, rounding }): TensorDiagnosis => {
      const type = tensor.quantized!;
      return {
        ...parametersOf(type, tensor.name, 'activation'),
        accumulated: accumulated.sqnr,
        alone: facts?.sqnr ?? null,
        rounding: rounding.sqnr,
        observed: facts && facts.count > 0 ? [facts.lowest, facts.highest] : null,
        clipped: facts && facts.count > 0 ? facts.clipped / facts.count : null,
      };
    }),
  );
  const weights = models.quantized.quantized
    .filter(({ constant }) => constant)
    .map(
      (tensor): TensorDiagnosis => ({
        ...parametersOf(tensor, tensor.name, 'weight'),
        accumulated: null,
        alone: weightError(models, tensor),
        rounding: null,
        observed: null,
        clipped: null,
      }),
    );
  return [...activations, ...weights];
}

function parametersOf(tensor: QuantizedTensor, name: string, kind: TensorDiagnosis['kind']) {
  return {
    tensor: name,
    kind,
    quantType: tensor.type,
    scale: tensor.scales[0] ?? 1,
    zeroPoint: tensor.zeroPoints[0] ?? 0,
    channels: tensor.scales.length,
    range: floatEnds(tensor),
  };
}
