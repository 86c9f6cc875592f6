// The ends of each channel of a quantized weight: what one scale for all of them serves badly is
// seen at once.
import type { GraphNode } from '../base/types.js';
import type { QuantizedTensor } from '../core/probes.js';
import { dequantize } from './dequantize.js';
import type { ProbedModel } from './probed-model.js';

/** The weight of a node as it is quantized: the ends of its values by output channel. */
export interface WeightChannels {
  tensor: string;
  lowest: number[];
  highest: number[];
  /** Whether each channel has a scale of its own. */
  perChannel: boolean;
}

type Model = Pick<ProbedModel, 'structure' | 'quantized' | 'constant'>;

/** null where the node reads no quantized weight, or one in blocks. */
export function weightChannels(model: Model, nodeName: string): WeightChannels | null {
  const { nodes, initializers } = model.structure;
  const node = nodes.find(({ name }) => name === nodeName);
  if (!node) return null;
  const dimsOf = ({ quantized }: QuantizedTensor) => initializers[quantized] ?? [];
  const isRead = ({ before, quantized, after }: QuantizedTensor) =>
    [before, quantized, after].some((name) => name !== '' && node.inputs.includes(name));
  // Biases and scalars have no channels to compare.
  const weight = model.quantized.find(
    (tensor) => tensor.constant && isRead(tensor) && dimsOf(tensor).length > 1,
  );
  const integers = weight && model.constant(weight.quantized);
  if (!weight || !integers) return null;
  const dims = dimsOf(weight);
  const values = dequantize(weight, weight.type, dims, integers);
  if (!values) return null;
  const perChannel = weight.scales.length > 1;
  const axis = perChannel ? weight.axis : outputAxis(node, dims, initializers);
  return {
    tensor: weight.name,
    ...endsOf(values, dims, (axis + dims.length) % dims.length),
    perChannel,
  };
}

/** Where the output channels of a weight are. */
function outputAxis(
  { opType, inputs }: GraphNode,
  dims: readonly number[],
  initializers: Readonly<Record<string, number[]>>,
): number {
  if (/MatMul/.test(opType)) return -1;
  if (opType === 'ConvTranspose') return 1;
  if (!/Gemm$/.test(opType)) return 0;
  // Which way it lies only its bias tells here.
  const counts = inputs.flatMap((name) =>
    initializers[name]?.length === 1 ? initializers[name] : [],
  );
  return counts.includes(dims[0]!) || !counts.includes(dims[1]!) ? 0 : 1;
}

function endsOf(values: ArrayLike<number>, dims: readonly number[], axis: number) {
  const count = dims[axis]!;
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const lowest = new Array<number>(count).fill(Infinity);
  const highest = new Array<number>(count).fill(-Infinity);
  for (let i = 0; i < values.length; i++) {
    const channel = Math.floor(i / inner) % count;
    const value = values[i]!;
    if (value < lowest[channel]!) lowest[channel] = value;
    if (value > highest[channel]!) highest[channel] = value;
  }
  return { lowest, highest };
}
