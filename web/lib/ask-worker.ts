// One question of the page to a worker of its own, which ends with the answer.
import { errorFromData, QuantizeError } from 'onnx-ptq';
import type { PageAnswers, PageRequest } from '../worker/page-protocol';
import type { CoreHost } from './engine';

type Question = PageRequest extends infer Request
  ? Request extends PageRequest
    ? Omit<Request, 'modules'>
    : never
  : never;

/** Rejects with QuantizeError, or with the signal's reason after it was aborted. */
export function askWorker<Kind extends PageRequest['kind']>(
  host: CoreHost,
  question: Question & { kind: Kind },
  signal?: AbortSignal,
): Promise<PageAnswers[Kind]> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const worker = host.createWorker();
    const stop = () => {
      worker.terminate();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop);
    const end = () => {
      worker.terminate();
      signal?.removeEventListener('abort', stop);
    };
    worker.onmessage = ({ data }) => {
      end();
      if (!data.error) return resolve(data.answer);
      reject(errorFromData(data.error));
    };
    worker.onerror = (event) => {
      end();
      reject(new QuantizeError('WORKER_FAILED', `the worker stopped: ${event.message}`));
    };
    worker.postMessage({ ...question, modules: host.modules });
  });
}
