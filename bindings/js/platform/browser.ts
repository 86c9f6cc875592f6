// The browser: Files and Blobs are read in a worker slice by slice (FileReaderSync), results are
// Blobs. onnxruntime-web's /wasm entry: half the size of the main one, and it never asks for a GPU.

import type {
  ByteSource,
  ExternalData,
  InputFiles,
  ModelInput,
  OutputFiles,
} from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { freeBuffer } from '../base/free-buffer.js';
import { MemoryFile, MemoryFiles } from '../base/memory-file.js';
import { say } from '../base/text.js';
import { coreModule } from '../core/load.js';
import { BytesSource, toBytes } from './memory-input.js';
import type { OrtModule, Platform, Runtime, WorkerPort } from './platform.js';
import { lifeName, watchLife } from './worker-life.js';

// Smaller files are read at once: fewer round trips through the file system.
const readWhole = 32 * 2 ** 20;

const cores = () => navigator.hardwareConcurrency || 1;

let wasmPaths: string | Record<string, string> | undefined;

/** The first message to a calibration worker: what the starting worker was given itself. */
export interface CalibrationSetUp {
  kind: 'set-up';
  wasmPaths: string | Record<string, string> | undefined;
  core: WebAssembly.Module | null;
  /** See worker-life.ts. */
  life: string | undefined;
}

let workerScript: { url: string; type: WorkerType } | null = null;

/** What calibration workers are started from: worker/worker.ts, which says so itself. */
export function setWorkerScript(script: typeof workerScript): void {
  workerScript = script;
}

let webGpu: {
  load: () => Promise<OrtModule>;
  paths: string | Record<string, string> | undefined;
} | null = null;

/**
 * How runtime 'webgpu' is loaded: `() => import('onnxruntime-web/webgpu')`, which is too large to
 * be there for all. `paths`: as for setRuntimePaths(), of its own files
 * (ort-wasm-simd-threaded.asyncify).
 */
export function setWebGpuRuntime(
  load: () => Promise<OrtModule>,
  paths?: string | Record<string, string>,
): void {
  webGpu = { load, paths };
}

/** The browser's WebGPU, as far as it is asked here. */
interface Gpu {
  requestAdapter(): Promise<object | null>;
}

async function loadWebGpu(): Promise<OrtModule> {
  const refuse = (why: string) =>
    new QuantizeError('RUNTIME_NOT_AVAILABLE', say`runtime webgpu: ${why}`, {
      hint: 'use runtime web',
    });
  if (!webGpu) throw refuse('setWebGpuRuntime() was not called');
  const { gpu } = navigator as { gpu?: Gpu };
  if (!gpu) throw refuse('this browser has no WebGPU');
  // It is there in browsers that have no GPU to give, too.
  if ((await gpu.requestAdapter()) === null) throw refuse('this browser offers no GPU');
  return webGpu.load();
}

/**
 * Where onnxruntime-web's own files (ort-wasm-simd-threaded.wasm and .mjs) are served from: a
 * folder URL, or URLs by kind ({wasm, mjs}). Without it they are looked for as onnxruntime-web
 * does.
 */
export function setRuntimePaths(paths: string | Record<string, string> | undefined): void {
  wasmPaths = paths;
}

export const browserPlatform: Platform<Blob> = {
  async loadRuntime({ kind }): Promise<Runtime> {
    if (kind === 'node') {
      throw new QuantizeError('RUNTIME_NOT_AVAILABLE', 'runtime node: there is none in a browser', {
        hint: 'use web or webgpu',
      });
    }
    const ort: OrtModule =
      kind === 'webgpu' ? await loadWebGpu() : await import('onnxruntime-web/wasm');
    const paths = kind === 'webgpu' ? webGpu?.paths : wasmPaths;
    if (paths !== undefined) ort.env.wasm.wasmPaths = paths;
    // Its sums depend on the number of threads, and ranges must not.
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.proxy = false;
    return { kind: kind ?? 'web', ort, threads: 1, open: openInParts };
  },

  // Without a script to start workers from, the calling thread does it all.
  get cores() {
    return workerScript ? cores() : 1;
  },

  weightCopies: 256 * 2 ** 20,

  startCalibrationWorker(): WorkerPort {
    if (!workerScript) throw new QuantizeError('INTERNAL', 'there is no script for workers');
    const worker = new Worker(workerScript.url, { type: workerScript.type });
    const life = lifeName();
    const setUp: CalibrationSetUp = { kind: 'set-up', wasmPaths, core: coreModule(), life };
    worker.postMessage(setUp);
    let unwatch = () => {};
    return {
      post: (message, transfer) => worker.postMessage(message, transfer ?? []),
      onMessage(listener) {
        worker.onmessage = ({ data }) => {
          if (data?.kind !== 'alive') return listener(data);
          unwatch = watchLife(life as string, () => listener(new Error('it was ended')));
        };
        worker.onerror = (event) => listener(new Error(event.message || 'it could not be loaded'));
        worker.onmessageerror = () => listener(new Error('its answer could not be read'));
      },
      terminate() {
        unwatch();
        worker.terminate();
      },
    };
  },

  openInput,

  openOutput: (target, dataName) => new BlobOutput(dataName ?? `${target ?? 'model.onnx'}.data`),
};

/** browserPlatform's, by itself for what needs no runtime. */
export async function openInput(
  model: ModelInput,
  externalData: ExternalData,
): Promise<InputFiles> {
  if (typeof model === 'string') {
    throw new QuantizeError('INVALID_OPTION', 'modelInput: a browser cannot open a path', {
      hint: 'pass a File, a Blob or the bytes',
    });
  }
  const files = new Map<string, ByteSource & Runnable>();
  files.set('~model', await openFile(model));
  for (const [name, data] of Object.entries(externalData)) files.set(name, await openFile(data));
  const label = model instanceof File ? model.name : 'the model';
  return {
    label,
    source: (name) => files.get(name) ?? null,
    runtimeBytes(name) {
      const file = files.get(name);
      if (!file) throw new QuantizeError('FILE_NOT_FOUND', say`${name} was not given`);
      return file.runtimeBytes;
    },
    close() {},
  };
}

/** Only workers read files in parts; a browser knows no paths. */
const openInParts = (file: string | Blob): ByteSource | null =>
  file instanceof Blob && typeof FileReaderSync !== 'undefined' ? new BlobSource(file) : null;

interface Runnable {
  readonly runtimeBytes: Uint8Array | Blob;
}

async function openFile(file: Uint8Array | ArrayBuffer | Blob): Promise<ByteSource & Runnable> {
  if (file instanceof Blob && file.size > readWhole && typeof FileReaderSync !== 'undefined') {
    return new BlobSource(file);
  }
  const source = new BytesSource(await toBytes(file));
  return Object.assign(source, { runtimeBytes: source.bytes });
}

class BlobSource implements ByteSource, Runnable {
  readonly runtimeBytes: Blob;
  readonly #reader = new FileReaderSync();

  constructor(blob: Blob) {
    this.runtimeBytes = blob;
  }

  get size(): number {
    return this.runtimeBytes.size;
  }

  read(offset: number, into: Uint8Array): void {
    const slice = this.runtimeBytes.slice(offset, offset + into.length);
    const bytes = new Uint8Array(this.#reader.readAsArrayBuffer(slice));
    into.set(bytes);
    freeBuffer(bytes); // a model's worth of them would wait for the garbage collector
  }

  close(): void {}
}

class BlobOutput implements OutputFiles<Blob> {
  readonly model = new MemoryFile();
  readonly data = new MemoryFile();
  readonly #tensors = new MemoryFiles();
  readonly dataName: string;

  constructor(dataName: string) {
    this.dataName = dataName;
  }

  runtimeBytes() {
    return { model: this.model, data: this.data.size > 0 ? this.data : null };
  }

  tensorFile(name: string): MemoryFile {
    return this.#tensors.file(name);
  }

  modelBytes(): Uint8Array {
    return this.model.toBytes();
  }

  commit() {
    const blob = (file: MemoryFile) => new Blob(file.parts(), { type: 'application/octet-stream' });
    return {
      model: blob(this.model),
      data: this.data.size > 0 ? blob(this.data) : null,
      tensorFiles: this.#tensors.all(blob),
    };
  }

  discard(): void {
    this.model.truncate();
    this.data.truncate();
    this.#tensors.clear();
  }
}
