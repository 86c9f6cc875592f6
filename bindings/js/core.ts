// The C++ core as typed calls: JSON is parsed here, C++ exceptions become QuantizeError here, and heap
// views are taken anew at each use, because any call may grow the memory and detach them.
import type { ExpectedMagnitude } from './calibration/check-samples.js';
import { QuantizeError } from './errors.js';
import type { ModelFiles } from './host-files.js';
import type {
  CalibratedTensor,
  CalibrationModel,
  Diagnostic,
  MemoryEstimate,
  ModelStructure,
  ModelSummary,
  PrepareReport,
  QuantizeReport,
} from './types.js';
import type { OptionValues } from './validate.js';
import createPtqCore, {
  type Calibration,
  type PtqCoreModule,
  type Session,
} from './wasm/ptq_core.mjs';

/** Ranges by tensor: [lowest, highest], with Distribution [lowest, highest, standard deviation, mean]. */
export type TensorRanges = Record<string, [number, number] | [number, number, number, number]>;

/** By tensor: the lowest values of its channels, and the highest. */
export type RangesByChannel = Record<string, [number[], number[]]>;

let loading: Promise<PtqCoreModule> | null = null;
let compiled: WebAssembly.Module | null = null;
let compile: (() => WebAssembly.Module) | null = null;

/** A ptq_core.wasm that was compiled before, so that loadCore() needs no network. */
export function setCoreModule(module: WebAssembly.Module): void {
  compiled = module;
}

/** How ptq_core.wasm is compiled where emscripten's own way (fetching it) keeps it to itself. */
export function setCoreCompiler(work: () => WebAssembly.Module): void {
  compile = work;
}

/** The compiled ptq_core.wasm, once loadCore() has made it: workers need not compile it again. */
export function coreModule(): WebAssembly.Module | null {
  return compiled;
}
let loaded: PtqCoreModule | null = null;

/**
 * Loads the wasm module once; later calls return the same one.
 * Throws QuantizeError CORE_NOT_LOADED where the file is missing or WebAssembly lacks what it needs.
 */
export function loadCore(): Promise<PtqCoreModule> {
  loading ??= load().then(
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

async function load(): Promise<PtqCoreModule> {
  compiled ??= compile ? compile() : null;
  return createPtqCore({
    // A literal new URL(…, import.meta.url): bundlers recognize it and copy the file along.
    locateFile: () => new URL('./wasm/ptq_core.wasm', import.meta.url).href,
    ...(compiled && { instantiateWasm: instantiate(compiled) }),
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
  configure(options: OptionValues): void {
    this.#call(() => this.#session.configure(JSON.stringify(options)));
  }

  /** `minOpset`: the opset is raised at least this far. */
  prepare(minOpset = 0): PrepareReport {
    return this.#json((session) => session.prepare(minOpset));
  }

  writePrepared(externalFile: string): void {
    this.#call(() => this.#session.writePrepared(externalFile));
  }

  calibrationTensors(): CalibratedTensor[] {
    return this.#json((session) => session.calibrationTensors());
  }

  expectedMagnitude(): ExpectedMagnitude | null {
    return this.#json((session) => session.expectedMagnitude());
  }

  /** `shapes`: dims by input. */
  estimateMemory(shapes: Record<string, readonly number[]>): MemoryEstimate {
    return this.#json((session) => session.estimateMemory(JSON.stringify(shapes)));
  }

  writeReductionModel(): CalibrationModel {
    return this.#json((session) => session.writeReductionModel());
  }

  writeTensorModel(tensors: readonly string[]): CalibrationModel {
    return this.#json((session) => session.writeTensorModel(JSON.stringify(tensors)));
  }

  /** `ranges`: the JSON of CoreCalibration.ranges(), or of formatRanges(). */
  setRanges(ranges: string): void {
    this.#call(() => this.#session.setRanges(ranges));
  }

  quantize(externalFile: string): QuantizeReport {
    return this.#json((session) => session.quantize(externalFile));
  }

  dispose(): void {
    this.#session.delete();
  }

  #json<T>(work: (session: Session) => string): T {
    return JSON.parse(this.#call(() => work(this.#session)));
  }

  #call<T>(work: () => T): T {
    return callCore(this.#core, work, () => this.#files.takeError());
  }
}

/** One calibration in the core: passes over the samples, what they collect, the ranges. Call dispose() in the end. */
export class CoreCalibration {
  readonly #core: PtqCoreModule;
  readonly #calibration: Calibration;
  /** In the heap: what a tensor is copied to, a part at a time where it is large. */
  #buffer = { pointer: 0, count: 0 };

  private constructor(core: PtqCoreModule, options: string, tensors: string) {
    this.#core = core;
    this.#calibration = callCore(core, () => new core.Calibration(options, tensors));
  }

  /** `options`: see coreOptions(). Throws INVALID_OPTION, UNSUPPORTED_OPTION. */
  static async create(
    options: OptionValues,
    tensors: readonly CalibratedTensor[],
  ): Promise<CoreCalibration> {
    return new CoreCalibration(await loadCore(), JSON.stringify(options), JSON.stringify(tensors));
  }

  /** What the pass collects, '' after the last one. */
  get pass(): ReturnType<Calibration['pass']> {
    return this.#calibration.pass();
  }

  get passIndex(): number {
    return this.#calibration.passIndex();
  }

  get passCount(): number {
    return this.#calibration.passCount();
  }

  /** One sample's reductions: min, max, sum, min, … in the order of the tensors. */
  observeRanges(values: Float32Array): void {
    const pointer = this.#reserve(values.length);
    this.#core.HEAPF32.set(values, pointer / 4);
    this.#call(() => this.#calibration.observeRanges(pointer, values.length));
  }

  /** One sample's values of one tensor, in any number of parts. */
  observeTensor(tensor: number, values: Float32Array): void {
    // Parts that stay in the processor's cache between the copy and the count.
    const pointer = this.#reserve(Math.min(values.length, partOfTensor));
    for (let start = 0; start < values.length; start += partOfTensor) {
      const part = values.subarray(start, start + partOfTensor);
      this.#core.HEAPF32.set(part, pointer / 4);
      this.#call(() => this.#calibration.observeTensor(tensor, pointer, part.length));
    }
  }

  endPass(): void {
    this.#call(() => this.#calibration.endPass());
  }

  /** JSON of the ranges, for CoreSession.setRanges() and parseRanges(). */
  ranges(): string {
    return this.#call(() => this.#calibration.ranges());
  }

  /** With calib_per_channel. */
  rangesByChannel(): RangesByChannel {
    return JSON.parse(this.#call(() => this.#calibration.rangesByChannel()));
  }

  notes(): Diagnostic[] {
    return JSON.parse(this.#call(() => this.#calibration.notes()));
  }

  save(): string {
    return this.#call(() => this.#calibration.save());
  }

  fork(): string {
    return this.#call(() => this.#calibration.fork());
  }

  restore(state: string): void {
    this.#call(() => this.#calibration.restore(state));
  }

  add(state: string): void {
    this.#call(() => this.#calibration.add(state));
  }

  dispose(): void {
    if (this.#buffer.pointer) this.#core._free(this.#buffer.pointer);
    this.#buffer = { pointer: 0, count: 0 };
    this.#calibration.delete();
  }

  #reserve(count: number): number {
    if (this.#buffer.count < count) {
      if (this.#buffer.pointer) this.#core._free(this.#buffer.pointer);
      this.#buffer = { pointer: this.#core._malloc(count * 4), count };
      if (!this.#buffer.pointer) throw new QuantizeError('OUT_OF_MEMORY', 'the core has no memory');
    }
    return this.#buffer.pointer;
  }

  #call<T>(work: () => T): T {
    return callCore(this.#core, work);
  }
}

const partOfTensor = 2 ** 18;

type RangeEnd = number | 'inf' | '-inf';

/** Ranges from the core's JSON, tensors without a value left out. */
export function parseRanges(json: string): TensorRanges {
  const ranges: TensorRanges = {};
  const end = (value: RangeEnd) =>
    typeof value === 'number' ? value : value === 'inf' ? Infinity : -Infinity;
  for (const [tensor, range] of Object.entries(
    JSON.parse(json) as Record<string, RangeEnd[] | null>,
  )) {
    if (range) ranges[tensor] = range.map(end) as [number, number];
  }
  return ranges;
}

/** The core's JSON of ranges. */
export function formatRanges(ranges: TensorRanges): string {
  return JSON.stringify(ranges, (_, value) =>
    value === Infinity ? 'inf' : value === -Infinity ? '-inf' : value,
  );
}
