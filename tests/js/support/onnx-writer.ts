// Writes ONNX models of any size for tests: just enough protobuf (varints and length-delimited
// fields), weights straight to the file. Field numbers are those of onnx.proto.
import { closeSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

type Bytes = Uint8Array;

export function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

export function concat(parts: Bytes[]): Bytes {
  return new Uint8Array(Buffer.concat(parts));
}

export const intField = (field: number, value: number): Bytes =>
  concat([varint(field * 8), varint(value)]);
export const bytesField = (field: number, value: Bytes): Bytes =>
  concat([varint(field * 8 + 2), varint(value.length), value]);
export const textField = (field: number, value: string): Bytes =>
  bytesField(field, Buffer.from(value));

export interface WriterNode {
  opType: string;
  name: string;
  inputs: string[];
  outputs: string[];
  /** Imported in version 1; absent: ONNX. */
  domain?: string;
  /** Attributes that are whole numbers. */
  ints?: Record<string, number>;
  /** Those that are lists of them. */
  lists?: Record<string, number[]>;
}

/** AttributeProto of type INT. */
const intAttribute = ([name, value]: [string, number]): Bytes =>
  bytesField(5, concat([textField(1, name), intField(3, value), intField(20, 2)]));

/** AttributeProto of type INTS. */
const listAttribute = ([name, values]: [string, number[]]): Bytes =>
  bytesField(
    5,
    concat([textField(1, name), ...values.map((value) => intField(8, value)), intField(20, 7)]),
  );

function nodeField(node: WriterNode): Bytes {
  const parts = [
    ...node.inputs.map((name) => textField(1, name)),
    ...node.outputs.map((name) => textField(2, name)),
    textField(3, node.name),
    textField(4, node.opType),
    ...Object.entries(node.ints ?? {}).map(intAttribute),
    ...Object.entries(node.lists ?? {}).map(listAttribute),
    ...(node.domain === undefined ? [] : [textField(7, node.domain)]),
  ];
  return bytesField(1, concat(parts));
}

/** ValueInfoProto of a float tensor. */
function valueInfo(field: number, name: string, dims: number[]): Bytes {
  const shape = concat(dims.map((dim) => bytesField(1, intField(1, dim))));
  const tensor = concat([intField(1, 1), bytesField(2, shape)]);
  return bytesField(field, concat([textField(1, name), bytesField(2, bytesField(1, tensor))]));
}

export interface WriterWeight {
  name: string;
  dims: number[];
  /** Written over and over until the tensor is full; its length divides the tensor's. */
  pattern: Float32Array;
  /** A file beside the model that has the data; absent: the model itself. */
  file?: string;
}

/** external_data (one file of its own) and data_location EXTERNAL. */
function reference(file: string): Bytes {
  const location = concat([textField(1, 'location'), textField(2, file)]);
  return concat([bytesField(13, location), intField(14, 1)]);
}

/** Writes a model of opset 13 with its data files; returns the bytes of all of them. */
export function writeModel(
  path: string,
  graph: {
    nodes: WriterNode[];
    weights: WriterWeight[];
    inputs: { name: string; dims: number[] }[];
    outputs: { name: string; dims: number[] }[];
  },
): number {
  const heads = graph.weights.map(({ name, dims, file }) => {
    const count = dims.reduce((a, b) => a * b, 1);
    const head = concat([
      ...dims.map((dim) => intField(1, dim)),
      intField(2, 1),
      textField(8, name),
    ]);
    const raw =
      file === undefined ? concat([varint(9 * 8 + 2), varint(count * 4)]) : reference(file);
    const inside = file === undefined ? count * 4 : 0;
    const length = head.length + raw.length + inside;
    return { start: concat([varint(5 * 8 + 2), varint(length), head, raw]), count, inside };
  });
  const before = concat([...graph.nodes.map(nodeField), textField(2, 'g')]);
  const after = concat([
    ...graph.inputs.map(({ name, dims }) => valueInfo(11, name, dims)),
    ...graph.outputs.map(({ name, dims }) => valueInfo(12, name, dims)),
  ]);
  const weightBytes = heads.reduce((sum, { start, inside }) => sum + start.length + inside, 0);
  const graphLength = before.length + weightBytes + after.length;
  const domains = new Set(graph.nodes.flatMap(({ domain }) => domain ?? []));
  const imports = [...domains].map((domain) =>
    bytesField(8, concat([textField(1, domain), intField(2, 1)])),
  );
  const opset = concat([bytesField(8, concat([textField(1, ''), intField(2, 13)])), ...imports]);
  let written = 0;
  const writeTo = (target: string, work: (write: (bytes: Bytes) => void) => void) => {
    const file = openSync(target, 'w');
    try {
      work((bytes) => {
        written += writeSync(file, bytes);
      });
    } finally {
      closeSync(file);
    }
  };
  const fill = (write: (bytes: Bytes) => void, { pattern }: WriterWeight, count: number) => {
    const bytes = new Uint8Array(pattern.buffer, pattern.byteOffset, pattern.byteLength);
    for (let done = 0; done < count * 4; done += bytes.length) write(bytes);
  };
  writeTo(path, (write) => {
    write(concat([intField(1, 8), varint(7 * 8 + 2), varint(graphLength), before]));
    for (const [i, { start, count, inside }] of heads.entries()) {
      write(start);
      if (inside > 0) fill(write, graph.weights[i] as WriterWeight, count);
    }
    write(concat([after, opset]));
  });
  for (const [i, weight] of graph.weights.entries()) {
    if (weight.file === undefined) continue;
    const count = heads[i]?.count ?? 0;
    writeTo(join(dirname(path), weight.file), (write) => fill(write, weight, count));
  }
  return written;
}
