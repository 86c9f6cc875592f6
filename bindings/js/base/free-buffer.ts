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
