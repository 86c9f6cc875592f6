// Runs the float model on samples for one pass of a calibration and hands what comes out to the
// core. The same class in the calling thread and in a worker (serve-runner.ts).

import { freeBuffer } from '../base/free-buffer.js';
import { heapAnchor } from '../base/heap-anchor.js';
import type { CalibratedTensor, Feeds, OptionValues } from '../base/types.js';
import { CoreCalibration } from '../core/calibration.js';
import type { Runtime, RuntimeKind } from '../platform/platform.js';
import { type ExternalBytes, isSource, sendableData } from '../runtime/given-bytes.js';
import { runSample } from '../runtime/run-sample.js';
import { createSession, type RuntimeModel, type RuntimeSession } from '../runtime/runtime.js';

/** What is run in one pass; sendablePass() makes it plain data, for a worker. */
export interface PassModel {
  /** For messages. */
  label: string;
  /**
   * Whether the model has Q/DQ pairs already, which an optimizer would fuse, or more tensors than
   * are worth optimizing.
   */
  asWritten: boolean;
  /**
   * Whether it takes means, whose last bits depend on the number of threads: workers have one each,
   * and who runs which sample depends on time.
   */
  oneThread: boolean;
  model: Uint8Array;
  /**
   * Of reductions: the same with the sums of all tensors, which is run where one tells NaN; null:
   * `model` has them.
   */
  forNan: Uint8Array | null;
  irVersion: number;
  externalData: ExternalBytes[];
  /** One vector of reductions, or tensors. */
  outputs: readonly string[];
  /** The number of each output among the calibrated tensors; null: reductions. */
  tensors: readonly number[] | null;
}

/** For one worker, `copies` to be transferred to it. */
export function sendablePass(pass: PassModel): { pass: PassModel; copies: ArrayBuffer[] } {
  const externalData = sendableData(pass.externalData);
  const copies = pass.externalData.flatMap(({ data }, index) =>
    isSource(data) ? [(externalData[index]!.data as Uint8Array<ArrayBuffer>).buffer] : [],
  );
  return { pass: { ...pass, externalData }, copies };
}

/** How to make a calibration that goes on from another one. */
export interface CalibrationSeed {
  options: OptionValues;
  tensors: readonly CalibratedTensor[];
  /** CoreCalibration.fork() */
  state: string;
}

export async function growCalibration(seed: CalibrationSeed): Promise<CoreCalibration> {
  const calibration = await CoreCalibration.create(seed.options, seed.tensors);
  calibration.restore(seed.state);
  return calibration;
}

/**
 * Natively with onnxruntime's layout optimizations, which make convolutions twice as fast; every
 * tensor that is observed is an output and so is never fused away. In WebAssembly they gain
 * nothing, and the graph runs as it is.
 */
const optimizations = {
  node: 'all',
  web: 'disabled',
  webgpu: 'disabled',
} as const satisfies Record<RuntimeKind, string>;

/** Loads what a pass runs. Throws RUNTIME_CANNOT_LOAD. */
export function startSession(
  runtime: Runtime,
  pass: PassModel,
  optimization: RuntimeModel['optimization'] = pass.asWritten
    ? 'disabled'
    : optimizations[runtime.kind],
): Promise<RuntimeSession> {
  const { label, model, irVersion, externalData, oneThread } = pass;
  return createSession(oneThread ? { ...runtime, threads: 1 } : runtime, label, {
    model,
    irVersion,
    externalData,
    optimization,
    frugal: true,
  });
}

export class Runner {
  readonly #runtime: Runtime;
  #pass: PassModel;
  #session: RuntimeSession;
  readonly #calibration: CoreCalibration | null;
  /** Is never read. */
  #anchor: Uint8Array | null = null;

  private constructor(
    runtime: Runtime,
    pass: PassModel,
    session: RuntimeSession,
    calibration: CoreCalibration | null,
  ) {
    this.#runtime = runtime;
    this.#pass = pass;
    this.#session = session;
    this.#calibration = calibration;
  }

  /**
   * `calibration` receives what tensors hold; reductions are returned, and need none. Throws
   * RUNTIME_CANNOT_LOAD.
   */
  static async start(
    runtime: Runtime,
    pass: PassModel,
    calibration: CoreCalibration | null,
  ): Promise<Runner> {
    return new Runner(runtime, pass, await startSession(runtime, pass), calibration);
  }

  /**
   * Runs sample number `index`. Returns its reductions, or null where the calibration has observed
   * the tensors.
   */
  async run(feeds: Feeds, index: number): Promise<Float32Array | null> {
    const { outputs, tensors } = this.#pass;
    if (outputs.length === 0) return null; // nothing to observe
    const results = await runSample(this.#session, feeds, outputs, index);
    if (tensors === null) {
      const reductions = results[outputs[0]!]!.data as Float32Array;
      if (this.#pass.forNan === null || !reductions.some(Number.isNaN)) return reductions;
      await this.#takeAllSums(this.#pass.forNan);
      return this.run(feeds, index);
    }
    this.#anchor ??= heapAnchor();
    for (const [position, name] of outputs.entries()) {
      const values = results[name]!.data as Float32Array;
      this.#calibration?.observeTensor(tensors[position]!, values);
      freeBuffer(values);
    }
    return null;
  }

  /** From now on: a model that makes NaN of one sample often does so of others. */
  async #takeAllSums(model: Uint8Array): Promise<void> {
    const { release } = this.#session;
    this.#pass = { ...this.#pass, model, forNan: null };
    this.#session = await startSession(this.#runtime, this.#pass);
    await release();
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}
