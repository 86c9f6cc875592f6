// One calibration in the core as typed calls. Heap views are taken anew at each use, because any
// call may grow the memory and detach them.
import { QuantizeError } from '../base/errors.js';
import type { CalibratedTensor, Diagnostic, OptionValues, RangesByChannel } from '../base/types.js';
import type { Calibration } from '../wasm/ptq_core.mjs';
import { type Core, callCore, loadCore } from './load.js';

/**
 * One calibration in the core: passes over the samples, what they collect, the ranges. Call
 * dispose() in the end.
 */
export class CoreCalibration {
  readonly #core: Core;
  readonly #calibration: Calibration;
  /** In the heap: what a tensor is copied to, a part at a time where it is large. */
  #buffer = { pointer: 0, count: 0 };

  private constructor(core: Core, options: string, tensors: string) {
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

  /** Whether another pass may follow that passCount does not count yet. */
  get mayAddPass(): boolean {
    return this.#calibration.mayAddPass();
  }

  /** Whether the pass needs no samples but those that repairs are made from. */
  get isForRepairs(): boolean {
    return this.#calibration.isForRepairs();
  }

  /** Whether the pass takes the values of tensor number `tensor`. */
  needs(tensor: number): boolean {
    return this.#calibration.needs(tensor);
  }

  /**
   * One sample's reductions: min, max, sum, min, … in the order of the tensors. `forRepairs`:
   * whether repairs are made from the sample.
   */
  observeRanges(values: Float32Array, forRepairs = true): void {
    const pointer = this.#reserve(values.length);
    this.#core.HEAPF32.set(values, pointer / 4);
    this.#call(() => this.#calibration.observeRanges(pointer, values.length, forRepairs));
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

  /** The same of the samples that repairs are made from, where ranges are those of the values. */
  rangesForRepairs(): string {
    return this.#call(() => this.#calibration.rangesForRepairs());
  }

  /** With calib_per_channel. */
  rangesByChannel(): RangesByChannel {
    return JSON.parse(this.#call(() => this.#calibration.rangesByChannel()));
  }

  /** With an effort: JSON for CoreSession.setStatistics(). */
  statistics(): string {
    return this.#call(() => this.#calibration.statistics());
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
    const text = toText.encode(state);
    this.#call(() => this.#calibration.restore(text));
  }

  add(state: string): void {
    const text = toText.encode(state);
    this.#call(() => this.#calibration.add(text));
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

/** Embind copies a string of megabytes one character at a time, bytes at once. */
const toText = new TextEncoder();

const partOfTensor = 2 ** 18;
