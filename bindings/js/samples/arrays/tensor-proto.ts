// Reads one ONNX TensorProto (onnx.proto3) from its protobuf wire format: as little of it as
// samples need, so that no protobuf library has to be loaded.
import { joined } from '../../base/bytes.js';
import { Reason } from '../../base/inputs.js';
import { say } from '../../base/text.js';
import type { TensorType } from '../../base/types.js';

export interface ProtoTensor {
  type: Exclude<TensorType, 'string'>;
  dims: number[];
  /** Little-endian values in C order. */
  bytes: Uint8Array<ArrayBuffer>;
}

// TensorProto.DataType, and bytes of an element.
const types: Record<number, [Exclude<TensorType, 'string'>, number]> = {
  1: ['float32', 4],
  2: ['uint8', 1],
  3: ['int8', 1],
  4: ['uint16', 2],
  5: ['int16', 2],
  6: ['int32', 4],
  7: ['int64', 8],
  9: ['bool', 1],
  10: ['float16', 2],
  11: ['float64', 8],
  12: ['uint32', 4],
  13: ['uint64', 8],
};
const otherTypes: Record<number, string> = { 8: 'string', 16: 'bfloat16' };

/** Field numbers. */
const Field = {
  dims: 1,
  dataType: 2,
  floatData: 4,
  int32Data: 5,
  int64Data: 7,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
  externalData: 13,
} as const;

const damaged = say`not an ONNX tensor (TensorProto), or damaged`;

/** Throws Reason. */
export function readTensorProto(message: Uint8Array): ProtoTensor {
  const wire = new Wire(message);
  const dims: number[] = [];
  let dataType = 0;
  let raw: Uint8Array | null = null;
  const integers: bigint[] = [];
  // float_data and double_data as they are: their packed form is the little-endian form.
  const packed: Uint8Array[] = [];
  while (!wire.done) {
    const { field, type } = wire.tag();
    if (field === Field.dims) for (const dim of wire.varints(type)) dims.push(Number(dim));
    else if (field === Field.dataType) dataType = Number(wire.varints(type)[0]);
    else if (field === Field.rawData) raw = wire.bytes(type);
    else if (field === Field.externalData) throw new Reason(say`its values are in another file`);
    else if (field === Field.floatData || field === Field.doubleData) packed.push(wire.fixed(type));
    else if (field === Field.int32Data || field === Field.int64Data || field === Field.uint64Data)
      for (const value of wire.varints(type)) integers.push(value);
    else wire.skip(type);
  }
  const [type, itemSize] = types[dataType] ?? [];
  if (type === undefined || itemSize === undefined) {
    if (dataType === 0) throw new Reason(damaged);
    const name = otherTypes[dataType] ?? `number ${dataType}`;
    throw new Reason(say`its type ${name} is none that a model's input can have`);
  }
  if (dims.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) throw new Reason(damaged);
  const bytes =
    raw !== null
      ? raw.slice()
      : integers.length > 0
        ? integerBytes(integers, itemSize)
        : joined(packed);
  const values = dims.reduce((product, dim) => product * dim, 1);
  if (bytes.length !== values * itemSize) {
    throw new Reason(
      say`${type} [${dims.join(',')}] needs ${values * itemSize} bytes, it has ${bytes.length}`,
    );
  }
  return { type, dims, bytes: new Uint8Array(bytes) };
}

/** The low bytes of each: smaller types, and the bits of float16, are stored as int32. */
function integerBytes(values: readonly bigint[], itemSize: number): Uint8Array {
  const bytes = new Uint8Array(values.length * itemSize);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) {
    if (itemSize === 8) view.setBigUint64(i * 8, BigInt.asUintN(64, value), true);
    else {
      const low = Number(BigInt.asUintN(32, value));
      if (itemSize === 4) view.setUint32(i * 4, low, true);
      else if (itemSize === 2) view.setUint16(i * 2, low, true);
      else view.setUint8(i, low);
    }
  }
  return bytes;
}

/** The protobuf wire format: tags, varints, fixed sizes and lengths. */
class Wire {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  tag(): { field: number; type: number } {
    const tag = Number(this.#varint());
    return { field: Math.floor(tag / 8), type: tag % 8 };
  }

  /** A repeated integer's values, packed or one by itself. */
  varints(type: number): bigint[] {
    if (type === 0) return [this.#varint()];
    const end = this.#length(type);
    const values: bigint[] = [];
    while (this.#at < end) values.push(this.#varint());
    if (this.#at !== end) throw new Reason(damaged);
    return values;
  }

  /** A repeated float's or double's values, packed or one by itself. */
  fixed(type: number): Uint8Array {
    if (type === 5) return this.#take(4);
    if (type === 1) return this.#take(8);
    return this.bytes(type);
  }

  bytes(type: number): Uint8Array {
    return this.#take(this.#length(type) - this.#at);
  }

  skip(type: number): void {
    if (type === 0) this.#varint();
    else this.fixed(type);
  }

  /** Where a length-delimited field ends. */
  #length(type: number): number {
    if (type !== 2) throw new Reason(damaged);
    const length = Number(this.#varint());
    if (length > this.#bytes.length - this.#at) throw new Reason(damaged);
    return this.#at + length;
  }

  #take(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw new Reason(damaged);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** As int64: negative numbers have ten bytes. */
  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new Reason(damaged);
  }
}
