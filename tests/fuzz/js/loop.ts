// One target, fuzzed in a thread of its own: mutants of the inputs that have reached something new
// so far. The thread that started it ends it where an input does not come back (fuzz.ts).
import { parentPort, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.js';
import { type Finding, outcome } from './outcome.js';
import { mutate, Random } from './random.js';
import { allTargets, type Target } from './targets.js';

export interface LoopData {
  target: string;
  seed: number;
  seconds: number;
  regressions: Uint8Array[];
  /**
   * [number of inputs begun, length of the one at hand], then its bytes: still readable when the
   * thread hangs.
   */
  current: SharedArrayBuffer;
}

export type LoopMessage =
  | { kind: 'finding'; finding: Finding; input: Uint8Array }
  | {
      kind: 'end';
      inputs: number;
      corpus: number;
      reached: number;
      all: number;
      missed: string[];
    };

const batch = 200; // inputs between two looks at the coverage, which take some milliseconds
const part = 20; // of a batch that went somewhere new

async function loop({
  target: name,
  seed,
  seconds,
  regressions,
  current,
}: LoopData): Promise<void> {
  const target = allTargets.find((item) => item.name === name) as Target;
  const random = new Random(seed);
  const header = new Int32Array(current, 0, 2);
  const content = new Uint8Array(current, 8);
  const found = new Set<string>();
  let inputs = 0;

  const run = async (bytes: Uint8Array) => {
    content.set(bytes.subarray(0, content.length));
    header[1] = bytes.length;
    Atomics.store(header, 0, ++inputs);
    const finding = await outcome(target, bytes);
    if (!finding || found.has(finding.kind)) return;
    found.add(finding.kind);
    send({ kind: 'finding', finding, input: await minimize(target, bytes, finding.kind) });
  };

  const coverage = new Coverage();
  const corpus = [...(await target.seeds()), ...regressions];
  for (const bytes of corpus) await run(bytes);
  coverage.take({ keep: true });
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const mutants = Array.from({ length: batch }, () => {
      // The newest half of the time: it has reached something that nothing else has.
      const last = random.chance(2) ? Math.min(8, corpus.length) : corpus.length;
      const from = corpus[corpus.length - 1 - random.below(last)] as Uint8Array;
      const mutant = mutate(random, from, corpus, target.kind);
      return target.repair && !random.chance(4) ? target.repair(mutant) : mutant;
    });
    for (const mutant of mutants) await run(mutant);
    if (!coverage.take({ keep: false })) continue;
    // Some of them went where none was before; which, is told by running them again.
    for (let first = 0; first < batch; first += part) {
      const some = mutants.slice(first, first + part);
      for (const mutant of some) await outcome(target, mutant);
      if (!coverage.take({ keep: false })) continue;
      for (const mutant of some) {
        await outcome(target, mutant);
        if (coverage.take({ keep: true })) corpus.push(mutant);
      }
    }
  }
  coverage.take({ keep: true });
  send({
    kind: 'end',
    inputs,
    corpus: corpus.length,
    ...coverage.lines(target.files),
  });
}

/** The shortest input that cutting leads to with the same kind of finding. */
export async function minimize(
  target: Target,
  input: Uint8Array,
  kind: string,
): Promise<Uint8Array> {
  let best = input;
  const shows = async (bytes: Uint8Array) => (await outcome(target, bytes))?.kind === kind;
  if (kind === 'slow' || kind === 'memory') return best;
  for (let size = best.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at + size <= best.length; ) {
      const shorter = new Uint8Array(
        Buffer.concat([best.subarray(0, at), best.subarray(at + size)]),
      );
      if (await shows(shorter)) best = shorter;
      else at += size;
    }
  }
  return best;
}

function send(message: LoopMessage): void {
  parentPort?.postMessage(message);
}

if (parentPort) await loop(workerData as LoopData);
