// Sessions in a worker: what the messages are, and how they are answered. The other end is
// worker-sessions.ts.

import type { Feeds } from '../base/types.js';
import type { Runtime, RuntimeKind } from '../platform/platform.js';
import {
  createSession,
  type OutputTensor,
  type RuntimeModel,
  type RuntimeSession,
} from './runtime.js';

/** `session`: a number that it is called by. */
export type ServedRequest =
  | {
      kind: 'load-session';
      session: number;
      runtime: RuntimeKind;
      /** What errors call the model. */
      what: string;
      model: RuntimeModel;
    }
  | { kind: 'run-session'; session: number; feeds: Feeds; fetches: readonly string[] }
  | { kind: 'release-session'; session: number };

export interface LoadedSession {
  kind: 'session-loaded';
  outputNames: readonly string[];
  outputTypes: Record<string, [type: string, rank: number]>;
}

export interface SessionRan {
  kind: 'session-ran';
  outputs: Record<string, OutputTensor>;
}

export type ServedResponse = LoadedSession | SessionRan | { kind: 'session-released' };

export const isServedRequest = (request: { kind: string }): request is ServedRequest =>
  request.kind.endsWith('-session');

export class ServedSessions {
  readonly #loadRuntime: (kind: RuntimeKind) => Promise<Runtime>;
  readonly #sessions = new Map<number, RuntimeSession>();

  constructor(loadRuntime: (kind: RuntimeKind) => Promise<Runtime>) {
    this.#loadRuntime = loadRuntime;
  }

  async answer(request: ServedRequest): Promise<ServedResponse> {
    if (request.kind === 'load-session') {
      const runtime = await this.#loadRuntime(request.runtime);
      const session = await createSession(runtime, request.what, request.model);
      this.#sessions.set(request.session, session);
      const { outputNames } = session;
      return { kind: 'session-loaded', outputNames, outputTypes: session.outputTypes() };
    }
    const session = this.#sessions.get(request.session)!;
    if (request.kind === 'run-session') {
      return { kind: 'session-ran', outputs: await session.run(request.feeds, request.fetches) };
    }
    this.#sessions.delete(request.session);
    await session.release();
    return { kind: 'session-released' };
  }
}
