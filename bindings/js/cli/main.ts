#!/usr/bin/env node
// The program onnx-ptq: run.ts with this process's streams, and Ctrl-C.
import fs from 'node:fs';
import { runCommand } from './run.js';

const controller = new AbortController();
const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
// A closed terminal; but what nohup has started goes on.
if (!ignoresHangUp()) signals.push('SIGHUP');
for (const signal of signals) {
  process.on(signal, () => {
    // The second time, whatever runs is not waited for.
    if (controller.signal.aborted) process.exit(1);
    controller.abort();
  });
}
// A full disk or a closed pipe is the answer to a write; nobody is left to be told on stderr.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const out = {
  write: (text: string) =>
    new Promise<void>((resolve, reject) => {
      process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
    }),
};
const streams = { out, err: process.stderr };
const code = await runCommand(process.argv.slice(2), streams, controller.signal);
// onnxruntime's threads would keep the process alive; what was written must be out before it ends.
process.stderr.write('', () => process.exit(code));

/** Whether the process was started with SIGHUP ignored. Known on Linux only. */
function ignoresHangUp(): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch {
    return false;
  }
}
