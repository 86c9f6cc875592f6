// One model in the core as typed calls: JSON is parsed here.
import { QuantizeError } from '../base/errors.js';
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
  MomentsToCollect,
  OptionValues,
  PrepareReport,
  QuantizeReport,
  Repairs,
} from '../base/types.js';
import type { Session } from '../wasm/ptq_core.mjs';
import type { ModelFiles } from './host-files.js';
import { type Core, callCore, loadCore } from './load.js';

const noRepairs: Repairs = {
  layerIo: false,
  equalize: false,
  correctBiases: false,
  round: false,
  smooth: 0,
};

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
    return this.#json((session) => session.prepare(minOpset, dump));
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
    return this.#json((session) => session.learnTypes(JSON.stringify(types)));
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

  /** `statistics`: the JSON of CoreCalibration.statistics(). */
  setStatistics(statistics: string): void {
    this.#call(() => this.#session.setStatistics(statistics));
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

  quantize(externalFile: string, repairs: Repairs = noRepairs): QuantizeReport {
    return this.#json((session) => session.quantize(externalFile, JSON.stringify(repairs)));
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
