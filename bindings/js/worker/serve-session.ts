// A session in a worker: calls come as messages, and what happens meanwhile goes out as messages.

import { errorToData } from '../base/errors.js';
import { browserPlatform } from '../platform/browser.js';
import { datasetReader } from '../samples/dataset.js';
import { Session } from '../session/session.js';
import type {
  DatasetDescription,
  SessionCancel,
  SessionRequest,
  SessionResponse,
  WorkerSampleChoice,
  WorkerSessionOptions,
} from './protocol.js';

/** Opens one; returns what answers its messages, and the model's summary. */
export async function serveSession(
  { calibrateDataset, ...options }: WorkerSessionOptions,
  send: (response: SessionResponse) => void,
) {
  const calibrationDataReader = readerOf(calibrateDataset);
  const session = await Session.open(browserPlatform, { ...options, calibrationDataReader });
  const running = new Map<number, AbortController>();

  const answer = async (request: SessionRequest): Promise<void> => {
    const { id } = request;
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const result = await call(session, request, controller.signal, send);
      send({ kind: 'session', id, event: 'result', result });
    } catch (error) {
      if (controller.signal.aborted) send({ kind: 'session', id, event: 'aborted' });
      else send({ kind: 'session', id, event: 'error', error: errorToData(error) });
    } finally {
      running.delete(id);
    }
  };

  return {
    model: session.model,
    take(message: SessionRequest | SessionCancel): void {
      if (message.kind === 'call') void answer(message);
      else running.get(message.id)?.abort();
    },
  };
}

function call(
  session: Session<Blob>,
  request: SessionRequest,
  signal: AbortSignal,
  send: (response: SessionResponse) => void,
): Promise<unknown> {
  const { id } = request;
  const run = {
    signal,
    onProgress: (progress) => send({ kind: 'session', id, event: 'progress', progress }),
    onDiagnostic: (diagnostic) => send({ kind: 'session', id, event: 'diagnostic', diagnostic }),
  } satisfies Parameters<typeof session.quantize>[1];
  switch (request.method) {
    case 'setSamples':
      return session.setSamples(readerOf(request.dataset), { holdOut: request.holdOut });
    case 'graph':
      return session.graph();
    case 'plan':
      return session.plan(request.settings);
    case 'calibrate':
      return session.calibrate(request.settings, {
        ...run,
        methods: request.methods,
        ...(request.histograms && {
          onHistograms: (histograms) =>
            send({ kind: 'session', id, event: 'histograms', histograms }),
        }),
      });
    case 'quantize':
      return session.quantize(request.settings, { ...run, quick: request.quick });
    case 'verify':
      return session.verify(request.result, run);
    case 'compare':
      return session.compare(request.result, choiceOf(request.sample));
    case 'diagnose': {
      const { result, samples, aloneSamples } = request;
      return session.diagnose(result, { ...run, samples, aloneSamples });
    }
    case 'channels':
      return session.channels(request.result, request.node);
    case 'observe':
      return session.observe(request.tensor, request.settings);
    case 'latency':
      return session.latency(request.result, { runs: request.runs, signal });
    case 'sha256':
      return session.sha256(request.data);
  }
}

function readerOf(dataset: DatasetDescription | null | undefined) {
  if (!dataset) return null;
  const { files, ...options } = dataset;
  return datasetReader(files, options);
}

const choiceOf = (sample: WorkerSampleChoice) =>
  'heldOut' in sample ? sample : { reader: readerOf(sample.dataset)! };
