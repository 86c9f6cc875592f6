// The wasm module as Embind exposes it (bindings/wasm). Internal: core.ts wraps every call, so
// that errors and heap views are handled in one place. JSON strings carry structs; bytes go through
// HostFiles or through the heap.

/** Where the core's bytes come from and go to; every call is synchronous. */
export interface HostFiles {
  /** Size in bytes, or -1 where there is no such file. */
  size(name: string): number;
  /** Fills all of `into` (a view of the wasm heap: copy into it at once, don't keep it). */
  read(name: string, offset: number, into: Uint8Array): void;
  /** Appends `bytes` (a view of the wasm heap: copy it at once) to `name`, which starts empty. */
  append(name: string, bytes: Uint8Array): void;
  /** Empties `name` (scratch or an output) so that it can be written again. */
  truncate(name: string): void;
}

/**
 * One model, from opening to writing. What goes wrong inside is thrown as an Error with the string properties
 * code, node, tensor and hint (empty where there is none); what a HostFiles callback throws passes through.
 */
export interface Session {
  /** Reads '~model'. Returns JSON of ModelSummary. */
  open(): string;
  /** The graph as given, with types inferred. Returns JSON of ModelStructure. */
  structure(): string;
  /** Checks the options (Python names, see docs/options.md) against the model as given. Returns JSON of Diagnostic[]. */
  configure(optionsJson: string): string;
  /** optimize_model and what quantizing requires, opset at least `minOpset`. Returns JSON of PrepareReport. */
  prepare(minOpset: number): string;
  /** Writes the prepared float model to '~output' (and `externalFile`, where not empty, as its data file). */
  writePrepared(externalFile: string): number;
  /** Writes the float model plus in-graph range reductions to '~calibration'. Returns JSON of CalibrationModel. */
  writeCalibrationModel(): string;
  /** One sample's reductions: `count` floats at `pointer`, in the order of CalibrationModel.tensors: min, max, min, max, … */
  observe(pointer: number, count: number): void;
  /** JSON: {tensor: [lowest, highest]} of all that was observed (or set). Float32 values, exact in JSON. */
  ranges(): string;
  /** Replaces the ranges. Same JSON. */
  setRanges(rangesJson: string): void;
  /** Plans and rewrites; writes the quantized model to '~output' (and `externalFile`). Returns JSON of QuantizeReport. */
  quantize(externalFile: string): string;
  delete(): void;
}

export interface PtqCoreModule {
  Session: new (files: HostFiles) => Session;
  /** JSON of the operator table: [{opType, byDefault, minOpset, qdq, qOperator}]. */
  operators(): string;
  /**
   * Resizes, crops, reorders and normalizes one decoded image (8-bit interleaved, `channels` 1, 3 or 4)
   * into the tensor at `outPointer` (float32). `specJson` is PreprocessSpec, see preprocess.ts.
   */
  preprocessImage(
    pixelsPointer: number,
    width: number,
    height: number,
    channels: number,
    specJson: string,
    outPointer: number,
    outCount: number,
  ): void;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  readonly HEAPU8: Uint8Array;
  readonly HEAPF32: Float32Array;
}

export interface PtqCoreOptions {
  locateFile?: (path: string, prefix: string) => string;
  wasmBinary?: ArrayBuffer | Uint8Array;
  /** Makes the instance itself, from a module that was compiled before. */
  instantiateWasm?: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ) => WebAssembly.Exports;
}

export default function createPtqCore(options?: PtqCoreOptions): Promise<PtqCoreModule>;
