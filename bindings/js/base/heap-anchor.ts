// Pages for the tensors of one sample after the other. glibc takes large arrays from the system by
// themselves until it has seen a larger one freed, and gives back the end of its heap, unless
// something lies behind it: the same pages would be taken and zeroed again for each sample.
import { freeBuffer } from './free-buffer.js';

/** Just below what glibc takes from the system by itself in any case. */
const largestInHeap = 32 * 2 ** 20 - 2 ** 16;
/** More than fits into a hole between other arrays. */
const anchorBytes = 256 * 1024;
// Browsers have allocators of their own.
let isHeapLarge = typeof process !== 'object';

/**
 * To be called while large arrays are there that will be made again, and to be kept until they will
 * not.
 */
export function heapAnchor(): Uint8Array {
  if (!isHeapLarge) freeBuffer(new Uint8Array(largestInHeap));
  isHeapLarge = true;
  return new Uint8Array(anchorBytes);
}
