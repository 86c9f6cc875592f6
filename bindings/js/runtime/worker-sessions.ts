// Sessions in the workers of a job, for what is run when they have nothing else to do:
// onnxruntime-web has one thread, because its sums depend on their number, and what runs in a
// worker is what the calling thread would have made.

import type { Runtime } from '../platform/platform.js';
import { isSource, type SessionBytes, sendable } from './given-bytes.js';
import { createSession, type RuntimeModel, type RuntimeSession } from './runtime.js';
import type {
  LoadedSession,
  SessionRan,
  SessionRequest,
  SessionResponse,
} from './serve-sessions.js';
import type { RuntimeAndWorkers, Worker } from './workers.js';

/** So many load a model at most: a few samples are soon run. */
const mostLanes = 4;

/** Workers that are worth to run on for sessions; of onnxruntime-node one has all threads. */
export const workersForSessions = ({ kind }: Runtime): number => (kind === 'web' ? mostLanes : 0);

/**
 * Which workers: those of a float model and of its result are others, so that both run at the same
 * time; what is run by itself has all.
 */
export type Place = 'float' | 'result' | 'all';

const slices = { float: [0, 1], result: [1, 2], all: [0, mostLanes] } as const satisfies Record<
  Place,
  readonly [from: number, to: number]
>;

/** Larger models are not copied for a worker. */
const mostBytes = 64 * 2 ** 20;

/**
 * createSession() in workers of the runtime, where it has several. Throws RUNTIME_CANNOT_LOAD,
 * OUT_OF_MEMORY; a run throws WORKER_FAILED, too.
 */
export async function createSessionIn(
  place: Place,
  runtime: RuntimeAndWorkers,
  what: string,
  model: RuntimeModel,
): Promise<RuntimeSession> {
  const running = runtime.workers?.running.slice(0, workersForSessions(runtime)) ?? [];
  if (running.length < 2 || bytesOf(model) > mostBytes) return createSession(runtime, what, model);
  const workers = running.slice(...slices[place]);
  try {
    return await createIn(workers, runtime.kind, what, model);
  } catch (error) {
    // Where one has ended, the calling thread can do it.
    if (workers.some(({ failure }) => failure)) return createSession(runtime, what, model);
    throw error;
  }
}

let sessions = 0;

async function createIn(
  workers: readonly Worker[],
  runtime: RuntimeAndWorkers['kind'],
  what: string,
  model: RuntimeModel,
): Promise<RuntimeSession> {
  const session = sessions++;
  const request: SessionRequest = {
    kind: 'load-session',
    session,
    runtime,
    what,
    model: sendableModel(model),
  };
  const loading = workers.map((worker) => worker.ask<LoadedSession>(request));
  const made = await Promise.allSettled(loading);
  const loaded = workers.filter((_, index) => made[index]!.status === 'fulfilled');
  const release = async () => {
    const released: SessionRequest = { kind: 'release-session', session };
    await Promise.allSettled(loaded.map((worker) => worker.ask<SessionResponse>(released)));
  };
  if (loaded.length < workers.length) await release();
  const { outputNames, outputTypes } = (await Promise.all(loading))[0]!;
  return {
    lanes: workers.length,
    outputNames,
    outputTypes: () => outputTypes,
    async run(feeds, fetches) {
      const idlest = workers.reduce((a, b) => (b.pending < a.pending ? b : a));
      const ran: SessionRequest = { kind: 'run-session', session, feeds, fetches };
      return (await idlest.ask<SessionRan>(ran)).outputs;
    },
    release,
  };
}

/** Of what is copied: of a Blob only what refers to it. */
const bytesOf = ({ model, externalData = [] }: RuntimeModel): number =>
  [model, ...externalData.map(({ data }) => data)].reduce((sum, data) => sum + sizeOf(data), 0);

function sizeOf(data: SessionBytes): number {
  if (isSource(data)) return data.size;
  return data instanceof Uint8Array ? data.byteLength : 0;
}

const sendableModel = ({ externalData, ...model }: RuntimeModel): RuntimeModel => ({
  ...model,
  model: sendable(model.model),
  ...(externalData && {
    externalData: externalData.map(({ path, data }) => ({ path, data: sendable(data) })),
  }),
});
