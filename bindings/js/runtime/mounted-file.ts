// A file as external data of onnxruntime-web, which has no files: it keeps what it is given in an
// array, and copies the bytes of one tensor after the other from there into its heap. It asks for
// the array's `byteLength` and `subarray()` alone, so that only the tensor that is copied has to be
// in memory, not the file.
import type { ByteSource } from '../base/bytes.js';

/** To be given to onnxruntime-web as an array, and to nobody else. */
export function mountedFile(file: ByteSource): Uint8Array {
  // One for all tensors: what is returned is copied before the next is asked for.
  let bytes = new Uint8Array();
  const subarray = (from: number, to: number): Uint8Array => {
    if (bytes.length < to - from) bytes = new Uint8Array(to - from);
    const tensor = bytes.subarray(0, to - from);
    file.read(from, tensor);
    return tensor;
  };
  return Object.defineProperties(new Uint8Array(), {
    byteLength: { value: file.size },
    subarray: { value: subarray },
  });
}
