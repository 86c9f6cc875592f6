// The C++ core as typed calls: JSON is parsed here, C++ exceptions become QuantizeError here, and heap
// views are taken anew at each use, because any call may grow the memory and detach them.
import { QuantizeError } from './errors.js';
import type { ModelFiles } from './host-files.js';
import type {
  CalibrationModel,
  Diagnostic,
  ModelStructure,
  ModelSummary,
  PrepareReport,
  QuantizeReport,
} from './types.js';
import type { OptionValues } from './validate.js';
import createPtqCore, { type PtqCoreModule, type Session } from './wasm/ptq_core.mjs';

/** Ranges by tensor: [lowest, highest], with Distribution [lowest, highest, standard deviation, mean]. */
export type TensorRanges = Record<string, [number, number] | [number, number, number, number]>;

let loading: Promise<PtqCoreModule> | null = null;
let compiled: WebAssembly.Module | null = null;

/** A ptq_core.wasm that was compiled before, so that loadCore() needs no network. */
export function setCoreModule(module: WebAssembly.Module): void {
  compiled = module;
}
let loaded: PtqCoreModule | null = null;

/**
 * Loads the wasm module once; later calls return the same one.
 * Throws QuantizeError CORE_NOT_LOADED where the file is missing or WebAssembly lacks what it needs.
 */
export function loadCore(): Promise<PtqCoreModule> {
  loading ??= createPtqCore({
    // A literal new URL(…, import.meta.url): bundlers recognize it and copy the file along.
    locateFile: () => new URL('./wasm/ptq_core.wasm', import.meta.url).href,
    ...(compiled && { instantiateWasm: instantiate(compiled) }),
  }).then(
    (core) => {
      loaded = core;
      return core;
    },
    (cause: unknown) => {
      loading = null;
      throw new QuantizeError('CORE_NOT_LOADED', `the wasm core could not be loaded: ${cause}`, {
        hint: 'it must be served as ptq_core.wasm beside the JavaScript files',
        cause,
      });
    },
  );
  return loading;
}

function instantiate(module: WebAssembly.Module) {
  return (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
    // At once, not in a promise: what goes wrong in here then rejects loadCore().
    const instance = new WebAssembly.Instance(module, imports);
    done(instance);
    return instance.exports;
  };
}

/** What the core throws: see bindings/wasm/throw_error.h. */
interface CoreError extends Error {
  code: string;
  node: string;
  tensor: string;
  hint: string;
}

function isCoreError(error: unknown): error is CoreError {
  return error instanceof Error && 'code' in error && 'tensor' in error && 'hint' in error;
}

/**
 * Runs one call into the core. `hostError` gives an error that a callback threw, which comes first.
 * Throws QuantizeError for everything that goes wrong inside.
 */
export function callCore<T>(core: PtqCoreModule, work: () => T, hostError?: () => unknown): T {
  try {
    return work();
  } catch (error) {
    const fromHost = hostError?.();
    if (fromHost) throw fromHost;
    if (isCoreError(error)) {
      const { code, message, node, tensor, hint } = error;
      throw new QuantizeError(code, message, { node, tensor, hint });
    }
    // Anything else is a trap: the module is in no state to be used again.
    if (loaded === core) loading = null;
    const message = error instanceof Error ? error.message : String(error);
    const memory = /memory|allocat/i.test(message);
    throw new QuantizeError(memory ? 'OUT_OF_MEMORY' : 'INTERNAL', `the core stopped: ${message}`, {
      cause: error,
    });
  }
}

/** One model, from opening to writing. Call dispose() in the end. */
export class CoreSession {
  readonly #core: PtqCoreModule;
  readonly #files: ModelFiles;
  readonly #session: Session;
  #buffer = { pointer: 0, count: 0 };

  private constructor(core: PtqCoreModule, files: ModelFiles) {
    this.#core = core;
    this.#files = files;
    this.#session = this.#call(() => new core.Session(files));
  }

  static async create(files: ModelFiles): Promise<CoreSession> {
    return new CoreSession(await loadCore(), files);
  }

  open(): ModelSummary {
    return this.#json((session) => session.open());
  }

  structure(): ModelStructure {
    return this.#json((session) => session.structure());
  }

  /** `options`: the reference's names, see coreOptions(). */
  configure(options: OptionValues): Diagnostic[] {
    return this.#json((session) => session.configure(JSON.stringify(options)));
  }

  /** `minOpset`: the opset is raised at least this far. */
  prepare(minOpset = 0): PrepareReport {
    return this.#json((session) => session.prepare(minOpset));
  }

  writePrepared(externalFile: string): void {
    this.#call(() => this.#session.writePrepared(externalFile));
  }

  writeCalibrationModel(): CalibrationModel {
    return this.#json((session) => session.writeCalibrationModel());
  }

  /** One sample's reductions: min, max, min, max, … in the order of CalibrationModel.tensors. */
  observe(values: Float32Array): void {
    if (this.#buffer.count < values.length) {
      this.#free();
      this.#buffer = { pointer: this.#core._malloc(values.length * 4), count: values.length };
      if (!this.#buffer.pointer) throw new QuantizeError('OUT_OF_MEMORY', 'the core has no memory');
    }
    this.#core.HEAPF32.set(values, this.#buffer.pointer / 4);
    this.#call(() => this.#session.observe(this.#buffer.pointer, values.length));
  }

  ranges(): TensorRanges {
    return this.#json((session) => session.ranges());
  }

  setRanges(ranges: TensorRanges): void {
    this.#call(() => this.#session.setRanges(JSON.stringify(ranges)));
  }

  quantize(externalFile: string): QuantizeReport {
    return this.#json((session) => session.quantize(externalFile));
  }

  dispose(): void {
    this.#free();
    this.#session.delete();
  }

  #free(): void {
    if (this.#buffer.pointer) this.#core._free(this.#buffer.pointer);
    this.#buffer = { pointer: 0, count: 0 };
  }

  #json<T>(work: (session: Session) => string): T {
    return JSON.parse(this.#call(() => work(this.#session)));
  }

  #call<T>(work: () => T): T {
    return callCore(this.#core, work, () => this.#files.takeError());
  }
}
