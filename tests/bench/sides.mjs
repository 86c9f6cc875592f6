// Both sides of a comparison, each in a process of its own, so that peaks of memory are its own
// too.
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** Runs a side and returns what it printed last. */
function run(command, args) {
  const text = execFileSync(command, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  return JSON.parse(text.trim().split('\n').at(-1));
}

/** `common`: model, output, folder of images, their number. */
export const reference = (python, common, method, preprocess) =>
  run(python, [
    join(here, 'reference.py'),
    ...common.map(String),
    method,
    JSON.stringify(preprocess),
  ]);

/** `parameters`: of quantizeStatic, and preprocess. */
export const ours = (common, parameters) =>
  run(process.execPath, [
    join(here, 'ours.mjs'),
    ...common.map(String),
    JSON.stringify(parameters),
  ]);

export const best = (runs, key) => Math.min(...runs.map((item) => item[key]));
