// onnxruntime: sessions and runs. The module itself comes from the platform (onnxruntime-web's Node
// and browser builds are different entries of one package; onnxruntime-node has the same API).
import type * as Ort from 'onnxruntime-web';
import { QuantizeError } from '../base/errors.js';
import { type Sentence, say } from '../base/text.js';
import type { Feeds, TensorData } from '../base/types.js';
import type { Runtime } from '../platform/platform.js';
import {
  type ExternalBytes,
  type GivenBytes,
  givenBytes,
  type SessionBytes,
} from './given-bytes.js';
import { isOutOfMemory, reason } from './reason.js';

export interface RuntimeModel {
  model: SessionBytes;
  /** The model's; absent: one that onnxruntime has. */
  irVersion?: number;
  /** External data by the name that the model refers to it by. */
  externalData?: readonly ExternalBytes[];
  /** 'disabled' runs the graph as it is written: what calibration wants. */
  optimization?: 'disabled' | 'basic' | 'all';
  /**
   * Quantized operators are exact on every processor, however slow: results are judged by what they
   * are.
   */
  exactIntegers?: boolean;
  /**
   * Each tensor gets its memory as it is made, instead of all theirs at once from the second run
   * on: as fast, and what the first run took is taken again.
   */
  frugal?: boolean;
}

/** One output tensor, copied out of onnxruntime where that was needed. */
export interface OutputTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

export interface RuntimeSession {
  /**
   * Samples that it runs at a time, each in a worker, while the calling thread goes on; absent: it
   * runs in the calling thread.
   */
  readonly lanes?: number;
  readonly outputNames: readonly string[];
  /** Type and rank of the outputs that are tensors; rank 0 where it is not known. */
  outputTypes(): Record<string, [type: string, rank: number]>;
  /** Runs one sample and returns the outputs named in `fetches`. */
  run(feeds: Feeds, fetches: readonly string[]): Promise<Record<string, OutputTensor>>;
  release(): Promise<void>;
}

/**
 * A thread of onnxruntime-node that waits for the others goes to sleep after so long. By default it
 * stays awake much longer, beyond the end of a run, which takes as much CPU time as the run.
 */
const spinMicroseconds = '100';

/**
 * Loads a model; `what` names it in errors. Throws QuantizeError RUNTIME_CANNOT_LOAD with
 * onnxruntime's own reason, OUT_OF_MEMORY where it has no room for it.
 */
export async function createSession(
  runtime: Runtime,
  what: string,
  {
    model,
    irVersion = 0,
    externalData = [],
    optimization = 'all',
    exactIntegers = false,
    frugal = false,
  }: RuntimeModel,
): Promise<RuntimeSession> {
  const { ort } = runtime;
  // What it logs is in its errors, too, which are ours to show.
  ort.env.logLevel = 'fatal';
  const options: Ort.InferenceSession.SessionOptions = {
    executionProviders: [...executionProviders[runtime.kind]],
    graphOptimizationLevel: optimization,
    logSeverityLevel: 4,
    enableMemPattern: !frugal,
    ...(runtime.kind === 'node' && {
      intraOpNumThreads: runtime.threads,
      extra: {
        session: {
          intra_op: { spin_duration_us: spinMicroseconds },
          // x64 processors without VNNI would saturate sums of products of 8 bits.
          ...(exactIntegers && { x64quantprecision: '1' }),
        },
      },
    }),
  };
  let session: Ort.InferenceSession;
  let given: GivenBytes | null = null;
  try {
    given = await givenBytes(runtime, model, externalData, irVersion);
    options.externalData = given.externalData;
    const bytes = given.model as Uint8Array;
    const create = () => ort.InferenceSession.create(bytes, options);
    session = await (runtime.compiles?.(create) ?? create());
  } catch (cause) {
    if (cause instanceof QuantizeError) throw cause;
    throw runtimeError('RUNTIME_CANNOT_LOAD', say`onnxruntime cannot load ${what}`, runtime, cause);
  } finally {
    given?.close();
  }
  return {
    outputNames: session.outputNames,
    outputTypes: () => outputTypes(session),
    run: (feeds, fetches) => run(runtime, session, feeds, fetches),
    release: () => session.release(),
  };
}

function outputTypes({ outputMetadata }: Ort.InferenceSession) {
  const types: Record<string, [string, number]> = Object.create(null);
  for (const value of outputMetadata) {
    if (value.isTensor) types[value.name] = [value.type, value.shape.length];
  }
  return types;
}

/**
 * Without 'wasm' after it a GPU that is not there is an error; operators that it has no kernel for
 * run on the CPU all the same. In NHWC, its default, it transposes before every reduction, and 1-D
 * Conv is wrong (microsoft/onnxruntime 22994).
 */
const executionProviders = {
  web: ['wasm'],
  node: ['cpu'],
  webgpu: [{ name: 'webgpu', preferredLayout: 'NCHW' }],
} as const satisfies Record<Runtime['kind'], readonly unknown[]>;

async function run(
  runtime: Runtime,
  session: Ort.InferenceSession,
  feeds: Feeds,
  fetches: readonly string[],
): Promise<Record<string, OutputTensor>> {
  if (fetches.length === 0) return {}; // onnxruntime refuses to run for nothing
  const { ort } = runtime;
  const inputs: Record<string, Ort.Tensor> = Object.create(null);
  let results: Ort.InferenceSession.OnnxValueMapType;
  try {
    for (const [name, { type, data, dims }] of Object.entries(feeds)) {
      inputs[name] = new ort.Tensor(type as 'float32', data as Float32Array, [...dims]);
    }
    results = await session.run(inputs, [...fetches]);
  } catch (cause) {
    throw runtimeError('RUNTIME_FAILED', say`onnxruntime failed`, runtime, cause);
  }
  const outputs: Record<string, OutputTensor> = Object.create(null);
  for (const name of fetches) {
    // On the CPU `data` is a typed array of its own (not a view of onnxruntime's heap).
    const { type, dims, data } = results[name] as Ort.Tensor;
    outputs[name] = { type, dims, data: data as TensorData };
  }
  return outputs;
}

/** `code`, or OUT_OF_MEMORY where that is the reason. */
function runtimeError(
  code: 'RUNTIME_CANNOT_LOAD' | 'RUNTIME_FAILED',
  what: Sentence,
  { kind }: Runtime,
  cause: unknown,
): QuantizeError {
  const message = say`${what}: ${reason(cause)}`;
  const text = cause instanceof Error ? cause.message : String(cause);
  const unknown = /([\w.]+):(\w+)\(-?\d+\) is not a registered function\/op/.exec(text);
  if (unknown) {
    const [, domain, opType] = unknown;
    return new QuantizeError(code, say`${what}: it has no operator ${opType} of domain ${domain}`, {
      cause,
      hint: 'samples are run through the float model, so each of its operators must be one that onnxruntime has: export the model without it, or as a function of others',
    });
  }
  if (!isOutOfMemory(text)) return new QuantizeError(code, message, { cause });
  const hint =
    kind === 'node'
      ? 'use a machine with more memory, fewer workers, or smaller samples'
      : 'WebAssembly has at most 4 GB: use runtime node, fewer workers, or smaller samples';
  return new QuantizeError('OUT_OF_MEMORY', message, { cause, hint });
}
