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
  readonly #blocks = new Set<string>();
  readonly #files: readonly string[];

  /** `files` (under dist): those whose lines are asked for later. */
  constructor(files: readonly string[]) {
    this.#files = files;
  }

  /**
   * How many blocks of the library were reached for the first time since the last call; `keep`:
   * they count as reached.
   */
  take({ keep }: { keep: boolean }): number {
    let scripts: Script[] = [];
    session.post('Profiler.takePreciseCoverage', (_, { result }) => {
      scripts = result;
    });
    const added = new Set<string>();
    for (const { url, functions } of scripts) {
      if (!url.startsWith(this.#root)) continue;
      const file = url.slice(this.#root.length);
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          const block = `${file} ${startOffset} ${endOffset}`;
          if (count > 0 && !this.#blocks.has(block)) added.add(block);
        }
      }
      if (this.#files.includes(file)) this.#mark(file, functions);
    }
    if (keep) for (const block of added) this.#blocks.add(block);
    return added.size;
  }

  get blocks(): number {
    return this.#blocks.size;
  }

  /** Lines of code in the files, and how many of them were reached. */
  lines(): { reached: number; all: number; missed: string[] } {
    let reached = 0;
    let all = 0;
    const missed: string[] = [];
    for (const file of this.#files) {
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

  /** Inner ranges come after the outer ones of their function and win over them. */
  #mark(file: string, functions: Script['functions']): void {
    const old = this.#reached.get(file) ?? new Uint8Array();
    const ends = functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset));
    const end = Math.max(old.length, ...ends);
    const now = new Uint8Array(end);
    const bySize = functions
      .flatMap(({ ranges }) => ranges)
      .sort((a, b) => b.endOffset - b.startOffset - (a.endOffset - a.startOffset));
    for (const { startOffset, endOffset, count } of bySize) {
      now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    }
    old.forEach((reached, i) => {
      if (reached) now[i] = 1;
    });
    this.#reached.set(file, now);
  }
}
