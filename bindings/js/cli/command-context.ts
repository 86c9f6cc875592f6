// What a command is run with: progress and warnings on standard error, its report on standard
// output, and the state of a calibration that is cancelled.

import type { Progress } from '../base/run.js';
import type { Diagnostic } from '../base/types.js';
import type { ParsedArgs } from './args.js';
import { describe, oneLine, printable } from './error-text.js';
import { type OutStream, print } from './print.js';
import { ProgressLine, type ProgressStream } from './progress.js';
import { StateFile, type StateOptions } from './state-file.js';

export class CommandContext {
  /** One line about the samples, once the first is done. */
  describe: () => string = () => '';
  state: StateFile | null = null;
  readonly callbacks: {
    signal: AbortSignal | undefined;
    onProgress: (progress: Progress) => void;
    onDiagnostic: (diagnostic: Diagnostic) => void;
  };
  readonly #args: ParsedArgs;
  readonly #out: OutStream;
  readonly #progress: ProgressLine;
  readonly #atOnce: boolean;
  readonly #held: string[] = [];
  #finished = false;

  constructor(
    args: ParsedArgs,
    out: OutStream,
    err: ProgressStream,
    signal: AbortSignal | undefined,
  ) {
    this.#args = args;
    this.#out = out;
    let described = '';
    // On a terminal what calibration takes is said at once; else with the first line, so that a run
    // that fails at once has printed nothing but its error.
    this.#atOnce = err.isTTY === true;
    this.#progress = new ProgressLine(err, args.quiet, () => {
      described ||= [...this.#held, oneLine(this.describe())].filter(Boolean).join('\n');
      return described;
    });
    this.callbacks = {
      signal,
      onProgress: (event) => this.#progress.update(event),
      onDiagnostic: (diagnostic) => this.#show(diagnostic),
    };
  }

  useState(checked: StateOptions, output: string): StateFile {
    this.state = new StateFile(checked, output);
    return this.state;
  }

  /** The run was a success: its last stage is reported. */
  finish(): void {
    this.#finished = true;
    this.#progress.end(true);
  }

  /** The run is over, in any case. */
  end(): void {
    if (!this.#finished) this.#progress.end(false);
  }

  /** The report: as JSON, or the files and further lines. */
  async report(
    all: object,
    written: readonly string[],
    lines: readonly string[] = [],
  ): Promise<void> {
    if (this.#args.json) await print(this.#out, `${JSON.stringify(all, null, 2)}\n`);
    else if (!this.#args.quiet) {
      const texts = [...written.map((file) => `written  ${file}`), ...lines];
      await print(this.#out, printable(`${texts.join('\n')}\n`));
    }
  }

  #show(diagnostic: Diagnostic): void {
    if (diagnostic.severity === 'warning') {
      this.#progress.print(`warning: ${describe(diagnostic)}`);
    } else if (diagnostic.code === 'CALIBRATION_MEMORY' && !this.#args.quiet) {
      if (this.#atOnce) this.#progress.print(diagnostic.message);
      else this.#held.push(diagnostic.message);
    }
  }
}
