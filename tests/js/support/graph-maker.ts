// Makes graphs node by node: names, constants and shapes are looked after here, and the forms that
// an operator has at each opset (ONNX operator specification), so that what is built on top says
// only what it means.
import type { Attribute, Dims, Graph, Node, Tensor } from './onnx-graph.js';

/** Numbers that look random and are the same for a seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 2654435761) + 97) >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    // Of a linear congruential generator only the high bits are any good.
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor(this.#state / 2 ** 8) / 2 ** 24;
  }

  /** A whole number in [0, count). */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const left = [...items];
    return items.map(() => left.splice(this.below(left.length), 1)[0] as T);
  }
}

export const product = (dims: Dims): number => dims.reduce((a, b) => a * b, 1);

/** The shape of an elementwise operator's output. */
export function broadcast(a: Dims, b: Dims): number[] {
  const rank = Math.max(a.length, b.length);
  const dim = (dims: Dims, i: number) => dims[i - rank + dims.length] ?? 1;
  return Array.from({ length: rank }, (_, i) => (dim(a, i) === 1 ? dim(b, i) : dim(a, i)));
}

export class GraphMaker {
  readonly random: Random;
  readonly opset: number;
  readonly nodes: Node[] = [];
  readonly initializers: Record<string, Tensor> = {};
  readonly shapes: Record<string, Dims> = {};
  readonly inputs: string[] = [];
  readonly types: Record<string, 'int64' | 'bool'> = {};
  readonly #prefix: string;
  #count = 0;

  constructor(random: Random, opset: number, prefix = '') {
    this.random = random;
    this.opset = opset;
    this.#prefix = prefix;
  }

  name(): string {
    return `${this.#prefix}t${this.#count++}`;
  }

  shape(tensor: string): Dims {
    const shape = this.shapes[tensor] ?? this.initializers[tensor]?.dims;
    if (!shape) throw new Error(`the shape of ${tensor} is not known`);
    return shape;
  }

  input(dims: Dims): string {
    const name = `${this.#prefix}x${this.inputs.length}`;
    this.shapes[name] = dims;
    this.inputs.push(name);
    return name;
  }

  initializer(tensor: Tensor): string {
    const name = this.name();
    this.initializers[name] = tensor;
    return name;
  }

  /** An initializer; at times a Constant node, as many exporters have them. */
  constant(tensor: Tensor): string {
    if (this.random.chance(0.85)) return this.initializer(tensor);
    const name = this.name();
    const attributes = { value: { tensor } };
    this.nodes.push({ opType: 'Constant', inputs: [], outputs: [name], attributes });
    this.shapes[name] = tensor.dims;
    return name;
  }

  floats(dims: Dims, values: readonly number[]): string {
    return this.constant({ dims, type: 'float', values: [...values].map(Math.fround) });
  }

  ints(values: readonly number[], dims: Dims = [values.length]): string {
    return this.constant({ dims, type: 'int64', values });
  }

  number(value: number): string {
    return this.floats(this.random.chance(0.3) ? [1] : [], [value]);
  }

  /** Values in [-scale, scale]. */
  noise(dims: Dims, scale = 1): string {
    const values = Array.from(
      { length: product(dims) },
      () => scale * (2 * this.random.next() - 1),
    );
    return this.floats(dims, values);
  }

  positive(dims: Dims): string {
    return this.floats(
      dims,
      Array.from({ length: product(dims) }, () => 0.5 + this.random.next()),
    );
  }

  node(
    opType: string,
    inputs: readonly string[],
    dims: Dims,
    attributes?: Record<string, Attribute>,
  ): string {
    const output = this.name();
    this.nodes.push({ opType, inputs, outputs: [output], ...(attributes && { attributes }) });
    this.shapes[output] = dims;
    return output;
  }

  unary(opType: string, x: string, attributes?: Record<string, Attribute>): string {
    return this.node(opType, [x], this.shape(x), attributes);
  }

  binary(opType: string, a: string, b: string): string {
    return this.node(opType, [a, b], broadcast(this.shape(a), this.shape(b)));
  }

  /** Add or Mul with the operands in either order. */
  either(opType: string, a: string, b: string): string {
    return this.random.chance(0.5) ? this.binary(opType, a, b) : this.binary(opType, b, a);
  }

  // Operators whose form depends on the opset -----------------------------------------------------

  reduce(opType: string, x: string, axes: readonly number[], keep = true): string {
    const rank = this.shape(x).length;
    const reduced = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
    const dims = this.shape(x).flatMap((dim, i) => (reduced.has(i) ? (keep ? [1] : []) : [dim]));
    const keepdims: Record<string, Attribute> = keep ? {} : { keepdims: 0 };
    const asInput = this.opset >= (opType === 'ReduceSum' ? 13 : 18);
    return asInput
      ? this.node(opType, [x, this.ints(axes)], dims, keepdims)
      : this.node(opType, [x], dims, { axes, ...keepdims });
  }

  clip(x: string, min: number, max: number): string {
    return this.opset < 11
      ? this.unary('Clip', x, { min: { float: min }, max: { float: max } })
      : this.node('Clip', [x, this.floats([], [min]), this.floats([], [max])], this.shape(x));
  }

  slice(x: string, axis: number, start: number, end: number, step = 1): string {
    const dims = [...this.shape(x)];
    const size = dims[axis] as number;
    const at = (value: number) => Math.min(Math.max(value < 0 ? value + size : value, 0), size);
    dims[axis] =
      step > 0
        ? Math.max(0, Math.ceil((at(end) - at(start)) / step))
        : Math.ceil(
            (Math.min(start < 0 ? start + size : start, size - 1) - Math.max(end, -1)) / -step,
          );
    if (this.opset < 10) {
      if (step !== 1) throw new Error('Slice has steps from opset 10 on');
      return this.node('Slice', [x], dims, { axes: [axis], starts: [start], ends: [end] });
    }
    const stop = step < 0 && end < 0 ? -(2 ** 31) : end; // -1 would mean the last element
    const inputs = [x, this.ints([start]), this.ints([stop]), this.ints([axis])];
    if (step !== 1 || this.random.chance(0.3)) inputs.push(this.ints([step]));
    return this.node('Slice', inputs, dims);
  }

  pad(x: string, pads: readonly number[], mode = 'constant', value = 0): string {
    const rank = this.shape(x).length;
    const dims = this.shape(x).map((dim, i) => dim + (pads[i] ?? 0) + (pads[i + rank] ?? 0));
    const attributes = mode === 'constant' && this.random.chance(0.5) ? undefined : { mode };
    if (this.opset < 11)
      return this.node('Pad', [x], dims, { mode, pads, value: { float: value } });
    const inputs = [x, this.ints(pads)];
    if (value !== 0 || this.random.chance(0.5)) inputs.push(this.floats([], [value]));
    return this.node('Pad', inputs, dims, attributes);
  }

  /** Squeeze or Unsqueeze. */
  squeeze(opType: 'Squeeze' | 'Unsqueeze', x: string, axes: readonly number[], dims: Dims): string {
    return this.opset < 13
      ? this.node(opType, [x], dims, { axes })
      : this.node(opType, [x, this.ints(axes)], dims);
  }

  transpose(x: string, perm: readonly number[]): string {
    const dims = this.shape(x);
    return this.node(
      'Transpose',
      [x],
      perm.map((i) => dims[i] as number),
      { perm },
    );
  }

  /** `written`: the dims as the shape says them (0, -1), where they differ. */
  reshape(x: string, dims: Dims, written: readonly number[] = dims): string {
    return this.node('Reshape', [x, this.ints(written)], dims);
  }

  concat(parts: readonly string[], axis: number): string {
    const dims = [...this.shape(parts[0] as string)];
    dims[axis] = parts.reduce((sum, part) => sum + (this.shape(part)[axis] as number), 0);
    return this.node('Concat', parts, dims, { axis });
  }

  split(x: string, axis: number, sizes: readonly number[]): string[] {
    const outputs = sizes.map(() => this.name());
    for (const [i, size] of sizes.entries()) {
      const dims = [...this.shape(x)];
      dims[axis] = size;
      this.shapes[outputs[i] as string] = dims;
    }
    if (this.opset < 13) {
      const attributes = { axis, split: sizes };
      this.nodes.push({ opType: 'Split', inputs: [x], outputs, attributes });
    } else {
      const inputs = [x, this.ints(sizes)];
      this.nodes.push({ opType: 'Split', inputs, outputs, attributes: { axis } });
    }
    return outputs;
  }

  /** Integer tensors of shapes: theirs are not float, so no block may build on them. */
  integer(
    opType: string,
    inputs: readonly string[],
    dims: Dims,
    attributes?: Record<string, Attribute>,
  ): string {
    const output = this.node(opType, inputs, dims, attributes);
    this.types[output] = 'int64';
    return output;
  }

  graph(outputs: readonly string[]): Graph {
    const { nodes, initializers, inputs, shapes, types } = this;
    return { nodes, initializers, inputs, outputs, shapes, types };
  }
}
