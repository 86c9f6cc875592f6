// One file from the page's server, compressed where that has been built: a static host that does
// not compress costs four times the bytes.
const gzipMagic = [0x1f, 0x8b];

/** `onBytes`: bytes of the uncompressed file, as they come. Throws Error that names the file. */
export async function downloadFile(url: string, onBytes: (n: number) => void): Promise<Blob> {
  const name = url.split('/').pop();
  try {
    const packed = import.meta.env.PROD ? await open(`${url}.gz`).catch(() => null) : null;
    const body = packed ?? (await open(url));
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const reader = (await unpacked(body)).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return new Blob(parts);
      parts.push(value);
      onBytes(value.length);
    }
  } catch (cause) {
    throw new Error(`${name}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

async function open(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  // A host that answers every address with a page of its own would fail much later otherwise.
  if (response.headers.get('content-type')?.startsWith('text/html')) throw new Error('HTML');
  return response.body;
}

/** A host that declares the encoding has the browser unpack it: the first bytes tell. */
async function unpacked(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const reader = body.getReader();
  const first = await reader.read();
  const whole = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      if (first.value) controller.enqueue(first.value);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  const isPacked = gzipMagic.every((byte, i) => first.value?.[i] === byte);
  return isPacked ? (whole.pipeThrough(new DecompressionStream('gzip')) as typeof whole) : whole;
}
