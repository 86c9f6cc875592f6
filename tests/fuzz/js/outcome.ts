// How an input may end: in a result, or in a QuantizeError with a code of docs/errors.md, soon, and
// without taking memory that is out of proportion to it.
import fs from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import { QuantizeError } from './modules.js';
import type { Target } from './targets.js';

/** Codes that say something about the input. The others are mistakes of ours, or of the machine. */
const codes = new Set(
  [...fs.readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([A-Z_]+)` \| (?!info|warning)/gm)]
    .map((match) => match[1] as string)
    .filter(
      (code) => !['INTERNAL', 'OUT_OF_MEMORY', 'CORE_NOT_LOADED', 'WORKER_FAILED'].includes(code),
    ),
);

export const slowest = 5000; // ms; machines differ
export const mostMemory = 2 ** 28; // bytes of buffers, for inputs of 64 KiB

export interface Finding {
  /** The same for inputs that show the same bug. */
  kind: string;
  detail: string;
}

/** null where the input ended as it may. */
export async function outcome(target: Target, bytes: Uint8Array): Promise<Finding | null> {
  const before = buffers();
  const start = performance.now();
  let finding: Finding | null = null;
  try {
    await target.run(bytes.slice());
  } catch (error) {
    finding = judge(error);
  }
  if (finding) return finding;
  const seconds = (performance.now() - start) / 1000;
  if (seconds * 1000 > slowest) return { kind: 'slow', detail: `${seconds.toFixed(1)} s` };
  const taken = buffers() - before;
  if (taken > mostMemory) return { kind: 'memory', detail: `${Math.round(taken / 2 ** 20)} MiB` };
  return null;
}

// Buffers, and the heaps of WebAssembly, which never shrink.
const buffers = () => getHeapStatistics().external_memory;

function judge(error: unknown): Finding | null {
  if (error instanceof QuantizeError) {
    if (codes.has(error.code)) return null;
    return { kind: error.code, detail: error.message };
  }
  if (!(error instanceof Error)) return { kind: 'thrown', detail: String(error) };
  const frames = error.stack?.split('\n').filter((line) => line.includes('/dist/')) ?? [];
  const place = /([\w-]+\.js):\d+/.exec(frames[0] ?? '')?.[0] ?? '';
  return { kind: `${error.name} ${place}`.trim(), detail: error.message };
}
