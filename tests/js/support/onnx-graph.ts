// Small models of any operators, as plain data and as the bytes of an ONNX file: what tests that
// make graphs build, change and print. Field numbers are those of onnx.proto.
import { bytesField, concat, intField, textField, varint } from './onnx-writer.js';

export type Dims = readonly number[];

export interface Tensor {
  dims: Dims;
  type: 'float' | 'int64' | 'bool';
  values: readonly number[];
}

/** A number is an INT, or a FLOAT if written `{ float: 1 }`. */
export type Attribute =
  | number
  | { float: number }
  | string
  | readonly number[]
  | Graph
  | { tensor: Tensor };

export interface Node {
  opType: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: Readonly<Record<string, Attribute>>;
}

export interface Graph {
  nodes: readonly Node[];
  initializers: Readonly<Record<string, Tensor>>;
  inputs: readonly string[];
  outputs: readonly string[];
  /** Shapes of float tensors, those of the inputs at least. */
  shapes: Readonly<Record<string, Dims>>;
  /** Inputs whose first dimension is written as a name. */
  freeBatch?: boolean;
  /** Value infos of outputs, and of inputs of another type than float: element types. */
  types?: Readonly<Record<string, 'int64' | 'bool'>>;
}

const elementTypes = { float: 1, int64: 7, bool: 9 };

const isGraph = (value: object): value is Graph => 'nodes' in value;

function rawBytes({ type, values }: Tensor): Uint8Array {
  if (type === 'bool') return Uint8Array.from(values);
  const array =
    type === 'float' ? Float32Array.from(values) : BigInt64Array.from(values, (v) => BigInt(v));
  return new Uint8Array(array.buffer);
}

const tensorBytes = (name: string, tensor: Tensor) =>
  concat([
    ...tensor.dims.map((dim) => intField(1, dim)),
    intField(2, elementTypes[tensor.type]),
    textField(8, name),
    bytesField(9, rawBytes(tensor)),
  ]);

/** An int64 as protobuf writes it: negative numbers in ten bytes. */
function int64(field: number, value: number): Uint8Array {
  if (value >= 0) return intField(field, value);
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return concat([varint(field * 8), Uint8Array.from(bytes)]);
}

function attributeBytes(name: string, value: Attribute): Uint8Array {
  const head = textField(1, name);
  const typed = (type: number, ...parts: Uint8Array[]) =>
    concat([head, ...parts, intField(20, type)]);
  if (typeof value === 'number') return typed(2, int64(3, value));
  if (typeof value === 'string') return typed(3, textField(4, value));
  if (Array.isArray(value)) return typed(7, ...value.map((each: number) => int64(8, each)));
  if (isGraph(value as object)) return typed(5, bytesField(6, graphBytes(value as Graph)));
  if ('tensor' in (value as object))
    return typed(4, bytesField(5, tensorBytes('', (value as { tensor: Tensor }).tensor)));
  const float = new Uint8Array(Float32Array.of((value as { float: number }).float).buffer);
  return typed(1, varint(2 * 8 + 5), float);
}

function nodeBytes(node: Node, index: number): Uint8Array {
  return concat([
    ...node.inputs.map((name) => textField(1, name)),
    ...node.outputs.map((name) => textField(2, name)),
    textField(3, `n${index}_${node.outputs[0]}`),
    textField(4, node.opType),
    ...Object.entries(node.attributes ?? {}).map(([name, value]) =>
      bytesField(5, attributeBytes(name, value)),
    ),
  ]);
}

function valueInfo(field: number, name: string, graph: Graph, isInput: boolean): Uint8Array {
  const type = intField(1, elementTypes[graph.types?.[name] ?? 'float']);
  const dims = isInput ? graph.shapes[name] : undefined;
  const shape = dims?.map((dim, i) =>
    bytesField(1, graph.freeBatch && i === 0 ? textField(2, 'batch') : intField(1, dim)),
  );
  const tensor = shape ? concat([type, bytesField(2, concat(shape))]) : type;
  return bytesField(field, concat([textField(1, name), bytesField(2, bytesField(1, tensor))]));
}

function graphBytes(graph: Graph): Uint8Array {
  return concat([
    ...graph.nodes.map((node, i) => bytesField(1, nodeBytes(node, i))),
    textField(2, 'g'),
    ...Object.entries(graph.initializers).map(([name, tensor]) =>
      bytesField(5, tensorBytes(name, tensor)),
    ),
    ...graph.inputs.map((name) => valueInfo(11, name, graph, true)),
    ...graph.outputs.map((name) => valueInfo(12, name, graph, false)),
  ]);
}

/** A whole ONNX file. */
export function onnxBytes(graph: Graph, opset: number): Uint8Array {
  const imported = concat([textField(1, ''), intField(2, opset)]);
  return concat([intField(1, 8), bytesField(7, graphBytes(graph)), bytesField(8, imported)]);
}

/** What `node` and its bodies read. */
export function readsOf(node: Node): string[] {
  const inner = Object.values(node.attributes ?? {}).flatMap((value) =>
    typeof value === 'object' && isGraph(value as object)
      ? (value as Graph).nodes.flatMap(readsOf).concat((value as Graph).outputs)
      : [],
  );
  return [...node.inputs, ...inner].filter((name) => name !== '');
}

/** Without nodes and initializers that no output needs. */
export function withoutUnused(graph: Graph): Graph {
  const needed = new Set(graph.outputs);
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.unshift(node);
    for (const name of readsOf(node)) needed.add(name);
  }
  const initializers = Object.fromEntries(
    Object.entries(graph.initializers).filter(([name]) => needed.has(name)),
  );
  return { ...graph, nodes, initializers, inputs: graph.inputs.filter((name) => needed.has(name)) };
}

function attributeText(value: Attribute): string {
  if (typeof value !== 'object') return typeof value === 'string' ? `"${value}"` : `${value}`;
  if (Array.isArray(value)) return `[${value.join(', ')}]`;
  if (isGraph(value)) return graphText(value).replaceAll('\n', '\n  ');
  if ('tensor' in value) return `{${value.tensor.values.join(', ')}}`;
  return String((value as { float: number }).float);
}

/** As ONNX text, for people and for tests of the core. */
export function graphText(graph: Graph): string {
  const tensor = (name: string, { dims, type, values }: Tensor) =>
    `${type}[${dims.join(',')}] ${name} = {${values.map((v) => +v.toPrecision(9)).join(', ')}}`;
  const initializers = Object.entries(graph.initializers).map(([name, t]) => tensor(name, t));
  const head = (name: string) => {
    const dims = graph.shapes[name]?.map((dim, i) => (graph.freeBatch && i === 0 ? 'batch' : dim));
    return `${graph.types?.[name] ?? 'float'}[${dims?.join(',') ?? ''}] ${name}`;
  };
  const lines = graph.nodes.map(({ opType, inputs, outputs, attributes }) => {
    const given = Object.entries(attributes ?? {}).map(([k, v]) => `${k} = ${attributeText(v)}`);
    const list = given.length > 0 ? ` <${given.join(', ')}>` : '';
    return `  ${outputs.join(', ')} = ${opType}${list} (${inputs.join(', ')})`;
  });
  return [
    `g (${graph.inputs.map(head).join(', ')}) => (${graph.outputs.map(head).join(', ')})`,
    ...(initializers.length > 0 ? [`<${initializers.join(',\n ')}>`] : []),
    '{',
    ...lines,
    '}',
  ].join('\n');
}
