// The wasm module as Embind exposes it (bindings/wasm). Internal: core/ wraps every call, so
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
 * One model, from opening to writing. What goes wrong inside is thrown as an Error with the string
 * properties code, node, tensor and hint (empty where there is none); what a HostFiles callback
 * throws passes through.
 */
export interface Session {
  /** Reads '~model'. Returns JSON of ModelSummary. */
  open(): string;
  /**
   * Writes '~model' to '~calibration', the data of its tensors as references to '~model'. Needs no
   * open().
   */
  writeSkeleton(): void;
  /** The graph as given, with types inferred. Returns JSON of ModelStructure. */
  structure(): string;
  /**
   * Checks the options (Python names, see docs/options.md) against the model as given.
   */
  configure(optionsJson: string): void;
  /**
   * TensorQuantOverrides against the graph as given, bodies aside: tensors, roles, axes. The form
   * is checked before, but for what depends on the activation type.
   */
  checkOverrides(overridesJson: string): void;
  /**
   * optimize_model and what quantizing requires, opset at least `minOpset`. With `dump` the model
   * after each step goes to files under '~passes/'. Returns JSON of PrepareReport.
   */
  prepare(minOpset: number, dump: boolean): string;
  /**
   * Other options for the prepared model, with which it is prepared in the same way; ranges stay.
   * Returns JSON of PrepareReport.
   */
  reconfigure(optionsJson: string): string;
  /** What quantize() would do, by itself. Returns JSON of PlanReport. */
  plan(): string;
  /**
   * What quantizing would make of the model, with {name: size} as fix_dim. The session is
   * configured and prepared anew by it. Returns JSON of ModelForecast.
   */
  inspect(fixDimJson: string): string;
  /**
   * Writes the prepared float model to '~output'. Data of `threshold` bytes and more goes to
   * `externalFile`, where not empty, or to files of that name with a number behind it. Returns the
   * bytes written.
   */
  writePrepared(
    externalFile: string,
    threshold: number,
    filePerTensor: boolean,
    inferredTypes: boolean,
  ): number;
  /**
   * Tensors whose ranges are wanted, in the order of reductions. Returns JSON of
   * CalibratedTensor[].
   */
  calibrationTensors(): string;
  /**
   * The magnitude that the first BatchNormalization promises. Returns JSON of ExpectedMagnitude, or
   * "null".
   */
  expectedMagnitude(): string;
  /**
   * What the graph tells about the pictures that its input `input` takes. Returns JSON of
   * InputFacts.
   */
  inputFacts(input: string): string;
  /**
   * What running the prepared float model takes, for {input: dims}. Returns JSON of MemoryEstimate.
   */
  estimateMemory(inputShapesJson: string): string;
  /**
   * Writes the float model with the tensors of unknown type as further outputs to '~calibration'.
   * Returns JSON of CalibrationModel, "null" where there are none.
   */
  writeTypeModel(): string;
  /**
   * Takes types as a runtime reports them: JSON of {tensor: [type, rank]}, rank 0 where it is not
   * known. Returns JSON of Diagnostic[].
   */
  learnTypes(typesJson: string): string;
  /**
   * Writes the float model plus in-graph range reductions to '~calibration'; `forRepairs`: by
   * channel of what linear layers read, where there is an effort. Returns JSON of CalibrationModel.
   */
  writeReductionModel(forRepairs: boolean, everySum: boolean): string;
  /**
   * The same with these tensors (a JSON list of names) as outputs, float32; of the model as given
   * before prepare(). Returns JSON of CalibrationModel.
   */
  writeTensorModel(tensorsJson: string): string;
  /**
   * Parts of the model as given, as JSON of ProbeRequest asks, to '~calibration'. Returns JSON of
   * ProbeModel.
   */
  writeProbeModel(requestJson: string): string;
  /** What the model as given holds as integers. Returns JSON of QuantizedTensor[]. */
  quantizedTensors(): string;
  /** A copy of `count` values of an initializer or a Constant node from `first` on. */
  constantValues(name: string, first: number, count: number): Float32Array | Float64Array;
  /** Replaces the ranges: JSON as of Calibration.ranges(). */
  setRanges(rangesJson: string): void;
  /** What repairs are made from: JSON as of Calibration.statistics(). */
  setStatistics(statisticsJson: string): void;
  /** With these repairs (JSON of Repairs). Returns JSON of ModelUnit[]. */
  units(repairsJson: string): string;
  /**
   * For adaptive rounding, after setRanges() and setStatistics(), from `samples` samples. Returns
   * JSON of MomentsToCollect.
   */
  beginMoments(samples: number): string;
  /** One of them in one sample: `dimsJson` a JSON list, the values as in Calibration. */
  observeMoments(tensor: string, dimsJson: string, pointer: number, count: number): void;
  /** Rounds in parts what quantize() with these repairs (JSON of Repairs) would round itself. */
  beginRounding(repairsJson: string): void;
  /** A part. False: all is rounded. */
  continueRounding(): boolean;
  /**
   * Plans and rewrites, with the repairs of `repairsJson` (Repairs); writes the quantized model to
   * '~output' (and `externalFile`). Returns JSON of QuantizeReport.
   */
  quantize(externalFile: string, repairsJson: string): string;
  delete(): void;
}

/**
 * One calibration: which passes over the samples the method needs, what they collected, the ranges.
 * Needs no model. Throws as Session does.
 */
export interface Calibration {
  /**
   * What the pass collects: 'ranges' takes observeRanges(), the others observeTensor(); '' after
   * the last.
   */
  pass(): '' | 'ranges' | 'magnitudes' | 'tails' | 'histograms' | 'nested histograms';
  passIndex(): number;
  passCount(): number;
  /** Whether another one may follow that passCount() does not count yet. */
  mayAddPass(): boolean;
  /** Whether the pass needs no samples but those that repairs are made from. */
  isForRepairs(): boolean;
  /** Whether the pass takes the values of tensor number `tensor`. */
  needs(tensor: number): boolean;
  /**
   * One sample's reductions: `count` floats at `pointer`, in the order of the tensors: min, max,
   * sum, min, …; of what is observed for repairs, channel by channel with the mean in place of the
   * sum, and `forRepairs` tells whether these are kept.
   */
  observeRanges(pointer: number, count: number, forRepairs: boolean): void;
  /** One sample's values of tensor number `tensor`: `count` floats at `pointer`. */
  observeTensor(tensor: number, pointer: number, count: number): void;
  endPass(): void;
  /**
   * After the last pass. JSON: {tensor: [lowest, highest] or [lowest, highest, deviation, mean]};
   * null where no sample had a value; infinite ends are "inf" and "-inf". Float32 values, exact in
   * JSON.
   */
  ranges(): string;
  rangesForRepairs(): string;
  /** With calib_per_channel. JSON: {tensor: [lowest by channel, highest by channel]}. */
  rangesByChannel(): string;
  /**
   * With an effort, of what linear layers read. JSON: {tensor: [lowest by channel, highest, mean]}.
   */
  statistics(): string;
  /** JSON of Diagnostic[]. */
  notes(): string;
  /** All that was collected, as JSON. */
  save(): string;
  /** The same without what this pass collected: what a worker starts from. */
  fork(): string;
  restore(state: string | Uint8Array): void;
  /** Adds what another calibration of the same tensors and options collected in the same pass. */
  add(state: string | Uint8Array): void;
  delete(): void;
}

/** The module's own stack, by Emscripten: an error that leaves a call does not unwind it. */
export interface WasmStack {
  stackSave(): number;
  stackRestore(pointer: number): void;
}

export interface PtqCoreModule extends WasmStack {
  Calibration: new (optionsJson: string, tensorsJson: string) => Calibration;
  Session: new (files: HostFiles) => Session;
  /** JSON of the operator table: [{opType, byDefault, minOpset, qdq, qOperator}]. */
  operators(): string;
  /** JSON of the passes of optimize_model in their order: [{name, description}]. */
  passes(): string;
  /**
   * JSON of every option of the core, by the reference's name: {parameters: {name: default},
   * extra_options: {name: {default, format?, methods?}}}. null: not set; `format` and `methods`
   * (lists): those alone heed it.
   */
  optionDefaults(): string;
  /**
   * What is known about options without the model: names, values, combinations, the form of
   * TensorQuantOverrides. What is left out or null is at its default, which is never refused.
   * Throws as Session does.
   */
  checkOptions(optionsJson: string): void;
  /**
   * The form of TensorQuantOverrides alone; `activationType` is a QuantType, '' where it is not
   * known. Throws as Session does.
   */
  checkOverrides(overridesJson: string, activationType: string): void;
  /**
   * Resizes, crops, reorders and normalizes one decoded image (8-bit interleaved, `channels` 1, 3
   * or 4) into the tensor at `outPointer` (float32). `specJson` is PreprocessSpec, see
   * preprocess.ts.
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
  printErr?: (text: string) => void;
  locateFile?: (path: string, prefix: string) => string;
  wasmBinary?: ArrayBuffer | Uint8Array;
  /** Makes the instance itself, from a module that was compiled before. */
  instantiateWasm?: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ) => WebAssembly.Exports;
}

export default function createPtqCore(options?: PtqCoreOptions): Promise<PtqCoreModule>;
