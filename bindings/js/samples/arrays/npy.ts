// The .npy format (numpy.lib.format, versions 1 to 3): a header in the form of a Python dict, then
// the values in C or Fortran order.
import { Reason } from '../../base/inputs.js';
import { say } from '../../base/text.js';
import type { TensorData, TensorType } from '../../base/types.js';

export interface NpyHeader {
  type: TensorType;
  itemSize: number;
  /** Of strings: numpy's U (UTF-32), not S (bytes). */
  utf32: boolean;
  bigEndian: boolean;
  fortranOrder: boolean;
  shape: number[];
}

const types: Record<string, Exclude<TensorType, 'string'>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
};

type BytesReader = (count: number) => Promise<Uint8Array>;

/** Reads the header. Throws Reason. */
export async function readNpyHeader(read: BytesReader): Promise<NpyHeader> {
  const start = await read(8);
  if (String.fromCharCode(...start.subarray(0, 6)) !== '\x93NUMPY')
    throw new Reason(say`not a .npy array`);
  const version = start[6]!;
  if (version < 1 || version > 3) throw new Reason(say`.npy version ${version} is not known`);
  const lengthBytes = await read(version === 1 ? 2 : 4);
  const length = lengthBytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
  if (length > 1 << 20) throw new Reason(say`its .npy header is damaged`);
  const text = new TextDecoder().decode(await read(length));
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const dims = /'shape'\s*:\s*\(([^)]*)\)/.exec(text)?.[1];
  if (order === undefined || dims === undefined) throw new Reason(say`its .npy header is damaged`);
  const [, byteOrder, kind] = /^([<>|=]?)(\w+)$/.exec(descr ?? '') ?? [];
  const [, letters, characters] = /^([US])(\d+)$/.exec(kind ?? '') ?? [];
  const known = Object.hasOwn(types, kind ?? '') ? types[kind ?? ''] : undefined;
  const type = letters && Number(characters) > 0 ? 'string' : known;
  if (type === undefined) {
    const name = descr ?? 'a structured type';
    const why = say`its type ${name} is none that a model's input can have`;
    throw new Reason(
      kind === 'O' ? say`${why}; of Python's strings make numpy's: array.astype(str)` : why,
    );
  }
  return {
    type,
    itemSize: letters === 'U' ? 4 * Number(characters) : Number(kind!.slice(1)),
    utf32: letters === 'U',
    bigEndian: byteOrder === '>',
    fortranOrder: order === 'True',
    shape: dims
      .split(',')
      .filter((dim) => dim.trim() !== '')
      .map(Number),
  };
}

/** Little-endian bytes in C order as a typed array over the same buffer; not for strings. */
export function toTensorData(
  bytes: Uint8Array<ArrayBuffer>,
  type: Exclude<TensorType, 'string'>,
): Exclude<TensorData, string[]> {
  const { buffer } = bytes;
  switch (type) {
    case 'float32':
      return new Float32Array(buffer);
    case 'float64':
      return new Float64Array(buffer);
    case 'int8':
      return new Int8Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'float16':
    case 'uint16':
      return new Uint16Array(buffer);
    case 'uint32':
      return new Uint32Array(buffer);
    case 'uint64':
      return new BigUint64Array(buffer);
    case 'uint8':
    case 'bool':
      return bytes;
  }
}

/** numpy's strings of fixed size, without the zeros that fill them up. S is taken for UTF-8. */
export function toStrings(
  bytes: Uint8Array<ArrayBuffer>,
  { itemSize, utf32, bigEndian }: NpyHeader,
  count: number,
): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, i) => {
    const item = bytes.subarray(i * itemSize, (i + 1) * itemSize);
    if (!utf32) return new TextDecoder().decode(item).replace(/\0+$/, '');
    let text = '';
    for (let at = i * itemSize; at < (i + 1) * itemSize; at += 4) {
      const code = view.getUint32(at, !bigEndian);
      text += String.fromCodePoint(code > 0x10ffff ? 0xfffd : code);
    }
    return text.replace(/\0+$/, '');
  });
}

/** Reverses the bytes of each item, in place. */
export function swapBytes(bytes: Uint8Array, itemSize: number): void {
  for (let at = 0; at < bytes.length; at += itemSize) bytes.subarray(at, at + itemSize).reverse();
}

/** Values in Fortran order (first index fastest) to C order (last index fastest). */
export function toCOrder(
  bytes: Uint8Array,
  shape: readonly number[],
  itemSize: number,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length);
  const strides: number[] = [];
  shape.reduce((stride, dim, axis) => {
    strides[axis] = stride;
    return stride * dim;
  }, itemSize);
  const index = shape.map(() => 0);
  for (let to = 0, from = 0; to < out.length; to += itemSize) {
    for (let k = 0; k < itemSize; k++) out[to + k] = bytes[from + k]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
