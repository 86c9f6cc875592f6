// The float model as it was given, which results are compared with: loaded once for as long as it
// is needed, and what it made of a sample is kept.
import type { InputFiles } from '../base/bytes.js';
import type { Feeds, ModelSummary } from '../base/types.js';
import type { RuntimeModel, RuntimeSession } from '../runtime/runtime.js';
import { createSessionIn } from '../runtime/worker-sessions.js';
import type { RuntimeAndWorkers } from '../runtime/workers.js';
import type { Outputs } from './compare.js';
import { isRuntimeError, medianTime, runAll } from './run-model.js';

/** Loads the model as it was given. Throws RUNTIME_CANNOT_LOAD. */
export async function loadAsGiven(
  runtime: RuntimeAndWorkers,
  input: InputFiles,
  model: ModelSummary,
  optimization: NonNullable<RuntimeModel['optimization']> = 'basic',
): Promise<RuntimeSession> {
  const externalData = model.externalFiles.map((path) => ({
    path,
    data: input.runtimeBytes(path),
  }));
  return createSessionIn('float', runtime, input.label, {
    model: input.runtimeBytes('~model'),
    irVersion: model.irVersion,
    externalData,
    optimization,
  });
}

/**
 * Sequences, maps and optional values are not tensors: they cannot be fetched from every runtime.
 */
const tensorTypes = /^(float|u?int|bool|string)\d*$/;

/** Outputs to compare: all that are tensors. */
export const comparedOutputs = (model: ModelSummary): string[] =>
  model.outputs.filter(({ type }) => tensorTypes.test(type)).map(({ name }) => name);

/** What a float model made of each sample. */
export type FloatOutputs = WeakMap<Feeds, Outputs>;

/** Outputs of a sample that take more bytes are not kept. */
const mostKeptBytes = 2 ** 21;

/** Has a session from its first run until release(); the outputs stay. */
export class FloatModel {
  readonly #runtime: RuntimeAndWorkers;
  readonly #input: InputFiles;
  readonly #model: ModelSummary;
  readonly #outputs: FloatOutputs;
  #session: Promise<RuntimeSession> | null = null;
  /** Milliseconds of the session's runs. */
  #times: number[] = [];

  /** `outputs`: of samples that it has run before. */
  constructor(
    runtime: RuntimeAndWorkers,
    input: InputFiles,
    model: ModelSummary,
    outputs: FloatOutputs = new WeakMap(),
  ) {
    this.#runtime = runtime;
    this.#input = input;
    this.#model = model;
    this.#outputs = outputs;
  }

  /** Whether the runtime can load it. */
  loads(): Promise<boolean> {
    return this.#load().then(
      () => true,
      () => false,
    );
  }

  /** Samples that have to be run. */
  unknownOf(samples: readonly Feeds[]): Feeds[] {
    return samples.filter((sample) => !this.#outputs.has(sample));
  }

  /** `checkpoint` is called after each sample that is run, with their number. */
  async outputsOf(
    samples: readonly Feeds[],
    checkpoint: (done: number) => Promise<void>,
  ): Promise<Outputs[]> {
    const unknown = this.unknownOf(samples);
    const made = new Map<Feeds, Outputs>();
    if (unknown.length > 0) {
      const session = await this.#load();
      const names = comparedOutputs(this.#model);
      const outputs = await runAll(session, unknown, names, checkpoint, this.#times);
      for (const [i, sample] of unknown.entries()) {
        made.set(sample, outputs[i]!);
        if (bytesOf(outputs[i]!) <= mostKeptBytes) this.#outputs.set(sample, outputs[i]!);
      }
    }
    return samples.map((sample) => made.get(sample) ?? this.#outputs.get(sample)!);
  }

  /** Milliseconds of a run. */
  async latency(sample: Feeds): Promise<number> {
    return medianTime(await this.#load(), sample, comparedOutputs(this.#model), this.#times);
  }

  async release(): Promise<void> {
    const session = await this.#session?.catch(() => null);
    this.#session = null;
    this.#times = [];
    await session?.release();
  }

  #load(): Promise<RuntimeSession> {
    this.#session ??= this.#loadOptimized();
    return this.#session;
  }

  /** As users run it, so that latencies compare; with less, where the runtime cannot. */
  async #loadOptimized(): Promise<RuntimeSession> {
    try {
      return await loadAsGiven(this.#runtime, this.#input, this.#model, 'all');
    } catch (error) {
      if (!isRuntimeError(error)) throw error;
      return loadAsGiven(this.#runtime, this.#input, this.#model);
    }
  }
}

const bytesOf = (outputs: Outputs) =>
  Object.values(outputs).reduce(
    (sum, { data }) => sum + (ArrayBuffer.isView(data) ? data.byteLength : 0),
    0,
  );
