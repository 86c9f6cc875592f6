// Runs a quantization in a worker of its own: the page stays responsive, and cancelling ends the
// worker in any case, whatever it is doing.

import type { ModelInput } from '../base/bytes.js';
import { errorFromData, QuantizeError } from '../base/errors.js';
import type { RunOptions } from '../base/run.js';
import { say } from '../base/text.js';
import type { ModelSummary, PreprocessFinding } from '../base/types.js';
import type { QuantizeResult } from '../jobs/quantize-static.js';
import { lifeName, watchLife } from '../platform/worker-life.js';
import type {
  CompiledModules,
  WorkerCancel,
  WorkerFindOptions,
  WorkerOptions,
  WorkerRequest,
  WorkerResponse,
} from './protocol.js';

/** Where a worker comes from and what it starts with. */
export interface WorkerHost {
  /** Where onnxruntime-web's wasm files are served from, see setRuntimePaths(). */
  runtimePaths?: string | Record<string, string> | undefined;
  /** Wasm files compiled ahead. */
  modules?: CompiledModules | undefined;
  /** A worker that runs onnx-ptq/worker; for bundlers that need to make it themselves. */
  createWorker?: (() => Worker) | undefined;
}

export interface QuantizeInWorkerOptions extends WorkerOptions, WorkerHost, RunOptions {
  /** Called once with a line about the samples, such as how images are preprocessed. */
  onSamples?: ((description: string) => void) | undefined;
  /** Called where calibration is cancelled, with the calibration state that `resume` takes. */
  onCalibrationState?: ((state: string) => void) | undefined;
}

/**
 * quantizeStatic() in a worker. `modelInput` is a File, a Blob or bytes, samples are
 * `calibrateDataset: {files, preprocess}`. Rejects with QuantizeError, or with the signal's reason
 * after it was aborted; a search of effort max then ends with the best that it has.
 */
export function quantizeInWorker(options: QuantizeInWorkerOptions): Promise<QuantizeResult<Blob>> {
  const { signal, onProgress, onDiagnostic, onSamples, onCalibrationState, ...others } = options;
  const { runtimePaths, modules, createWorker, ...rest } = others;
  const request: WorkerRequest = { kind: 'quantize', options: rest, runtimePaths, modules };
  const grace = keepsBest(request) ? patienceForBest : patience;
  return ask<QuantizeResult<Blob>>(request, createWorker, signal, grace, (data) => {
    if (data.kind === 'progress') onProgress?.(data.progress);
    else if (data.kind === 'diagnostic') onDiagnostic?.(data.diagnostic);
    else if (data.kind === 'samples') onSamples?.(data.description);
    else if (data.kind === 'state') onCalibrationState?.(data.state);
  });
}

/**
 * What a model is, read in a worker. Rejects with QuantizeError, or with the signal's reason after
 * it was aborted.
 */
export function inspectInWorker(
  model: ModelInput,
  options: WorkerHost & { signal?: AbortSignal | undefined } = {},
): Promise<ModelSummary> {
  const { runtimePaths, modules, createWorker, signal } = options;
  const request: WorkerRequest = { kind: 'inspect', model, runtimePaths, modules };
  return ask<ModelSummary>(request, createWorker, signal, 0);
}

/**
 * findPreprocess() in a worker. Rejects with QuantizeError, or with the signal's reason after it
 * was aborted.
 */
export function findPreprocessInWorker(
  options: WorkerFindOptions & WorkerHost & { signal?: AbortSignal | undefined },
): Promise<PreprocessFinding | null> {
  const { runtimePaths, modules, createWorker, signal, ...rest } = options;
  const request: WorkerRequest = { kind: 'find-preprocess', options: rest, runtimePaths, modules };
  return ask<PreprocessFinding | null>(request, createWorker, signal, 0);
}

/** Milliseconds that a cancelled run has to stop: it finishes the sample that it is at. */
const patience = 3000;
/** The same for one that goes on to the best result that it has: writes and verifies it. */
const patienceForBest = 10 * 60_000;

/** Whether a run that is cancelled in its search has a result. */
const keepsBest = (request: WorkerRequest): boolean =>
  request.kind === 'quantize' && request.options.effort === 'max';

/**
 * One worker, one request, one answer. `graceMs`: how long it may go on to hand out its state once
 * it is aborted.
 */
function ask<Result>(
  request: WorkerRequest,
  createWorker: (() => Worker) | undefined,
  signal: AbortSignal | undefined,
  graceMs: number,
  onEvent?: (event: WorkerResponse) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    // A literal new Worker(new URL(…)): bundlers recognize it and bundle the worker.
    const worker = createWorker
      ? createWorker()
      : new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const life = lifeName();
    let unwatch = () => {};
    const end = () => {
      clearTimeout(timer);
      unwatch();
      worker.terminate();
      signal?.removeEventListener('abort', cancel);
    };
    // A calibration is asked to hand out what it collected; what does not answer in time is ended.
    const stop = () => {
      end();
      reject(signal?.reason);
    };
    const cancel = () => {
      if (graceMs === 0) return stop();
      worker.postMessage({ kind: 'cancel' } satisfies WorkerCancel);
      timer = setTimeout(stop, graceMs);
    };
    const fail = (why: string) => {
      end();
      reject(new QuantizeError('WORKER_FAILED', say`the worker stopped: ${why}`));
    };
    signal?.addEventListener('abort', cancel);
    worker.onmessage = ({ data }: MessageEvent<WorkerResponse>) => {
      if (data.kind === 'alive') {
        unwatch = watchLife(life as string, () => fail('it was ended'));
        return;
      }
      if (data.kind !== 'result' && data.kind !== 'error') return onEvent?.(data);
      if (signal?.aborted && !(data.kind === 'result' && keepsBest(request))) return stop();
      end();
      if (data.kind === 'result') {
        resolve(data.result as Result);
      } else {
        reject(errorFromData(data.error));
      }
    };
    worker.onerror = (event) => fail(event.message || 'it could not be loaded');
    worker.onmessageerror = () => fail('its answer could not be read');
    try {
      worker.postMessage({ ...request, life });
    } catch (cause) {
      // Something in the options that is no data, such as a function.
      end();
      const message = `the options cannot be sent to a worker: ${(cause as Error).message}`;
      reject(new QuantizeError('INVALID_OPTION', message, { cause }));
    }
  });
}
