// Everything that the page will ever need from its server, loaded once: the worker's script, the
// wasm files and the example. After that the page takes the network away from itself, so that
// "nothing is uploaded" is a rule that the browser enforces; workers start from what is in memory.

import { index as exampleIndex, url as exampleUrl } from 'virtual:example';
import jpegDecoderUrl from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url';
import type { WorkerHost } from 'onnx-ptq';
import coreUrl from 'onnx-ptq/core.wasm?url';
import workerUrl from 'onnx-ptq/worker?worker&url';
import runtimeScriptUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import runtimeUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';

export interface Engine {
  /** What inspectInWorker() and quantizeInWorker() start with. */
  host: WorkerHost;
  /** Whether onnxruntime may use several threads (the server isolates the page). */
  threads: number;
  example: { model: File; images: File[] };
}

/**
 * Loads all of it. `onProgress`: bytes so far. Throws Error that names the file that could not be
 * loaded.
 */
export async function loadEngine(onProgress: (bytes: number) => void): Promise<Engine> {
  let loaded = 0;
  const get = (url: string) =>
    download(url, (bytes) => {
      loaded += bytes;
      onProgress(loaded);
    });
  // Several threads need SharedArrayBuffer, and onnxruntime's script by itself for each of them.
  const isolated = globalThis.crossOriginIsolated;
  const [script, core, jpegDecoder, runtime, runtimeScript, example] = await Promise.all([
    get(workerUrl),
    get(coreUrl)
      .then((blob) => blob.arrayBuffer())
      .then(WebAssembly.compile),
    get(jpegDecoderUrl)
      .then((blob) => blob.arrayBuffer())
      .then(WebAssembly.compile),
    get(runtimeUrl),
    isolated ? get(runtimeScriptUrl) : null,
    get(exampleUrl),
  ]);
  const url = (blob: Blob, type: string) => URL.createObjectURL(new Blob([blob], { type }));
  const scriptUrl = url(script, 'text/javascript');
  if (import.meta.env.PROD) lockNetwork();
  return {
    host: {
      modules: { core, jpegDecoder },
      runtimePaths: {
        wasm: url(runtime, 'application/wasm'),
        ...(runtimeScript && { mjs: url(runtimeScript, 'text/javascript') }),
      },
      // The development server's script imports others, so it needs its address.
      createWorker: () =>
        import.meta.env.PROD ? new Worker(scriptUrl) : new Worker(workerUrl, { type: 'module' }),
    },
    threads: isolated ? Math.min(navigator.hardwareConcurrency || 1, 8) : 1,
    example: unpack(example),
  };
}

async function download(url: string, onBytes: (bytes: number) => void): Promise<Blob> {
  const name = url.split('/').pop();
  try {
    const response = await fetch(url);
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
    // A host that answers every address with a page of its own would fail much later otherwise.
    if (response.headers.get('content-type')?.startsWith('text/html')) throw new Error('HTML');
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const reader = response.body.getReader();
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

/**
 * A second policy beside that of index.html; the browser obeys both. It binds the page and its
 * workers.
 */
function lockNetwork(): void {
  const meta = document.createElement('meta');
  meta.httpEquiv = 'Content-Security-Policy';
  meta.content = [
    "default-src 'none'",
    "script-src blob: 'wasm-unsafe-eval'",
    'worker-src blob:',
    'connect-src blob:',
    'img-src blob: data:',
    "form-action 'none'",
  ].join('; ');
  document.head.append(meta);
}

function unpack(example: Blob): Engine['example'] {
  let offset = 0;
  const files = exampleIndex.map(([name, size]) => {
    const part = example.slice(offset, offset + size);
    offset += size;
    return new File([part], name);
  });
  const [model, ...images] = files;
  return { model: model!, images };
}
