// Which parts of the built library a run has reached, by V8's block coverage: it tells the fuzzer
// which inputs go somewhere new, and in the end which share of a reader's lines was reached.
import fs from 'node:fs';
import { Session } from 'node:inspector';
import { pathToFileURL } from 'node:url';

interface Range {
  startOffset: number;
  endOffset: number;
  count: number;
}

interface Script {
  url: string;
  functions: { ranges: Range[] }[];
}

// From the time this module is imported: first, so that what other modules do when they are loaded
// counts as well.
const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

export class Coverage {
  readonly #root = pathToFileURL('dist/').href;
  /** By file under dist: for each of its characters whether it was run. */
  readonly #reached = new Map<string, Uint8Array>();

  /**
   * Whether something in the library was reached for the first time since the last call; `keep`: it
   * counts as reached from now on.
   */
  take({ keep }: { keep: boolean }): boolean {
    let scripts: Script[] = [];
    session.post('Profiler.takePreciseCoverage', (_, { result }) => {
      scripts = result;
    });
    let isNew = false;
    for (const { url, functions } of scripts) {
      if (!url.startsWith(this.#root)) continue;
      const file = url.slice(this.#root.length);
      const old = this.#reached.get(file) ?? new Uint8Array();
      const all = withReached(old, functions);
      if (!all) continue;
      isNew = true;
      if (keep) this.#reached.set(file, all);
    }
    return isNew;
  }

  /** Lines of code in `files` (under dist), and how many of them were reached. */
  lines(files: readonly string[]): { reached: number; all: number; missed: string[] } {
    let reached = 0;
    let all = 0;
    const missed: string[] = [];
    for (const file of files) {
      const marks = this.#reached.get(file);
      let at = 0;
      for (const [index, line] of fs.readFileSync(`dist/${file}`, 'utf8').split('\n').entries()) {
        const first = at + line.search(/\S/);
        at += line.length + 1;
        if (!/^\s*(?![/*}\])]|import|export \{)\S/.test(line)) continue; // no code
        all++;
        if (marks?.[first]) reached++;
        else missed.push(`${file}:${index + 1}`);
      }
    }
    return { reached, all, missed };
  }
}

/** What was reached with what `functions` add to it; null where they add nothing. */
function withReached(old: Uint8Array, functions: Script['functions']): Uint8Array | null {
  const ranges = functions.flatMap((one) => one.ranges);
  const end = Math.max(old.length, ...ranges.map(({ endOffset }) => endOffset));
  const now = new Uint8Array(end);
  // Ranges lie within each other, and the inner ones win.
  ranges.sort((a, b) => b.endOffset - b.startOffset - (a.endOffset - a.startOffset));
  for (const { startOffset, endOffset, count } of ranges) {
    now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  }
  let isNew = false;
  for (let i = 0; i < end; i++) {
    if (now[i]! > (old[i] ?? 0)) isNew = true;
    now[i]! |= old[i] ?? 0;
  }
  return isNew ? now : null;
}
