// Everything that the page will ever need from its server, loaded once, in two parts: the worker
// and the core, with which models can be read, then onnxruntime, the decoder and the examples.
// After that the page takes the network away from itself, so that "nothing is uploaded" is a rule
// that the browser enforces; workers start from what is in memory.

import { type ExampleId, index as exampleIndex, url as exampleUrl } from 'virtual:example';
import { totalBytes } from 'virtual:sizes';
import jpegDecoderUrl from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url';
import type { WorkerHost } from 'onnx-ptq';
import coreUrl from 'onnx-ptq/core.wasm?url';
import runtimeScriptUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import runtimeUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { type LibraryTexts, libraryTexts } from '../i18n';
import workerUrl from '../worker/worker?worker&url';
import { downloadFile } from './download-file';
import { keepForOffline } from './offline';

/** What a worker starts with that reads models. */
export interface CoreHost {
  modules: NonNullable<WorkerHost['modules']>;
  createWorker: () => Worker;
}

export interface Engine {
  /** What the library's functions for workers start with. */
  host: CoreHost & WorkerHost;
  /** Threads of onnxruntime in the first session; several only where the host isolates the page. */
  threads: number;
  /** Whether the page will open without a network. */
  offline: boolean;
  examples: ReadonlyMap<ExampleId, { model: File; images: File[] }>;
}

export interface LoadEvents {
  onProgress(done: number, total: number): void;
  onCore(host: CoreHost): void;
  /** The library's texts in a language. */
  onTexts(language: string, texts: LibraryTexts): void;
}

/** Loads all of it. Throws Error that names the file that could not be loaded. */
export async function loadEngine(events: LoadEvents): Promise<Engine> {
  let loaded = 0;
  const kept = new Map<string, Blob>();
  const get = async (url: string) => {
    const blob = await downloadFile(url, (bytes) => {
      loaded += bytes;
      events.onProgress(Math.min(loaded, totalBytes), totalBytes);
    });
    kept.set(url, blob);
    return blob;
  };
  const compile = async (url: string) => WebAssembly.compile(await (await get(url)).arrayBuffer());
  // Several threads need SharedArrayBuffer, and onnxruntime's script by itself for each of them.
  const isolated = globalThis.crossOriginIsolated;

  const [script, core] = await Promise.all([get(workerUrl), compile(coreUrl)]);
  const scriptUrl = objectUrl(script, 'text/javascript');
  // The development server's script imports others, so it needs its address.
  const createWorker = () =>
    import.meta.env.PROD ? new Worker(scriptUrl) : new Worker(workerUrl, { type: 'module' });
  events.onCore({ modules: { core }, createWorker });

  const texts = Object.entries(libraryTexts).map(async ([language, url]) =>
    events.onTexts(language, JSON.parse(await (await get(url)).text())),
  );
  const [jpegDecoder, runtime, runtimeScript, example] = await Promise.all([
    compile(jpegDecoderUrl),
    get(runtimeUrl),
    isolated ? get(runtimeScriptUrl) : null,
    get(exampleUrl),
    ...texts,
  ]);
  const offline = import.meta.env.PROD && (await keepForOffline(kept));
  if (import.meta.env.PROD) lockNetwork();
  return {
    host: {
      modules: { core, jpegDecoder },
      runtimePaths: {
        wasm: objectUrl(runtime, 'application/wasm'),
        ...(runtimeScript && { mjs: objectUrl(runtimeScript, 'text/javascript') }),
      },
      createWorker,
    },
    threads: isolated ? Math.min(navigator.hardwareConcurrency || 1, 8) : 1,
    offline,
    examples: unpack(example),
  };
}

const objectUrl = (blob: Blob, type: string) => URL.createObjectURL(new Blob([blob], { type }));

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

function unpack(packed: Blob): Engine['examples'] {
  let offset = 0;
  const next = ([name, size]: [string, number]) => {
    offset += size;
    return new File([packed.slice(offset - size, offset)], name);
  };
  return new Map(
    exampleIndex.map(([id, files]) => {
      const [model, ...images] = files.map(next);
      return [id, { model: model!, images }];
    }),
  );
}
