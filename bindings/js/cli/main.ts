#!/usr/bin/env node
// The program onnx-ptq: run.ts with this process's streams, and Ctrl-C.
import { removeUnfinished } from '../platform/node-files.js';
import { runCommand } from './run.js';

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second time, whatever runs is not waited for.
    if (controller.signal.aborted) {
      removeUnfinished();
      process.exit(1);
    }
    controller.abort();
  });
}
const streams = { out: process.stdout, err: process.stderr };
const code = await runCommand(process.argv.slice(2), streams, controller.signal);
// onnxruntime's threads would keep the process alive; what was written must be out before it ends.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
