// One of the two models of a diagnosis: its graph, and sessions that run parts of it.
import type { InputFiles } from '../base/bytes.js';
import { freeBuffer } from '../base/free-buffer.js';
import { isLargeModel } from '../base/large-model.js';
import type { Feeds, ModelStructure, ModelSummary } from '../base/types.js';
import { ModelFiles } from '../core/host-files.js';
import type { ProbeRequest, QuantizedTensor } from '../core/probes.js';
import { CoreSession } from '../core/session.js';
import type { Runtime } from '../platform/platform.js';
import { createSession, type OutputTensor, type RuntimeModel } from '../runtime/runtime.js';
import type { SessionTurns } from './session-turns.js';

export interface ConstantPart {
  first: number;
  count: number;
  values: Float32Array | Float64Array;
}

const partElements = 2 ** 17;

export class ProbedModel {
  readonly summary: ModelSummary;
  readonly structure: ModelStructure;
  readonly quantized: readonly QuantizedTensor[];
  readonly #core: CoreSession;
  readonly #files: ModelFiles;
  readonly #input: InputFiles;

  private constructor(core: CoreSession, files: ModelFiles, input: InputFiles) {
    this.#core = core;
    this.#files = files;
    this.#input = input;
    this.summary = core.open();
    this.structure = core.structure();
    this.quantized = core.quantizedTensors();
  }

  /** Throws as CoreSession.open(). Call dispose() in the end; `input` stays open. */
  static async open(input: InputFiles): Promise<ProbedModel> {
    const files = new ModelFiles(input);
    const core = await CoreSession.create(files);
    try {
      return new ProbedModel(core, files, input);
    } catch (error) {
      core.dispose();
      throw error;
    }
  }

  /** A copy of the values of an initializer or a Constant node; null where `name` is none. */
  constant(name: string): Float32Array | Float64Array | null {
    let all: Float32Array | Float64Array | null = null;
    for (const { first, count, values } of this.constantParts(name)) {
      all ??= values instanceof Float32Array ? new Float32Array(count) : new Float64Array(count);
      all.set(values, first);
      freeBuffer(values);
    }
    return all;
  }

  /**
   * The same in parts, at least one, from element `first` of `count` on: the core's heap never
   * becomes smaller. To be handed to freeBuffer(): else a weight's worth of them waits for the
   * garbage collector.
   */
  *constantParts(name: string): Generator<ConstantPart, void> {
    if (!Object.hasOwn(this.structure.initializers, name)) return;
    const count = this.structure.initializers[name]!.reduce((product, dim) => product * dim, 1);
    let first = 0;
    do {
      const size = Math.min(partElements, count - first);
      yield { first, count, values: this.#core.constantValues(name, first, size) };
      first += size;
    } while (first < count);
  }

  /** Whether its sessions are loaded one at a time. */
  get isLarge(): boolean {
    return isLargeModel(this.#input, this.summary);
  }

  /**
   * Loads what `request` asks for; with `turns`, when it is run. Throws RUNTIME_CANNOT_LOAD.
   */
  async probe(
    runtime: Runtime,
    request: ProbeRequest,
    options: Pick<RuntimeModel, 'optimization' | 'exactIntegers'> = {},
    turns: SessionTurns | null = null,
  ): Promise<Probe> {
    const { outputs, files: names, ...inputs } = this.#core.writeProbeModel(request);
    const model = this.#files.calibration.toBytes();
    this.#files.calibration.truncate();
    const load = () =>
      createSession(runtime, this.#input.label, {
        model,
        irVersion: this.summary.irVersion,
        externalData: names.map((path) => ({ path, data: this.#input.runtimeBytes(path) })),
        optimization: 'basic',
        exactIntegers: true,
        ...options,
      });
    const session = turns ? turns.session(load) : await load();
    return {
      ...inputs,
      run: async (feeds) => {
        const results = await session.run(feeds, outputs);
        return outputs.map((name) => results[name]!);
      },
      release: () => session.release(),
    };
  }

  dispose(): void {
    this.#core.dispose();
  }
}

/** A loaded part of a model. */
export interface Probe {
  /** Inputs of the model as given that are read. */
  readonly inputs: readonly string[];
  /** Inputs for what is fed, or added; '' where nothing reads it. */
  readonly fed: readonly string[];
  readonly added: readonly string[];
  /** The outputs in the order of the request. */
  run(feeds: Feeds): Promise<OutputTensor[]>;
  release(): Promise<void>;
}
