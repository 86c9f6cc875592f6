/** An array as numpy saves it (format version 1). */
export function npy(descr: string, shape: number[], data: ArrayBufferView): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const header = `${dict.padEnd(117)}\n`;
  const length = Buffer.from(Uint16Array.of(header.length).buffer);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    length,
    Buffer.from(header),
    bytes,
  ]);
}

/** Numbers 0, 1, 2, … from `first` on as a float32 array. */
export function counting(shape: number[], first = 0): Uint8Array {
  const length = shape.reduce((product, dim) => product * dim, 1);
  return npy(
    '<f4',
    shape,
    Float32Array.from({ length }, (_, i) => first + i),
  );
}
