// Reads what tests compare from an ONNX file: nodes with attributes, initializers in all their
// storage forms, graph inputs and outputs, opset imports. A reader of the protobuf wire format and
// the field numbers of onnx.proto, independent of the core that it checks. External data is not
// followed.

export type AttributeValue = number | string | number[] | string[] | OnnxTensor | OnnxGraph | null;

export interface OnnxNode {
  opType: string;
  domain: string;
  name: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, AttributeValue>;
}

export interface OnnxTensor {
  name: string;
  dataType: number;
  dims: number[];
  /** Little-endian, packed, whatever the form of storage. */
  bytes: Uint8Array;
  external: boolean;
}

export interface OnnxGraph {
  nodes: OnnxNode[];
  initializers: Map<string, OnnxTensor>;
  inputs: string[];
  outputs: string[];
  /** Element type and dims of the inputs; a dimension without a number is 0. */
  inputInfos: ValueInfo[];
}

export interface ValueInfo {
  name: string;
  elementType: number;
  dims: number[];
}

export interface OnnxModel {
  graph: OnnxGraph;
  opsets: Record<string, number>;
  irVersion: number;
  producer: string;
}

/** TensorProto.DataType, as far as tests need them, and bytes an element. */
const elementBytes: Record<number, number> = {
  1: 4, // FLOAT
  2: 1, // UINT8
  3: 1, // INT8
  4: 2, // UINT16
  5: 2, // INT16
  6: 4, // INT32
  7: 8, // INT64
  9: 1, // BOOL
  10: 2, // FLOAT16
  11: 8, // DOUBLE
  12: 4, // UINT32
  13: 8, // UINT64
  16: 2, // BFLOAT16
  17: 1, // FLOAT8E4M3FN
  21: 1, // UINT4: two a byte
  22: 1, // INT4
};

const text = new TextDecoder();

type Field = { number: number; varint: bigint; bytes: Uint8Array };

/** The fields of one message in file order. Varints in `varint`; all else in `bytes`. */
function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw new Error('truncated protobuf');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  };
  const take = (count: number) => {
    at += count;
    if (at > message.length) throw new Error('truncated protobuf');
    return message.subarray(at - count, at);
  };
  while (at < message.length) {
    const key = Number(varint());
    const field: Field = { number: key >> 3, varint: 0n, bytes: message.subarray(0, 0) };
    switch (key & 7) {
      case 0:
        field.varint = varint();
        break;
      case 1:
        field.bytes = take(8);
        break;
      case 2:
        field.bytes = take(Number(varint()));
        break;
      case 5:
        field.bytes = take(4);
        break;
      default:
        throw new Error(`wire type ${key & 7}`);
    }
    yield field;
  }
}

const signed = (varint: bigint) => Number(BigInt.asIntN(64, varint));
const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A repeated number field: packed or one by one. */
function* varintsOf(field: Field): Generator<bigint> {
  if (field.bytes.length === 0) {
    yield field.varint;
    return;
  }
  let value = 0n;
  let shift = 0n;
  for (const byte of field.bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte < 0x80) {
      yield BigInt.asUintN(64, value);
      value = 0n;
      shift = 0n;
    }
  }
}

function floatsOf(bytes: Uint8Array): number[] {
  const view = viewOf(bytes);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

function readTensor(message: Uint8Array): OnnxTensor {
  const tensor: OnnxTensor = {
    name: '',
    dataType: 0,
    dims: [],
    bytes: new Uint8Array(),
    external: false,
  };
  const integers: bigint[] = []; // int32_data, int64_data, uint64_data
  const pieces: Uint8Array[] = []; // raw_data, float_data, double_data: already little-endian
  for (const field of fieldsOf(message)) {
    if (field.number === 1) for (const dim of varintsOf(field)) tensor.dims.push(signed(dim));
    else if (field.number === 2) tensor.dataType = Number(field.varint);
    else if (field.number === 8) tensor.name = text.decode(field.bytes);
    else if (field.number === 4 || field.number === 9 || field.number === 10)
      pieces.push(field.bytes);
    else if (field.number === 5 || field.number === 7 || field.number === 11)
      integers.push(...varintsOf(field));
    else if (field.number === 14) tensor.external = field.varint === 1n;
  }
  const width = elementBytes[tensor.dataType];
  if (width === undefined) throw new Error(`${tensor.name}: element type ${tensor.dataType}`);
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  tensor.bytes = new Uint8Array(size + integers.length * width);
  let at = 0;
  for (const piece of pieces) {
    tensor.bytes.set(piece, at);
    at += piece.length;
  }
  for (const integer of integers) {
    for (let byte = 0; byte < width; byte++)
      tensor.bytes[at++] = Number((integer >> BigInt(8 * byte)) & 0xffn);
  }
  return tensor;
}

function readAttribute(message: Uint8Array): [string, AttributeValue] {
  let name = '';
  let type = 0;
  let single: AttributeValue = null;
  let integer = 0;
  let float = 0;
  const integers: number[] = [];
  const floats: number[] = [];
  const strings: string[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number === 1) name = text.decode(field.bytes);
    else if (field.number === 2) float = viewOf(field.bytes).getFloat32(0, true);
    else if (field.number === 3) integer = signed(field.varint);
    else if (field.number === 4) single = text.decode(field.bytes);
    else if (field.number === 5) single = readTensor(field.bytes);
    else if (field.number === 6) single = readGraph(field.bytes);
    else if (field.number === 7) floats.push(...floatsOf(field.bytes));
    else if (field.number === 8) for (const value of varintsOf(field)) integers.push(signed(value));
    else if (field.number === 9) strings.push(text.decode(field.bytes));
    else if (field.number === 20) type = Number(field.varint);
  }
  // AttributeProto.AttributeType
  const byType: Record<number, AttributeValue> = {
    1: float,
    2: integer,
    3: single ?? '',
    6: floats,
    7: integers,
    8: strings,
  };
  return [name, byType[type] ?? single];
}

function readNode(message: Uint8Array): OnnxNode {
  const node: OnnxNode = {
    opType: '',
    domain: '',
    name: '',
    inputs: [],
    outputs: [],
    attributes: {},
  };
  for (const field of fieldsOf(message)) {
    if (field.number === 1) node.inputs.push(text.decode(field.bytes));
    else if (field.number === 2) node.outputs.push(text.decode(field.bytes));
    else if (field.number === 3) node.name = text.decode(field.bytes);
    else if (field.number === 4) node.opType = text.decode(field.bytes);
    else if (field.number === 7) node.domain = text.decode(field.bytes);
    else if (field.number === 5) {
      const [name, value] = readAttribute(field.bytes);
      node.attributes[name] = value;
    }
  }
  return node;
}

/**
 * A ValueInfoProto of tensor type: name, type { tensor_type { elem_type, shape { dim { dim_value }
 * } } }.
 */
function readValueInfo(message: Uint8Array): ValueInfo {
  const info: ValueInfo = { name: '', elementType: 0, dims: [] };
  for (const field of fieldsOf(message)) {
    if (field.number === 1) info.name = text.decode(field.bytes);
    else if (field.number === 2) {
      for (const type of fieldsOf(field.bytes)) {
        if (type.number === 1) readTensorType(type.bytes, info);
      }
    }
  }
  return info;
}

function readTensorType(message: Uint8Array, info: ValueInfo): void {
  for (const field of fieldsOf(message)) {
    if (field.number === 1) info.elementType = Number(field.varint);
    else if (field.number === 2) {
      for (const dim of fieldsOf(field.bytes)) {
        const value = [...fieldsOf(dim.bytes)].find((part) => part.number === 1);
        info.dims.push(value ? signed(value.varint) : 0);
      }
    }
  }
}

function readGraph(message: Uint8Array): OnnxGraph {
  const graph: OnnxGraph = {
    nodes: [],
    initializers: new Map(),
    inputs: [],
    outputs: [],
    inputInfos: [],
  };
  for (const field of fieldsOf(message)) {
    if (field.number === 1) graph.nodes.push(readNode(field.bytes));
    else if (field.number === 12) graph.outputs.push(readValueInfo(field.bytes).name);
    else if (field.number === 11) {
      const info = readValueInfo(field.bytes);
      graph.inputs.push(info.name);
      graph.inputInfos.push(info);
    } else if (field.number === 5) {
      const tensor = readTensor(field.bytes);
      if (graph.initializers.has(tensor.name)) throw new Error(`${tensor.name} is there twice`);
      graph.initializers.set(tensor.name, tensor);
    }
  }
  return graph;
}

/** Reads a whole model. Throws for what is no ONNX file. */
export function readOnnx(file: Uint8Array): OnnxModel {
  let graph: OnnxGraph | null = null;
  const model = { opsets: {} as Record<string, number>, irVersion: 0, producer: '' };
  for (const field of fieldsOf(file)) {
    if (field.number === 1) model.irVersion = Number(field.varint);
    else if (field.number === 2) model.producer = text.decode(field.bytes);
    else if (field.number === 7) graph = readGraph(field.bytes);
    else if (field.number === 8) {
      let domain = '';
      let version = 0;
      for (const part of fieldsOf(field.bytes)) {
        if (part.number === 1) domain = text.decode(part.bytes);
        else if (part.number === 2) version = signed(part.varint);
      }
      model.opsets[domain] = version;
    }
  }
  if (!graph) throw new Error('no graph');
  return { graph, ...model };
}
