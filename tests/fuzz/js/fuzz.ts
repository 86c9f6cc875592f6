// npm run fuzz -- [target…] [--seconds 60] [--seed N] [--missed]: fuzzes the
// readers one after the other, saves every finding to tests/fuzz/corpus/<target>/regressions, and
// ends with 1 where there was one.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { regressionsFolder, regressionsOf } from './corpus.js';
import type { LoopData, LoopMessage } from './loop.js';
import { allTargets, type Target } from './targets.js';

const longest = 30e3; // ms that one input may take before its thread is ended

type End = Extract<LoopMessage, { kind: 'end' }>;

function save(target: string, kind: string, detail: string, input: Uint8Array): void {
  const folder = regressionsFolder(target);
  fs.mkdirSync(folder, { recursive: true });
  const digest = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const name = kind.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const file = path.join(folder, `${name}-${digest}`);
  fs.writeFileSync(file, input);
  console.log(
    `  FOUND in ${target}: ${kind}: ${detail.slice(0, 200)}\n    ${file} (${input.length} bytes)`,
  );
}

/** Runs a target's loop; null where an input did not come back or ended the thread. */
function fuzz(
  target: Target,
  seconds: number,
  seed: number,
): Promise<{ end: End | null; findings: number }> {
  const current = new SharedArrayBuffer(8 + 2 ** 20);
  const header = new Int32Array(current, 0, 2);
  const data: LoopData = {
    target: target.name,
    seed,
    seconds,
    regressions: regressionsOf(target.name),
    current,
  };
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./loop.js', import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
    });
    let findings = 0;
    let end: End | null = null;
    let [begun, since] = [0, Date.now()];
    const lost = (kind: string, detail: string) => {
      findings++;
      save(target.name, kind, detail, new Uint8Array(current.slice(8, 8 + header[1]!)));
    };
    const watch = setInterval(() => {
      const now = Atomics.load(header, 0);
      if (now !== begun) [begun, since] = [now, Date.now()];
      else if (Date.now() - since > longest && begun > 0) {
        lost('hang', `no end after ${longest / 1000} s`);
        void worker.terminate();
      }
    }, 500);
    worker.on('message', (message: LoopMessage) => {
      if (message.kind === 'end') end = message;
      else {
        findings++;
        save(target.name, message.finding.kind, message.finding.detail, message.input);
      }
    });
    worker.on('error', (error) => lost(error.name, error.message));
    worker.on('exit', () => {
      clearInterval(watch);
      resolve({ end, findings });
    });
  });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, missed: { type: 'boolean' } },
});
const seconds = Number(values.seconds ?? 60);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const chosen = allTargets.filter(
  ({ name }) => positionals.length === 0 || positionals.includes(name),
);
console.log(`JavaScript readers, ${seconds} s each, --seed ${seed}`);
console.log('target             inputs   a second   corpus   lines of the reader   findings');
let total = 0;
for (const target of chosen) {
  const { end, findings } = await fuzz(target, seconds, seed);
  total += findings;
  if (!end) console.log(`${target.name.padEnd(16)} ended early`);
  else {
    const { inputs, corpus, reached, all, missed } = end;
    const share = `${reached}/${all} (${((100 * reached) / all).toFixed(0)} %)`;
    console.log(
      target.name.padEnd(16) +
        String(inputs).padStart(9) +
        String(Math.round(inputs / seconds)).padStart(11) +
        String(corpus).padStart(9) +
        share.padStart(22) +
        String(findings).padStart(11),
    );
    if (values.missed) for (const line of missed) console.log(`    not reached: ${line}`);
  }
}
process.exitCode = total > 0 ? 1 : 0;
