// Node: models by path are read where they lie, results are written beside their target and renamed
// when complete. onnxruntime-node where it is installed, else onnxruntime-web's main entry, which
// has threads in Node (its /wasm entry has not).

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type {
  ByteSink,
  ByteSource,
  ExternalData,
  InputFiles,
  ModelInput,
  OutputFiles,
} from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { MemoryFile, MemoryFiles } from '../base/memory-file.js';
import { budgets, compileLate, optimizeLate } from '../base/optimize-late.js';
import { asMessage, say } from '../base/text.js';
import type { Diagnostic } from '../base/types.js';
import { coreModule, setCoreCompiler } from '../core/load.js';
import { checkDumpFolder, writeDump } from './dump-folder.js';
import { commitFiles, FileSink, writeTextFile } from './file-sink.js';
import { refuseMeetings } from './file-uses.js';
import { MemoryInput, toBytes } from './memory-input.js';
import { loadNativeRuntime } from './native-runtime.js';
import { FileSource, readTextFile } from './node-files.js';
import type { Platform, Runtime, RuntimeKind, WorkerPort } from './platform.js';
import { readWhole } from './read-whole.js';
import { checkTextTarget, fileIdentity, writableTarget } from './targets.js';

// Compiled once, for this thread and for workers. In one go: after WebAssembly.compile() Node 20's
// event loop stands still for a third of a second.
setCoreCompiler(() =>
  compileLate(fs.readFileSync(new URL('../wasm/ptq_core.wasm', import.meta.url))),
);

async function compilesLate<T>(create: () => Promise<T>): Promise<T> {
  const end = optimizeLate(budgets.runtime);
  try {
    return await create();
  } finally {
    end();
  }
}

let workerScript: URL | null = null;

/**
 * What calibration workers are started from: calibration-node.ts. Called by set-up-node.ts.
 */
export function setWorkerScript(script: URL): void {
  workerScript = script;
}

/** A path where the model was written to a file, else its bytes. */
export type NodeModel = string | Uint8Array;

export const nodePlatform: Platform<NodeModel> = {
  async loadRuntime({ kind, threads = Math.min(os.availableParallelism(), 8) }): Promise<Runtime> {
    if (kind === 'webgpu') {
      throw new QuantizeError('RUNTIME_NOT_AVAILABLE', 'runtime webgpu: there is none in Node', {
        hint: 'use node or web',
      });
    }
    const { native, note } = kind === 'web' ? { native: null } : nativeRuntime(kind);
    if (native) {
      return { kind: 'node', ort: native, threads, readFile: readWhole };
    }
    if (kind === 'node') {
      throw new QuantizeError('RUNTIME_NOT_AVAILABLE', 'onnxruntime-node is not installed', {
        hint: 'npm install onnxruntime-node, or use runtime web',
      });
    }
    const ort = await import('onnxruntime-web');
    // Its sums depend on the number of threads, and ranges must not.
    ort.env.wasm.numThreads = 1;
    const open = (file: string | Blob) =>
      typeof file === 'string' ? new FileSource(file, file) : null;
    return { kind: 'web', ort, threads: 1, open, compiles: compilesLate, ...(note && { note }) };
  },

  cores: os.availableParallelism(),

  startCalibrationWorker(): WorkerPort {
    if (!workerScript) throw new QuantizeError('INTERNAL', 'there is no script for workers');
    // A worker refuses many flags that a program can be started with, and ours needs none.
    const worker = new Worker(workerScript, { execArgv: [], workerData: { core: coreModule() } });
    worker.unref();
    return {
      post: (message, transfer) => worker.postMessage(message, transfer as never),
      onMessage(listener) {
        worker.on('message', listener);
        worker.on('error', listener);
        worker.on('exit', (code) => listener(new Error(`it ended with code ${code}`)));
      },
      terminate: () => void worker.terminate(),
    };
  },

  async openInput(model: ModelInput, externalData: ExternalData): Promise<InputFiles> {
    const given = new Map<string, Uint8Array>();
    for (const [name, data] of Object.entries(externalData)) given.set(name, await toBytes(data));
    if (typeof model === 'string') return new PathInput(model, given);
    given.set('~model', await toBytes(model));
    return new MemoryInput('the model', given);
  },

  openOutput(target, dataName) {
    return target === undefined ? new MemoryOutput(dataName) : new PathOutput(target, dataName);
  },

  readText: readTextFile,
  checkWritable: checkTextTarget,
  writeText: writeTextFile,
  checkDumpFolder,
  writeDump,
  refuseMeetings,
};

/** Where nobody asked for it, one that cannot be used is a note. */
function nativeRuntime(kind: RuntimeKind | null) {
  try {
    return { native: loadNativeRuntime() };
  } catch (error) {
    if (kind === 'node' || !(error instanceof QuantizeError)) throw error;
    const { code, message } = error;
    const note: Diagnostic = {
      severity: 'warning',
      code,
      ...asMessage(say`${message}; onnxruntime-web is used instead, which is slower`),
      hint: 'install onnxruntime-node again, or choose runtime web to do without it',
    };
    return { native: null, note };
  }
}

/** A model file; its external data is looked for in the same folder and nowhere else. */
class PathInput implements InputFiles {
  readonly label: string;
  readonly #folder: string;
  readonly #given: MemoryInput;
  readonly #open = new Map<string, FileSource>();

  constructor(file: string, given: Map<string, Uint8Array>) {
    this.label = path.basename(file);
    this.#folder = path.dirname(path.resolve(file));
    this.#given = new MemoryInput(this.label, given);
    this.#open.set('~model', new FileSource(path.resolve(file), file));
  }

  source(name: string): ByteSource | null {
    const given = this.#given.source(name) ?? this.#open.get(name);
    if (given) return given;
    const file = this.#resolve(name);
    if (!fs.existsSync(file)) return null;
    const source = new FileSource(file, name);
    this.#open.set(name, source);
    return source;
  }

  runtimeBytes(name: string): string | Uint8Array {
    if (this.#given.source(name)) return this.#given.runtimeBytes(name);
    this.source(name); // opens it, or says why not
    const open = this.#open.get(name);
    if (!open) throw new QuantizeError('FILE_NOT_FOUND', say`${name} is not in ${this.#folder}`);
    return open.path;
  }

  close(): void {
    for (const source of this.#open.values()) source.close();
    this.#open.clear();
  }

  // A model from elsewhere must not be able to read files outside its folder.
  #resolve(name: string): string {
    const file = path.resolve(this.#folder, name);
    const inside = (child: string, folder: string) => {
      const relative = path.relative(folder, child);
      return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative);
    };
    const real = fs.existsSync(file) ? fs.realpathSync(file) : file;
    const folder = fs.realpathSync(this.#folder);
    if (path.isAbsolute(name) || !inside(file, this.#folder) || !inside(real, folder)) {
      throw new QuantizeError(
        'INVALID_MODEL',
        say`the model refers to external data outside its own folder: ${name}`,
      );
    }
    return file;
  }
}

class MemoryOutput implements OutputFiles<NodeModel> {
  readonly model = new MemoryFile();
  readonly data = new MemoryFile();
  readonly #tensors = new MemoryFiles();
  readonly dataName: string;

  constructor(dataName = 'model.onnx.data') {
    this.dataName = dataName;
  }

  runtimeBytes() {
    return { model: this.model, data: this.data.size > 0 ? this.data : null };
  }

  modelBytes(): Uint8Array {
    return this.model.toBytes();
  }

  tensorFile(name: string): MemoryFile {
    return this.#tensors.file(name);
  }

  commit() {
    const tensorFiles = this.#tensors.all((file) => file.toBytes());
    return {
      model: this.model.toBytes(),
      data: this.data.size > 0 ? this.data.toBytes() : null,
      tensorFiles,
    };
  }

  discard(): void {
    this.model.truncate();
    this.data.truncate();
    this.#tensors.clear();
  }
}

/** What outputs of this process are being written: two runs must not write the same file. */
const beingWritten = new Set<string>();

class PathOutput implements OutputFiles<NodeModel> {
  readonly model: FileSink;
  readonly data: FileSink;
  readonly dataName: string;
  readonly modelPath: string;
  readonly dataPath: string;
  readonly #identities: string[] = [];
  readonly #tensors = new Map<string, FileSink>();

  constructor(target: string, dataName?: string) {
    this.dataName = dataName ?? `${path.basename(target)}.data`;
    this.modelPath = target;
    // The data lies where the model is looked for, beside a link, too.
    this.dataPath = path.join(path.dirname(path.resolve(target)), this.dataName);
    const model = writableTarget(target, 'model_output');
    const data = model.discards
      ? model
      : writableTarget(this.dataPath, 'the data file of model_output');
    this.#claim(target);
    this.model = new FileSink(target, model);
    this.data = new FileSink(this.dataPath, data);
  }

  runtimeBytes() {
    return {
      model: this.model.temporaryPath,
      data: this.data.size > 0 ? this.data.temporaryPath : null,
    };
  }

  tensorFile(name: string): FileSink {
    const known = this.#tensors.get(name);
    if (known) return known;
    const file = path.join(path.dirname(this.dataPath), name);
    const { discards } = this.model;
    const target = discards
      ? { path: this.model.target, discards }
      : writableTarget(file, 'a data file of model_output');
    const sink = new FileSink(file, target);
    this.#tensors.set(name, sink);
    return sink;
  }

  modelBytes(): Uint8Array {
    return fs.readFileSync(this.model.temporaryPath);
  }

  commit(also: readonly ByteSink[] = []) {
    const { model, data } = this;
    const others = also as readonly FileSink[];
    const tensors = [...this.#tensors.values()];
    const files = data.size > 0 ? [data, ...tensors] : tensors;
    commitFiles([...files, model, ...others], { model, data: files });
    return {
      model: this.modelPath,
      data: data.size > 0 ? this.dataPath : null,
      tensorFiles: [...this.#tensors].map(([name, sink]) => ({ name, data: sink.name })),
    };
  }

  discard(): void {
    this.model.discard();
    this.data.discard();
    for (const sink of this.#tensors.values()) sink.discard();
    for (const identity of this.#identities.splice(0)) beingWritten.delete(identity);
  }

  #claim(target: string): void {
    const identity = fileIdentity(target);
    if (identity === null) return;
    if (beingWritten.has(identity)) {
      throw new QuantizeError(
        'INVALID_OPTION',
        say`model_output: another run of this process is writing ${target}`,
        { hint: 'wait for it, or give another name' },
      );
    }
    beingWritten.add(identity);
    this.#identities.push(identity);
  }
}
