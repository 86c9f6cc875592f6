// One model in the core as typed calls: JSON is parsed here.
import { QuantizeError } from '../base/errors.js';
import { noRepairs } from '../base/repairs.js';
import type {
  CalibratedTensor,
  CalibrationModel,
  Diagnostic,
  ExpectedMagnitude,
  InputFacts,
  MemoryEstimate,
  ModelForecast,
  ModelStructure,
  ModelSummary,
  ModelUnit,
  MomentsToCollect,
  OptionValues,
  PlanReport,
  PrepareReport,
  QuantizeReport,
  Repairs,
} from '../base/types.js';
import type { Session } from '../wasm/ptq_core.mjs';
import type { ModelFiles } from './host-files.js';
import { type Core, callCore, loadCore } from './load.js';
import type { ProbeModel, ProbeRequest, QuantizedTensor } from './probes.js';

/** How a prepared model is written. */
export interface PreparedOutput {
  /** '' where the weights stay in the model. */
  externalFile: string;
  /** Bytes: smaller tensors stay in the model. */
  threshold: number;
  filePerTensor: boolean;
  /** Whether types and shapes that were inferred are written, too. */
  inferredTypes: boolean;
}

/** One model, from opening to writing. Call dispose() in the end. */
export class CoreSession {
  readonly #core: Core;
  readonly #files: ModelFiles;
  readonly #session: Session;
  /** How much of the scratch file prepare() wrote, and how much the prepared model refers to. */
  #scratch = { prepared: 0, used: 0 };

  private constructor(core: Core, files: ModelFiles) {
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

  /** '~model' to '~calibration', without the data of its tensors. Needs no open(). */
  writeSkeleton(): void {
    this.#call(() => this.#session.writeSkeleton());
  }

  structure(): ModelStructure {
    return this.#json((session) => session.structure());
  }

  /** `options`: the reference's names, see coreOptions(). */
  configure(options: OptionValues): void {
    this.#call(() => this.#session.configure(JSON.stringify(options)));
  }

  /** TensorQuantOverrides whose form was checked, against the model. Throws INVALID_OPTION. */
  checkOverrides(overrides: object): void {
    this.#call(() => this.#session.checkOverrides(JSON.stringify(overrides)));
  }

  /**
   * `minOpset`: the opset is raised at least this far. `dump`: what each pass leaves goes to the
   * files' dump.
   */
  prepare({ minOpset = 0, dump = false } = {}): PrepareReport {
    const report = this.#json<PrepareReport>((session) => session.prepare(minOpset, dump));
    const { size } = this.#files.scratch;
    this.#scratch = { prepared: size, used: size };
    return report;
  }

  /** Other options, with which the model is prepared in the same way. */
  reconfigure(options: OptionValues): PrepareReport {
    this.#files.scratch.truncate(this.#scratch.prepared);
    return this.#using(() => this.#json((session) => session.reconfigure(JSON.stringify(options))));
  }

  /** What quantize() would do, with the ranges that were set, or with assumed ones. */
  plan(): PlanReport {
    return this.#json((session) => session.plan());
  }

  /** What quantizing would make of the model as it is given. `fixDim`: sizes by name. */
  inspect(fixDim: Readonly<Record<string, number>>): ModelForecast {
    return this.#json((session) => session.inspect(JSON.stringify(fixDim)));
  }

  /** Returns the bytes that were written. */
  writePrepared(options: PreparedOutput): number {
    const { externalFile, threshold, filePerTensor, inferredTypes } = options;
    return this.#call(() =>
      this.#session.writePrepared(externalFile, threshold, filePerTensor, inferredTypes),
    );
  }

  calibrationTensors(): CalibratedTensor[] {
    return this.#json((session) => session.calibrationTensors());
  }

  expectedMagnitude(): ExpectedMagnitude | null {
    return this.#json((session) => session.expectedMagnitude());
  }

  inputFacts(input: string): InputFacts {
    return this.#json((session) => session.inputFacts(input));
  }

  /** `shapes`: dims by input. */
  estimateMemory(shapes: Record<string, readonly number[]>): MemoryEstimate {
    return this.#json((session) => session.estimateMemory(JSON.stringify(shapes)));
  }

  /** null where every tensor has a type. */
  writeTypeModel(): CalibrationModel | null {
    return this.#json((session) => session.writeTypeModel());
  }

  /** `types`: type and rank (0: not known) by tensor. */
  learnTypes(types: Record<string, [type: string, rank: number]>): Diagnostic[] {
    return this.#using(() => this.#json((session) => session.learnTypes(JSON.stringify(types))));
  }

  /**
   * `forRepairs`: with an effort, by channel of what linear layers read. `everySum`: with the sums
   * also of tensors whose NaN shows in others.
   */
  writeReductionModel(forRepairs: boolean, everySum: boolean): CalibrationModel {
    return this.#json((session) => session.writeReductionModel(forRepairs, everySum));
  }

  writeTensorModel(tensors: readonly string[]): CalibrationModel {
    return this.#json((session) => session.writeTensorModel(JSON.stringify(tensors)));
  }

  /** Parts of the model as given, to '~calibration'. */
  writeProbeModel({ outputs, fed = [], added = [], sizes = false }: ProbeRequest): ProbeModel {
    const request = JSON.stringify({ outputs, fed, added, sizes });
    return this.#json((session) => session.writeProbeModel(request));
  }

  /** What the model as given holds as integers. */
  quantizedTensors(): QuantizedTensor[] {
    return this.#json((session) => session.quantizedTensors());
  }

  /**
   * A copy of `count` values of an initializer or a Constant node from `first` on, a multiple of 8;
   * integers of 32 and 64 bits as float64. Throws INVALID_OPTION.
   */
  constantValues(name: string, first: number, count: number): Float32Array | Float64Array {
    return this.#call(() => this.#session.constantValues(name, first, count));
  }

  /** `ranges`: the JSON of CoreCalibration.ranges(), or of formatRanges(). */
  setRanges(ranges: string): void {
    this.#call(() => this.#session.setRanges(ranges));
  }

  /** `statistics`: the JSON of CoreCalibration.statistics(). */
  setStatistics(statistics: string): void {
    this.#call(() => this.#session.setStatistics(statistics));
  }

  /** What these repairs would have quantized, in parts that may stay float, in their order. */
  units(repairs: Repairs): ModelUnit[] {
    return this.#json((session) => session.units(JSON.stringify(repairs)));
  }

  /** For adaptive rounding, after setRanges() and setStatistics(), from so many samples. */
  beginMoments(samples: number): MomentsToCollect {
    return this.#json((session) => session.beginMoments(samples));
  }

  observeMoments(tensor: string, dims: readonly number[], values: Float32Array): void {
    const pointer = this.#core._malloc(values.byteLength);
    if (!pointer) throw new QuantizeError('OUT_OF_MEMORY', 'the core has no memory');
    try {
      this.#core.HEAPF32.set(values, pointer / 4);
      const shape = JSON.stringify(dims);
      this.#call(() => this.#session.observeMoments(tensor, shape, pointer, values.length));
    } finally {
      this.#core._free(pointer);
    }
  }

  /**
   * What takes longest of quantize() with these repairs, in parts: quantize() finds it done then.
   * continueRounding() is false when it is.
   */
  beginRounding(repairs: Repairs): void {
    this.#files.scratch.truncate(this.#scratch.used); // of the result before
    this.#call(() => this.#session.beginRounding(JSON.stringify(repairs)));
  }

  continueRounding(): boolean {
    return this.#call(() => this.#session.continueRounding());
  }

  /** `only`: nothing but these nodes is quantized; absent: all that can be. */
  quantize(
    externalFile: string,
    repairs: Repairs = noRepairs,
    only: readonly string[] = [],
  ): QuantizeReport {
    this.#files.scratch.truncate(this.#scratch.used); // of the result before
    const asked = JSON.stringify({ ...repairs, only });
    return this.#json((session) => session.quantize(externalFile, asked));
  }

  dispose(): void {
    this.#session.delete();
  }

  #using<T>(work: () => T): T {
    const result = work();
    this.#scratch.used = this.#files.scratch.size;
    return result;
  }

  #json<T>(work: (session: Session) => string): T {
    return JSON.parse(this.#call(() => work(this.#session)));
  }

  #call<T>(work: () => T): T {
    return callCore(this.#core, work, () => this.#files.takeError());
  }
}
