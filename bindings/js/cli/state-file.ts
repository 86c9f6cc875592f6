// The file that a cancelled calibration is kept in, and that --resume goes on from.
import fs from 'node:fs';
import { QuantizeError } from '../base/errors.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import { checkTextTarget, writeTextFile } from '../platform/node-files.js';

export type StateOptions = Pick<CheckedStatic, 'calibration_state' | 'resume'>;

export class StateFile {
  readonly path: string;
  readonly #resume: string | null;
  /** Whether the run was cancelled and its state written. */
  kept = false;

  /** `output`: what the file is named after. Throws OUTPUT_NOT_WRITABLE. */
  constructor({ calibration_state, resume }: StateOptions, output: string) {
    this.path = calibration_state ?? `${output}.calibration_state`;
    this.#resume = resume === true ? this.path : resume;
    checkTextTarget(this.path);
  }

  /** The state to go on from. Throws FILE_NOT_FOUND. */
  read(): string | undefined {
    if (this.#resume === null) return undefined;
    if (fs.existsSync(this.#resume)) return fs.readFileSync(this.#resume, 'utf8');
    throw new QuantizeError('FILE_NOT_FOUND', `there is no calibration state ${this.#resume}`, {
      hint: 'leave --resume out to begin anew',
    });
  }

  keep(text: string): void {
    writeTextFile(this.path, text);
    this.kept = true;
  }

  /** The run is through: what it went on from is of no use any more. */
  remove(): void {
    if (this.#resume === this.path) fs.rmSync(this.path, { force: true });
  }
}
