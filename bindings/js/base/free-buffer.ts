// Large arrays that are done with give their memory back at once: a garbage collector that is told
// of 50 MB a sample runs for each, and what it frees late is taken anew from the system.

/** Its other side is closed: what is handed over to it is nobody's. */
let nobody: MessagePort | null = null;

/** Nobody reads `array`, nor any other view of its buffer, any more. */
export function freeBuffer(array: ArrayBufferView): void {
  const { buffer } = array;
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < leastBytes) return;
  if (nobody === null) {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    nobody = port1;
  }
  nobody.postMessage(null, [buffer]);
}

/** Handing over takes some microseconds. */
const leastBytes = 4096;

/** Just below what glibc takes from the system by itself in any case. */
const largestInHeap = 32 * 2 ** 20 - 2 ** 16;
/** More than fits into a hole between other arrays. */
const anchorBytes = 256 * 1024;
let isHeapLarge = false;

/**
 * To be called while large arrays are there that will be made again, and to be kept until they will
 * not. glibc takes large arrays from the system by themselves, until it sees one freed that is
 * larger; and it gives back the end of its heap, unless something lies behind. So the same pages
 * would be taken and zeroed again for each sample.
 */
export function heapAnchor(): Uint8Array {
  if (!isHeapLarge) freeBuffer(new Uint8Array(largestInHeap));
  isHeapLarge = true;
  return new Uint8Array(anchorBytes);
}
