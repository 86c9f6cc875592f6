// The worker of quantizeInWorker() and its like: one request, one answer, then it is
// terminated by the page; or a session, that lives as long as the page wants. Started by such a
// worker, the same script runs samples for it (calibration/serve-runner.ts).

import { errorToData } from '../base/errors.js';
import { type RunnerRequest, serveRunner } from '../calibration/serve-runner.js';
import { setCoreModule } from '../core/load.js';
import { findPreprocessOn } from '../jobs/find-preprocess.js';
import { summarizeOn } from '../jobs/inspect-model.js';
import { type QuantizeResult, quantizeOn } from '../jobs/quantize-static.js';
import {
  browserPlatform,
  type CalibrationSetUp,
  setRuntimePaths,
  setWorkerScript,
} from '../platform/browser.js';
import { holdLife } from '../platform/worker-life.js';
import { datasetReader } from '../samples/dataset.js';
import { setDecodePlatform } from '../samples/images/decode.js';
import { browserDecodePlatform } from '../samples/images/decode-browser.js';
import type {
  CompiledModules,
  SessionCancel,
  SessionRequest,
  WorkerCancel,
  WorkerFindOptions,
  WorkerOptions,
  WorkerRequest,
  WorkerResponse,
  WorkerSessionOptions,
} from './protocol.js';
import { serveSession } from './serve-session.js';

type Message =
  | WorkerRequest
  | WorkerCancel
  | SessionRequest
  | SessionCancel
  | CalibrationSetUp
  | RunnerRequest;

declare function importScripts(...urls: string[]): void;

const send = (response: WorkerResponse) => postMessage(response);

const controller = new AbortController();
let runner: ((request: RunnerRequest) => Promise<void>) | null = null;
let session: Awaited<ReturnType<typeof serveSession>> | null = null;

addEventListener('message', async ({ data }: MessageEvent<Message>) => {
  if (runner) return runner(data as RunnerRequest);
  if (data.kind === 'set-up') {
    setRuntimePaths(data.wasmPaths);
    if (data.core) setCoreModule(data.core);
    holdLife(data.life, (alive) => postMessage(alive));
    runner = serveRunner(browserPlatform, (response) => postMessage(response));
    return;
  }
  if (data.kind === 'cancel') return controller.abort();
  if (data.kind === 'call' || data.kind === 'cancel-call') return session?.take(data);
  const request = data as WorkerRequest;
  holdLife(request.life, (alive) => postMessage(alive));
  await answer(request);
});

async function answer(data: WorkerRequest): Promise<void> {
  // Calibration workers are this script again.
  setWorkerScript({ url: self.location.href, type: isClassic() ? 'classic' : 'module' });
  try {
    if (data.runtimePaths !== undefined) setRuntimePaths(data.runtimePaths);
    useModules(data.modules ?? {});
    send({ kind: 'result', result: await resultOf(data) });
  } catch (error) {
    send({ kind: 'error', error: errorToData(error) });
  }
}

function resultOf(data: WorkerRequest) {
  switch (data.kind) {
    case 'inspect':
      return summarizeOn(browserPlatform, data.model);
    case 'find-preprocess':
      return findPreprocess(data.options);
    case 'quantize':
      return quantize(data.options);
    case 'open-session':
      return openSession(data.options);
  }
}

function findPreprocess({ calibrateDataset, ...options }: WorkerFindOptions) {
  const { files, ...readerOptions } = calibrateDataset;
  const calibrationDataReader = datasetReader(files, readerOptions);
  return findPreprocessOn(browserPlatform, { ...options, calibrationDataReader });
}

async function openSession(options: WorkerSessionOptions) {
  session = await serveSession(options, (response) => postMessage(response));
  return session.model;
}

/** Modules have importScripts() too, but it throws. */
function isClassic(): boolean {
  try {
    importScripts();
    return true;
  } catch {
    return false;
  }
}

function useModules({ core, jpegDecoder }: CompiledModules): void {
  if (core) setCoreModule(core);
  if (jpegDecoder) {
    setDecodePlatform({ ...browserDecodePlatform, compileJpegDecoder: async () => jpegDecoder });
  }
}

function quantize({ calibrateDataset, ...options }: WorkerOptions): Promise<QuantizeResult<Blob>> {
  const { files, ...readerOptions } = calibrateDataset ?? { files: null };
  const source = files ? datasetReader(files, readerOptions) : null;
  let described = false;
  return quantizeOn(browserPlatform, {
    ...options,
    calibrationDataReader: source,
    signal: controller.signal,
    onCalibrationState: (state) => send({ kind: 'state', state }),
    onProgress(progress) {
      if (!described && source && progress.stage === 'calibrate' && progress.done > 0) {
        described = true;
        send({ kind: 'samples', description: source.describe() });
      }
      send({ kind: 'progress', progress });
    },
    onDiagnostic: (diagnostic) => send({ kind: 'diagnostic', diagnostic }),
  });
}
