// A session that lives in a worker, for pages: the same calls as QuantizeSession has, with samples
// as files in place of readers.

import { errorFromData, QuantizeError } from '../base/errors.js';
import type { RunOptions } from '../base/run.js';
import { say } from '../base/text.js';
import type { GraphNode, ModelSummary } from '../base/types.js';
import type { Diagnosis } from '../diagnosis/report.js';
import type { WeightChannels } from '../diagnosis/weight-channels.js';
import { lifeName, watchLife } from '../platform/worker-life.js';
import type {
  CalibrationSummary,
  Comparison,
  Latency,
  QuantizeSession,
  RunnableResult,
  SessionCalibrateOptions,
  SessionDiagnoseOptions,
  SessionPlan,
  SessionQuantizeOptions,
  SessionResult,
  SessionSettings,
  TensorObservation,
} from '../session/types.js';
import type { WorkerHost } from './client.js';
import type {
  DatasetDescription,
  SessionCancel,
  SessionRequest,
  SessionResponse,
  WorkerRequest,
  WorkerResponse,
  WorkerSampleChoice,
  WorkerSessionOptions,
} from './protocol.js';

/** QuantizeSession in a worker. Once dispose() was called, what is waited for is rejected. */
export interface WorkerSession
  extends Omit<QuantizeSession<Blob>, 'setSamples' | 'compare' | 'plan'> {
  setSamples(
    dataset: DatasetDescription | null,
    options?: { holdOut?: number | undefined },
  ): Promise<void>;
  plan(settings?: SessionSettings): Promise<SessionPlan>;
  compare(result: RunnableResult<Blob>, sample: WorkerSampleChoice): Promise<Comparison>;
}

export type OpenSessionInWorkerOptions = WorkerSessionOptions &
  WorkerHost & { signal?: AbortSignal | undefined };

/** Milliseconds that a cancelled call has to stop before the worker is ended. */
const patience = 10_000;

/**
 * openSession() in a worker. Rejects with QuantizeError, or with the signal's reason after it was
 * aborted.
 */
export function openSessionInWorker(options: OpenSessionInWorkerOptions): Promise<WorkerSession> {
  const { runtimePaths, modules, createWorker, signal, ...rest } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    // A literal new Worker(new URL(…)): bundlers recognize it and bundle the worker.
    const worker = createWorker
      ? createWorker()
      : new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    const client = new SessionClient(worker, reject);
    const stop = () => {
      client.dispose();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop, { once: true });
    const request: WorkerRequest = { kind: 'open-session', options: rest, runtimePaths, modules };
    client.open(request).then(
      () => {
        signal?.removeEventListener('abort', stop);
        resolve(client);
      },
      (error: unknown) => {
        client.dispose();
        reject(error);
      },
    );
  });
}

interface Call {
  resolve(result: unknown): void;
  reject(error: unknown): void;
  options: SessionCalibrateOptions;
}

type Parameters<Method extends SessionRequest['method']> = Omit<
  Extract<SessionRequest, { method: Method }>,
  'kind' | 'id'
>;

class SessionClient implements WorkerSession {
  model!: ModelSummary;
  readonly #worker: Worker;
  readonly #calls = new Map<number, Call>();
  readonly #life = lifeName();
  #opened: { resolve(model: ModelSummary): void; reject(error: unknown): void } | null = null;
  #unwatch = () => {};
  #next = 0;
  /** Why no call can be answered any more. */
  #ended: QuantizeError | null = null;

  constructor(worker: Worker, failed: (error: unknown) => void) {
    this.#worker = worker;
    const fail = (why: string) => {
      const error = new QuantizeError('WORKER_FAILED', say`the worker stopped: ${why}`);
      failed(error);
      this.#end(error);
    };
    worker.onmessage = ({ data }: MessageEvent<WorkerResponse | SessionResponse>) => {
      if (data.kind === 'alive') {
        this.#unwatch = watchLife(this.#life as string, () => fail('it was ended'));
      } else if (data.kind === 'session') {
        this.#take(data);
      } else if (data.kind === 'result') {
        this.#opened?.resolve(data.result as ModelSummary);
      } else if (data.kind === 'error') {
        this.#opened?.reject(errorFromData(data.error));
      }
    };
    worker.onerror = (event) => fail(event.message || 'it could not be loaded');
    worker.onmessageerror = () => fail('its answer could not be read');
  }

  async open(request: WorkerRequest): Promise<void> {
    this.model = await new Promise((resolve, reject) => {
      this.#opened = { resolve, reject };
      this.#post({ ...request, life: this.#life });
    });
  }

  setSamples(
    dataset: DatasetDescription | null,
    { holdOut }: { holdOut?: number | undefined } = {},
  ): Promise<void> {
    return this.#call({ method: 'setSamples', dataset, holdOut });
  }

  graph(): Promise<GraphNode[]> {
    return this.#call({ method: 'graph' });
  }

  plan(settings: SessionSettings = {}): Promise<SessionPlan> {
    return this.#call({ method: 'plan', settings });
  }

  calibrate(
    settings: SessionSettings = {},
    options: SessionCalibrateOptions = {},
  ): Promise<CalibrationSummary> {
    const { methods, onHistograms } = options;
    const histograms = onHistograms !== undefined;
    return this.#call({ method: 'calibrate', settings, methods, histograms }, options);
  }

  quantize(
    settings: SessionSettings = {},
    { quick, ...options }: SessionQuantizeOptions = {},
  ): Promise<SessionResult<Blob>> {
    return this.#call({ method: 'quantize', settings, quick }, options);
  }

  verify(
    result: RunnableResult<Blob>,
    options: RunOptions = {},
  ): ReturnType<QuantizeSession<Blob>['verify']> {
    return this.#call({ method: 'verify', result: runnable(result) }, options);
  }

  compare(result: RunnableResult<Blob>, sample: WorkerSampleChoice): Promise<Comparison> {
    return this.#call({ method: 'compare', result: runnable(result), sample });
  }

  diagnose(
    result: RunnableResult<Blob>,
    { samples, aloneSamples, ...options }: SessionDiagnoseOptions = {},
  ): Promise<Diagnosis> {
    const parameters = { result: runnable(result), samples, aloneSamples };
    return this.#call({ method: 'diagnose', ...parameters }, options);
  }

  channels(result: RunnableResult<Blob>, node: string): Promise<WeightChannels | null> {
    return this.#call({ method: 'channels', result: runnable(result), node });
  }

  observe(tensor: string, settings: SessionSettings = {}): Promise<TensorObservation> {
    return this.#call({ method: 'observe', tensor, settings });
  }

  latency(
    result: RunnableResult<Blob>,
    { runs, signal }: { runs?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<Latency> {
    return this.#call({ method: 'latency', result: runnable(result), runs }, { signal });
  }

  sha256(data: Uint8Array | Blob): Promise<string> {
    return this.#call({ method: 'sha256', data });
  }

  dispose(): void {
    this.#end(new QuantizeError('SESSION_CLOSED', 'the session is closed'));
  }

  #call<Result>(
    parameters: {
      [Method in SessionRequest['method']]: Parameters<Method>;
    }[SessionRequest['method']],
    options: SessionCalibrateOptions = {},
  ): Promise<Result> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#ended) throw this.#ended;
      const id = this.#next++;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const cancel = () => {
        this.#worker.postMessage({ kind: 'cancel-call', id } satisfies SessionCancel);
        const late = new QuantizeError('WORKER_FAILED', 'the worker did not stop in time');
        timer = setTimeout(() => this.#end(late), patience);
      };
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        this.#calls.delete(id);
      };
      this.#calls.set(id, {
        options,
        resolve(result) {
          done();
          resolve(result as Result);
        },
        reject(error) {
          done();
          reject(signal?.aborted ? signal.reason : error);
        },
      });
      signal?.addEventListener('abort', cancel);
      try {
        this.#post({ kind: 'call', id, ...parameters } as SessionRequest);
      } catch (error) {
        done();
        throw error;
      }
    });
  }

  #post(message: WorkerRequest | SessionRequest): void {
    try {
      this.#worker.postMessage(message);
    } catch (cause) {
      // Something in the options that is no data, such as a function.
      const message = `the options cannot be sent to a worker: ${(cause as Error).message}`;
      throw new QuantizeError('INVALID_OPTION', message, { cause });
    }
  }

  #take(response: SessionResponse): void {
    const call = this.#calls.get(response.id);
    if (!call) return;
    const { onProgress, onDiagnostic, onHistograms } = call.options;
    switch (response.event) {
      case 'progress':
        onProgress?.(response.progress);
        break;
      case 'diagnostic':
        onDiagnostic?.(response.diagnostic);
        break;
      case 'histograms':
        onHistograms?.(response.histograms);
        break;
      case 'result':
        call.resolve(response.result);
        break;
      case 'error':
        call.reject(errorFromData(response.error));
        break;
      case 'aborted':
        call.reject(new QuantizeError('INTERNAL', 'the call was cancelled'));
    }
  }

  #end(error: QuantizeError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#unwatch();
    this.#worker.terminate();
    for (const call of [...this.#calls.values()]) call.reject(error);
  }
}

/** Without the report, which would be copied. */
const runnable = ({ model, externalData, sha256 }: RunnableResult<Blob>) => ({
  model,
  externalData,
  sha256,
});
