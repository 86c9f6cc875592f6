// A worker that is served in this thread, so that it can be made to fail.
import { type RunnerRequest, serveRunner } from '#dist/calibration/serve-runner.js';
import { nodePlatform } from '#dist/platform/node.js';
import type { WorkerPort } from '#dist/platform/platform.js';

/** `say` is what the worker says by itself; an Error: that it has ended. */
export type Spoil = (request: RunnerRequest, say: (message: unknown) => void) => unknown;

/** What a worker says that is not there any more. */
export const nothing = Symbol('nothing');

/** A worker in this thread. `spoil` may answer a request in its place. */
export function port(spoil: Spoil): WorkerPort {
  let listener: (message: unknown) => void = () => {};
  const serve = serveRunner(nodePlatform, (answer) => listener(answer));
  const say = (said: unknown) => listener(said);
  return {
    post(message) {
      const instead = spoil(message as RunnerRequest, say);
      if (instead === undefined) void serve(message as RunnerRequest);
      else if (instead !== nothing) setImmediate(() => listener(instead));
    },
    onMessage(added) {
      listener = added;
    },
    terminate() {},
  };
}
