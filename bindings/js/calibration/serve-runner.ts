// A runner in a worker: what the messages are, and how they are answered; and the sessions that it
// makes afterwards (runtime/serve-sessions.ts). The workers themselves are calibration-node.ts and,
// in browsers, worker/worker.ts.

import { type ErrorData, errorToData, QuantizeError } from '../base/errors.js';
import { freeBuffer } from '../base/free-buffer.js';
import { type SampleOrigin, withOrigin } from '../base/sample-origin.js';
import type { Feeds } from '../base/types.js';
import type { CoreCalibration } from '../core/calibration.js';
import type { Platform, Runtime, RuntimeKind } from '../platform/platform.js';
import {
  isServedRequest,
  type ServedRequest,
  type ServedResponse,
  ServedSessions,
} from '../runtime/serve-sessions.js';
import { type CalibrationSeed, growCalibration, type PassModel, Runner } from './runner.js';

export type RunnerRequest =
  | { kind: 'start'; runtime: RuntimeKind; pass: PassModel; seed: CalibrationSeed }
  | { kind: 'run'; feeds: Feeds; index: number; origin?: SampleOrigin | undefined }
  /** What the tensors held is asked for; the session is released. */
  | { kind: 'finish' }
  | ServedRequest;

export type RunnerResponse =
  | { kind: 'started' }
  | { kind: 'ran'; reductions: Float32Array | null }
  | { kind: 'finished'; state: string }
  | ServedResponse
  | { kind: 'failed'; error: ErrorData };

/**
 * Answers one request after the other. `threads` of a session: 1, as there is a worker for each
 * core.
 */
export function serveRunner(platform: Platform<unknown>, send: (answer: RunnerResponse) => void) {
  let runtime: Runtime | null = null;
  const loadRuntime = async (kind: RuntimeKind) => {
    runtime ??= await platform.loadRuntime({ kind, threads: 1 });
    return runtime;
  };
  const sessions = new ServedSessions(loadRuntime);
  let runner: Runner | null = null;
  let calibration: CoreCalibration | null = null;

  const end = async () => {
    calibration?.dispose();
    calibration = null;
    await runner?.release();
    runner = null;
  };

  const answer = async (request: RunnerRequest): Promise<RunnerResponse> => {
    if (isServedRequest(request)) return sessions.answer(request);
    if (request.kind === 'start') {
      await end(); // of a pass that failed
      const loaded = await loadRuntime(request.runtime);
      // Reductions go back as they are.
      calibration = request.pass.tensors ? await growCalibration(request.seed) : null;
      runner = await Runner.start(loaded, request.pass, calibration);
      return { kind: 'started' };
    }
    if (!runner) throw new QuantizeError('INTERNAL', 'the runner was not started');
    if (request.kind === 'run') {
      const { feeds, index, origin } = request;
      const reductions = await runner.run(withOrigin(feeds, origin), index);
      // They came in a message, so that nobody else has them.
      for (const { data } of Object.values(feeds)) if (ArrayBuffer.isView(data)) freeBuffer(data);
      return { kind: 'ran', reductions };
    }
    const state = calibration?.save() ?? '';
    await end();
    return { kind: 'finished', state };
  };

  return async (request: RunnerRequest): Promise<void> => {
    try {
      send(await answer(request));
    } catch (error) {
      send({ kind: 'failed', error: errorToData(error) });
    }
  };
}
