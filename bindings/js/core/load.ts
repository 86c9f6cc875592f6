// Loads the wasm module and calls into it: C++ exceptions become QuantizeError here.

import { errorFromData, QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';
import createPtqCore, { type PtqCoreModule } from '../wasm/ptq_core.mjs';

/** The wasm module, through which the core is called. */
export type Core = PtqCoreModule;

let loading: Promise<Core> | null = null;
let compiled: WebAssembly.Module | null = null;
let compile: (() => WebAssembly.Module) | null = null;

/** A ptq_core.wasm that was compiled before, so that loadCore() needs no network. */
export function setCoreModule(module: WebAssembly.Module): void {
  compiled = module;
}

/** Sets how ptq_core.wasm is compiled, where emscripten would fetch it and keep the module. */
export function setCoreCompiler(work: () => WebAssembly.Module): void {
  compile = work;
}

/** The compiled ptq_core.wasm, once loadCore() has made it: workers need not compile it again. */
export function coreModule(): WebAssembly.Module | null {
  return compiled;
}
let loaded: Core | null = null;

/**
 * Loads the wasm module once; later calls return the same one. Throws QuantizeError CORE_NOT_LOADED
 * where the file is missing or WebAssembly lacks what it needs.
 */
export function loadCore(): Promise<Core> {
  loading ??= load().then(
    (core) => {
      loaded = core;
      return core;
    },
    (cause: unknown) => {
      loading = null;
      if (cause instanceof RangeError && /memory|allocat/i.test(cause.message)) {
        throw new QuantizeError(
          'OUT_OF_MEMORY',
          say`no memory for the wasm core: ${cause.message}`,
          {
            hint: 'WebAssembly reserves address space: raise the limit (ulimit -v) of the process',
            cause,
          },
        );
      }
      throw new QuantizeError('CORE_NOT_LOADED', say`the wasm core could not be loaded: ${cause}`, {
        hint: 'it must be served as ptq_core.wasm beside the JavaScript files',
        cause,
      });
    },
  );
  return loading;
}

async function load(): Promise<Core> {
  compiled ??= compile ? compile() : null;
  return createPtqCore({
    // A literal new URL(…, import.meta.url): bundlers recognize it and copy the file along.
    locateFile: () => new URL('../wasm/ptq_core.wasm', import.meta.url).href,
    ...(compiled && { instantiateWasm: instantiate(compiled) }),
    printErr: () => {}, // what it says is also thrown
  });
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
  /** JSON of TextParts, or ''. */
  messageText: string;
  hintText: string;
}

function isCoreError(error: unknown): error is CoreError {
  return error instanceof Error && 'code' in error && 'tensor' in error && 'hint' in error;
}

/**
 * Runs one call into the core. `hostError` gives an error that a callback threw, which comes first.
 * Throws QuantizeError for everything that goes wrong inside.
 */
export function callCore<T>(core: Core, work: () => T, hostError?: () => unknown): T {
  const stack = core.stackSave();
  try {
    return work();
  } catch (error) {
    core.stackRestore(stack);
    const fromHost = hostError?.();
    if (fromHost) throw fromHost;
    if (isCoreError(error)) {
      const { code, message, node, tensor, hint, messageText, hintText } = error;
      throw errorFromData({
        ...{ code, message, node, tensor, hint },
        messageText: messageText ? JSON.parse(messageText) : undefined,
        hintText: hintText ? JSON.parse(hintText) : undefined,
      });
    }
    // Anything else is a trap: the module is in no state to be used again.
    if (loaded === core) loading = null;
    const message = error instanceof Error ? error.message : String(error);
    const memory = /memory|allocat/i.test(message);
    throw new QuantizeError(
      memory ? 'OUT_OF_MEMORY' : 'INTERNAL',
      say`the core stopped: ${message}`,
      {
        cause: error,
      },
    );
  }
}
