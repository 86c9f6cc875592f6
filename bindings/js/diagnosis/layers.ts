// What of two graphs belongs together: tensors that both models make, and for each node of the
// quantized model which of them it reads, through pairs of QuantizeLinear and DequantizeLinear.
import type { GraphNode, ModelStructure } from '../base/types.js';
import type { QuantizedTensor } from '../core/probes.js';

/** A tensor that both models have. */
export interface MatchedTensor {
  /** In the float model. */
  name: string;
  /** In the quantized model, as the core's probes name it: before it is quantized. */
  probed: string;
  quantized: QuantizedTensor | null;
}

/** A node of the quantized model that computes a matched tensor. */
export interface Layer {
  node: GraphNode;
  output: MatchedTensor;
  /** What it reads of what both models have; null where it cannot be run by itself. */
  reads: MatchedTensor[] | null;
  /** Constants that it reads as integers. */
  weights: QuantizedTensor[];
  isQuantized: boolean;
}

export interface MatchedModels {
  layers: Layer[];
  /** Activations that the quantized model holds as integers. */
  activations: MatchedTensor[];
}

type Graph = Pick<ModelStructure, 'nodes' | 'tensors' | 'initializers'>;

const isFloat = (type: string | undefined) => type !== undefined && /^float(16|32|64)$/.test(type);
/** Nodes whose bodies read tensors that are not among their inputs. */
const withBodies = ['If', 'Loop', 'Scan'];
/** A layer that takes more nodes between matched tensors than this is not run by itself. */
const mostNodes = 64;

export function matchModels(
  float: Graph,
  quantized: Graph,
  tensors: readonly QuantizedTensor[],
): MatchedModels {
  const constants = (graph: Graph, name: string) => Object.hasOwn(graph.initializers, name);
  const isActivation = (name: string) =>
    Object.hasOwn(float.tensors, name) && isFloat(float.tensors[name]) && !constants(float, name);

  /** By any name that a quantized tensor has in the quantized graph. */
  const byName = new Map<string, QuantizedTensor>();
  for (const tensor of tensors) {
    for (const name of [tensor.before, tensor.quantized, tensor.after]) {
      if (name !== '' && !byName.has(name)) byName.set(name, tensor);
    }
  }
  const quantizedNames = new Set([
    ...Object.keys(quantized.tensors),
    ...tensors.map(({ name }) => name),
  ]);
  const readers = readersOf(float.nodes);
  /** A Relu or Clip that the quantized model lacks is in the range of what it reads. */
  const behindClip = (name: string): string => {
    const [reader, ...others] = readers.get(name) ?? [];
    const output = reader?.outputs[0];
    const isClip = reader?.opType === 'Relu' || reader?.opType === 'Clip';
    if (!isClip || others.length > 0 || !output || quantizedNames.has(output)) return name;
    return output;
  };

  const matched = new Map<string, MatchedTensor>();
  const match = (name: string): MatchedTensor | null => {
    const known = matched.get(name);
    if (known) return known;
    const tensor = byName.get(name);
    if (tensor?.constant) return null;
    const names = tensor ? [tensor.name, tensor.before, tensor.after] : [name];
    const found = names.find((one) => one !== '' && isActivation(one));
    if (found === undefined || (!tensor && !isFloat(quantized.tensors[name]))) return null;
    const result = {
      name: tensor ? behindClip(found) : found,
      probed: tensor?.before || found,
      quantized: tensor ?? null,
    };
    matched.set(name, result);
    return result;
  };

  const producers = new Map<string, GraphNode>();
  for (const node of quantized.nodes) for (const name of node.outputs) producers.set(name, node);

  /** Goes back from a node to matched tensors. */
  const follow = (node: GraphNode) => {
    const reads = new Map<string, MatchedTensor>();
    const weights: QuantizedTensor[] = [];
    const seen = new Set<GraphNode>();
    const open = [node];
    let whole = true;
    for (let next = open.pop(); next; next = open.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (seen.size > mostNodes || withBodies.includes(next.opType)) whole = false;
      if (!whole) break;
      for (const name of next.inputs) {
        const tensor = byName.get(name);
        if (tensor?.constant && !weights.includes(tensor)) weights.push(tensor);
        if (name === '' || constants(quantized, name)) continue;
        const read = match(name);
        const producer = producers.get(name);
        if (read) reads.set(read.name, read);
        else if (producer) open.push(producer);
      }
    }
    return { reads: whole ? [...reads.values()] : null, weights };
  };

  const layers: Layer[] = [];
  for (const node of quantized.nodes) {
    if (['QuantizeLinear', 'DequantizeLinear', 'Constant'].includes(node.opType)) continue;
    const output = node.outputs.map((name) => match(name)).find((one) => one !== null);
    if (!output) continue;
    const { reads, weights } = follow(node);
    const isQuantized =
      weights.length > 0 ||
      output.quantized !== null ||
      (reads ?? []).some(({ quantized }) => quantized !== null);
    layers.push({ node, output, reads, weights, isQuantized });
  }
  const activations = new Map<string, MatchedTensor>();
  for (const tensor of tensors) {
    const found = tensor.constant ? null : match(tensor.before || tensor.quantized);
    if (found?.quantized && !activations.has(found.name)) activations.set(found.name, found);
  }
  return { layers, activations: [...activations.values()] };
}

/** By tensor, the nodes that read it. */
export function readersOf(nodes: readonly GraphNode[]): Map<string, GraphNode[]> {
  const readers = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    for (const name of new Set(node.inputs)) {
      const known = readers.get(name);
      if (known) known.push(node);
      else readers.set(name, [node]);
    }
  }
  return readers;
}
