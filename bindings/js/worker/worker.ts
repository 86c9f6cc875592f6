// The worker of quantizeInWorker() and inspectInWorker(): one request, one answer, then it is terminated by
// the page.
import { setCoreModule } from '../core.js';
import { browserDecodePlatform } from '../decode/browser.js';
import { setDecodePlatform } from '../decode/decode.js';
import { QuantizeError } from '../errors.js';
import { inspectOn } from '../inspect-model.js';
import { browserPlatform, setRuntimePaths } from '../platform/browser.js';
import { type QuantizeResult, quantizeOn } from '../quantize-static.js';
import { datasetReader } from '../readers/folder.js';
import type {
  CompiledModules,
  ErrorData,
  WorkerOptions,
  WorkerRequest,
  WorkerResponse,
} from './protocol.js';

const send = (response: WorkerResponse) => postMessage(response);

addEventListener('message', async ({ data }: MessageEvent<WorkerRequest>) => {
  try {
    if (data.runtimePaths !== undefined) setRuntimePaths(data.runtimePaths);
    useModules(data.modules ?? {});
    const result =
      data.kind === 'inspect'
        ? await inspectOn(browserPlatform, data.model)
        : await quantize(data.options);
    send({ kind: 'result', result });
  } catch (error) {
    send({ kind: 'error', error: errorData(error) });
  }
});

function useModules({ core, jpegDecoder }: CompiledModules): void {
  if (core) setCoreModule(core);
  if (jpegDecoder) {
    setDecodePlatform({ ...browserDecodePlatform, compileJpegDecoder: async () => jpegDecoder });
  }
}

function quantize({ calibrateDataset, ...options }: WorkerOptions): Promise<QuantizeResult<Blob>> {
  const source = calibrateDataset
    ? datasetReader(calibrateDataset.files, { preprocess: calibrateDataset.preprocess })
    : null;
  let described = false;
  return quantizeOn(browserPlatform, {
    ...options,
    calibrationDataReader: source,
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

/** Only plain data survives structured cloning with its properties. */
function errorData(error: unknown): ErrorData {
  if (error instanceof QuantizeError) {
    const { name, code, message, node, tensor, hint } = error;
    return { name, code, message, node, tensor, hint };
  }
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, code: 'INTERNAL', message };
}
