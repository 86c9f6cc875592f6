// Progress on standard error: one line that updates itself on a terminal, else a line for each
// finished stage (so that a run that fails at once has printed nothing but its error).
import type { Progress, Stage } from '../base/run.js';

const doing: Record<Stage, string> = {
  load: 'loading',
  prepare: 'preparing the model',
  calibrate: 'calibrating',
  quantize: 'quantizing',
  verify: 'verifying',
};
const finished: Partial<Record<Stage, string>> = {
  calibrate: 'calibrated',
  quantize: 'quantized',
  verify: 'verified',
};

export interface ProgressStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** "1 min 5 s", "12 s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export class ProgressLine {
  readonly #stream: ProgressStream;
  readonly #quiet: boolean;
  readonly #describe: () => string;
  #last: Progress | null = null;
  #start = performance.now();
  #shown = false;
  #described = false;

  /** `describe`: what the samples are, asked for once the first one is done. */
  constructor(stream: ProgressStream, quiet: boolean, describe: () => string) {
    this.#stream = stream;
    this.#quiet = quiet;
    this.#describe = describe;
  }

  update(progress: Progress): void {
    if (this.#quiet) return;
    if (progress.stage !== this.#last?.stage) {
      this.#finish();
      this.#start = performance.now();
    }
    this.#last = progress;
    if (this.#stream.isTTY) {
      if (progress.done > 0 && progress.stage === 'calibrate') this.#announce();
      this.#show(line(progress));
    }
  }

  /** Prints a line of its own above the progress. */
  print(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  /** The run is over: with success its last stage is reported. */
  end(success: boolean): void {
    if (success && !this.#quiet) this.#finish();
    this.clear();
  }

  clear(): void {
    if (this.#shown) this.#stream.write('\r\x1b[K');
    this.#shown = false;
  }

  // The samples' description comes first, so that a wrong guess is seen while it can still be
  // cancelled.
  #announce(): void {
    if (this.#described) return;
    this.#described = true;
    const text = this.#describe();
    if (text) this.print(text);
  }

  #finish(): void {
    const last = this.#last;
    const verb = last ? finished[last.stage] : undefined;
    if (!last || !verb || this.#stream.isTTY) return;
    if (last.stage === 'calibrate') this.#announce();
    const isCounted = last.stage === 'calibrate' && last.done > 0;
    const count = isCounted ? `: ${last.done} ${last.done === 1 ? 'sample' : 'samples'}` : '';
    const seconds = (performance.now() - this.#start) / 1000;
    this.#stream.write(`${verb}${count} (${seconds.toFixed(1)} s)\n`);
  }

  #show(text: string): void {
    const width = (this.#stream.columns ?? 80) - 1;
    this.#stream.write(`\r${text.slice(0, width)}\x1b[K`);
    this.#shown = true;
  }
}

function line({ stage, done, total, secondsLeft, sqnr }: Progress): string {
  if (sqnr !== undefined) return `${doing[stage]}: ${done} tried, best ${sqnr.toFixed(1)} dB`;
  if (total === undefined || total === 0)
    return done > 0 ? `${doing[stage]} ${done}` : doing[stage];
  const cells = 20;
  const filled = Math.round((cells * done) / total);
  const bar = '#'.repeat(filled) + '-'.repeat(cells - filled);
  const left = secondsLeft !== undefined && done < total ? `, ${duration(secondsLeft)} left` : '';
  return `${doing[stage]} [${bar}] ${done}/${total}${left}`;
}
