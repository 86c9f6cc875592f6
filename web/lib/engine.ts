// Everything that the page will ever need from its server, loaded once, in two parts: the core and
// a small worker, with which models can be read, then all else: onnxruntime, the worker that runs
// models, what shows results, texts, the decoder and the examples. After that the page takes the
// network away from itself, so that "nothing is uploaded" is a rule that the browser enforces;
// workers start from what is in memory.

import { type ExampleId, index as exampleIndex, url as exampleUrl } from 'virtual:example';
import { totalBytes } from 'virtual:sizes';
import jpegDecoderUrl from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url';
import type { WorkerHost } from 'onnx-ptq';
import coreUrl from 'onnx-ptq/core.wasm?url';
import runtimeScriptUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import runtimeUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { dictionaryOf, type Language, type LibraryTexts, languages, libraryTexts } from '../i18n';
import readerUrl from '../worker/reader?worker&url';
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
  results: typeof import('../results');
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
  let told = 0;
  const kept = new Map<string, Blob>();
  const get = async (url: string) => {
    const blob = await downloadFile(url, (bytes) => {
      loaded += bytes;
      if (loaded - told < leastProgress) return;
      told = loaded;
      events.onProgress(Math.min(loaded, totalBytes), totalBytes);
    });
    kept.set(url, blob);
    return blob;
  };
  const compile = async (url: string) => WebAssembly.compile(await (await get(url)).arrayBuffer());
  // Several threads need SharedArrayBuffer, and onnxruntime's script by itself for each of them.
  const isolated = globalThis.crossOriginIsolated;

  const workersOf = async (url: string) => {
    const scriptUrl = objectUrl(await get(url), 'text/javascript');
    // The development server's script imports others, so it needs its address.
    return () =>
      import.meta.env.PROD ? new Worker(scriptUrl) : new Worker(url, { type: 'module' });
  };

  const [createReader, core] = await Promise.all([workersOf(readerUrl), compile(coreUrl)]);
  events.onCore({ modules: { core }, createWorker: createReader });

  const texts = Object.entries(libraryTexts).map(async ([language, url]) =>
    events.onTexts(language, JSON.parse(await (await get(url)).text())),
  );
  const [createWorker, results, jpegDecoder, runtime, runtimeScript, example] = await Promise.all([
    workersOf(workerUrl),
    import('../results'),
    compile(jpegDecoderUrl),
    get(runtimeUrl),
    isolated ? get(runtimeScriptUrl) : null,
    get(exampleUrl),
    ...texts,
    ...(Object.keys(languages) as Language[]).map(dictionaryOf),
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
    results,
  };
}

/** Bytes: each time the page is drawn anew, and unpacked bytes come in hundreds of parts. */
const leastProgress = 250_000;

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
