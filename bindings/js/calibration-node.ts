// The calibration worker of Node: a thread that runs samples, see calibration/serve-runner.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { type RunnerRequest, serveRunner } from './calibration/serve-runner.js';
import { setCoreModule } from './core/load.js';
import { nodePlatform } from './platform/node.js';

if (workerData.core) setCoreModule(workerData.core);
const answer = serveRunner(nodePlatform, (response) => parentPort?.postMessage(response));
parentPort?.on('message', (request: RunnerRequest) => void answer(request));
