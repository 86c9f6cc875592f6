// Sessions in the workers of a job, for what is run when they have nothing else to do:
// onnxruntime-web has one thread, because its sums depend on their number, and what runs in a
// worker is what the calling thread would have made.

import { QuantizeError } from '../base/errors.js';
import type { Runtime, RuntimeKind } from '../platform/platform.js';
import { sendable, sendableData } from './given-bytes.js';
import { createSession, type RuntimeModel, type RuntimeSession } from './runtime.js';
import type { LoadedSession, ServedRequest, ServedResponse, SessionRan } from './serve-sessions.js';
import type { RuntimeAndWorkers, Worker } from './workers.js';

/** So many load a model at most: a few samples are soon run. */
const mostLanes = 4;

/**
 * Workers that are worth to run on for sessions of a model; of onnxruntime-node one has all
 * threads, and of a large model one is loaded at a time.
 */
export const workersForSessions = ({ kind }: Runtime, isLarge = false): number =>
  kind === 'web' && !isLarge ? mostLanes : 0;

/**
 * Which workers: those of a float model and of its result are others, so that both run at the same
 * time; a number: so many samples are run and nothing else, in as many workers as there are.
 */
export type Place = 'float' | 'result' | number;

function placed(workers: readonly Worker[], place: Place): readonly Worker[] {
  if (typeof place === 'number') return workers.slice(0, Math.max(1, place));
  return place === 'float' ? workers.slice(0, 1) : workers.slice(1, 2);
}

/**
 * createSession() in workers of the runtime, where it has several. What becomes of a worker is no
 * reason to fail: then the calling thread does it. Throws RUNTIME_CANNOT_LOAD, OUT_OF_MEMORY.
 */
export async function createSessionIn(
  place: Place,
  runtime: RuntimeAndWorkers,
  what: string,
  model: RuntimeModel,
): Promise<RuntimeSession> {
  const running = runtime.workers?.running.slice(0, workersForSessions(runtime)) ?? [];
  const here = () => createSession(runtime, what, model);
  if (running.length < 2) return here();
  const workers = placed(running, place);
  const session = sessions++;
  try {
    const loaded = await load(workers, session, runtime.kind, what, model);
    return sessionOf(workers, session, loaded, here);
  } catch (error) {
    const isFull = error instanceof QuantizeError && error.code === 'OUT_OF_MEMORY';
    if (isFull || workers.some(({ failure }) => failure)) return here();
    throw error;
  }
}

let sessions = 0;

/** Into all of them, or none. */
async function load(
  workers: readonly Worker[],
  session: number,
  runtime: RuntimeKind,
  what: string,
  { externalData, ...model }: RuntimeModel,
): Promise<LoadedSession> {
  const request: ServedRequest = {
    kind: 'load-session',
    session,
    runtime,
    what,
    model: {
      ...model,
      model: sendable(model.model),
      ...(externalData && { externalData: sendableData(externalData) }),
    },
  };
  const loading = workers.map((worker) => worker.ask<LoadedSession>(request));
  const made = await Promise.allSettled(loading);
  const loaded = workers.filter((_, index) => made[index]!.status === 'fulfilled');
  if (loaded.length < workers.length) await release(loaded, session);
  return (await Promise.all(loading))[0]!;
}

async function release(workers: readonly Worker[], session: number): Promise<void> {
  const request: ServedRequest = { kind: 'release-session', session };
  await Promise.allSettled(workers.map((worker) => worker.ask<ServedResponse>(request)));
}

/** `here` makes it in the calling thread. */
function sessionOf(
  workers: readonly Worker[],
  session: number,
  { outputNames, outputTypes }: LoadedSession,
  here: () => Promise<RuntimeSession>,
): RuntimeSession {
  let instead: Promise<RuntimeSession> | null = null;
  return {
    lanes: workers.length,
    outputNames,
    outputTypes: () => outputTypes,
    async run(feeds, fetches) {
      const idlest = workers.reduce((a, b) => (b.pending < a.pending ? b : a));
      const request: ServedRequest = { kind: 'run-session', session, feeds, fetches };
      try {
        return (await idlest.ask<SessionRan>(request)).outputs;
      } catch (error) {
        if (!idlest.failure) throw error;
        instead ??= here();
        return (await instead).run(feeds, fetches);
      }
    },
    async release() {
      await release(workers, session);
      await (await instead)?.release();
    },
  };
}
