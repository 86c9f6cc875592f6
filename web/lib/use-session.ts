// The session of the model that is open: it lives in a worker, keeps what calibration has
// collected, and makes results from it. A new model has a new session.
import { openSessionInWorker, type QuantizeError, type WorkerSession } from 'onnx-ptq';
import { useEffect, useState } from 'preact/hooks';
import type { Engine } from './engine';

export interface SessionInputs {
  engine: Engine | null;
  /** null: nothing to open yet. */
  model: File | null;
  externalData: Record<string, File>;
  workers: number | undefined;
  memoryBudget: number | undefined;
}

export interface SessionState {
  session: WorkerSession | null;
  error: QuantizeError | null;
}

const none: SessionState = { session: null, error: null };

export function useSession(inputs: SessionInputs): SessionState {
  const { engine, model, externalData, workers, memoryBudget } = inputs;
  const [state, setState] = useState<SessionState>(none);
  useEffect(() => {
    setState(none);
    if (!engine || !model) return;
    const opening = new AbortController();
    let opened: WorkerSession | null = null;
    openSessionInWorker({
      ...engine.host,
      modelInput: model,
      externalData,
      workers,
      memoryBudget,
      signal: opening.signal,
    }).then(
      (session) => {
        opened = session;
        if (opening.signal.aborted) session.dispose();
        else setState({ session, error: null });
      },
      (error: QuantizeError) => opening.signal.aborted || setState({ session: null, error }),
    );
    return () => {
      opening.abort();
      opened?.dispose();
    };
  }, [engine, model, externalData, workers, memoryBudget]);
  return state;
}
