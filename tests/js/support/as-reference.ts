// Where every result differs from the reference's in the same small way (docs/differences.md), the
// difference is undone before comparing, so that all else is held to the bit.
import type { OnnxModel, OnnxNode, OnnxTensor } from './onnx-reader.js';

/** E25: the scale of a per-tensor bias is a scalar; the reference writes a vector of one. */
function withVectorScale(tensor: OnnxTensor): OnnxTensor {
  const scalarOfBias = /_quantized_scale(_\d+)?$/.test(tensor.name) && tensor.dims.length === 0;
  return scalarOfBias ? { ...tensor, dims: [1] } : tensor;
}

const float32 = (value: number) => new Uint8Array(Float32Array.of(value).buffer);
const float16 = (bits: number) => new Uint8Array(Uint16Array.of(bits).buffer);

/** E26, scales of Softmax in QDQ: ours and the reference's, as they are stored. */
const unitScales: [Uint8Array, Uint8Array][] = [
  [float32(1 / 256), float32(1 / 255)],
  [float32(1 / 65536), float32(1 / 65535)],
  [float16(0x1c00), float16(0x1c04)], // 2^-8, 1/255
];

/** The names of the scales of what Softmax writes, where Q/DQ pairs follow it. */
function softmaxScales(nodes: OnnxNode[]): Set<string> {
  const outputs = new Set(nodes.filter((n) => n.opType === 'Softmax').map((n) => n.outputs[0]));
  const quantizers = nodes.filter((n) => n.opType === 'QuantizeLinear' && outputs.has(n.inputs[0]));
  return new Set(quantizers.map((node) => node.inputs[1] as string));
}

const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** The initializers as the reference would have written them, by name. */
export function initializersAsReference(model: OnnxModel): Map<string, OnnxTensor> {
  const ofSoftmax = softmaxScales(model.graph.nodes);
  const found = new Map<string, OnnxTensor>();
  for (const [name, tensor] of model.graph.initializers) {
    const unit = unitScales.find(([ours]) => ofSoftmax.has(name) && sameBytes(ours, tensor.bytes));
    found.set(name, unit ? { ...tensor, bytes: unit[1] } : withVectorScale(tensor));
  }
  return found;
}
