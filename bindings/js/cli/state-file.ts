// The file that a cancelled calibration is kept in, and that --resume goes on from.
import fs from 'node:fs';
import { QuantizeError } from '../base/errors.js';
import { withSystem } from '../base/system-error.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import { writeTextFile } from '../platform/file-sink.js';
import { readTextFile } from '../platform/node-files.js';
import type { FileUse } from '../platform/platform.js';
import { checkTextTarget } from '../platform/targets.js';

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
    checkTextTarget(this.path, 'calibration_state');
  }

  /** For the comparison of all files. */
  get uses(): FileUse[] {
    const state = { option: 'calibration_state', path: this.path, writes: true };
    return this.#resume === null
      ? [state]
      : [{ option: 'resume', path: this.#resume, writes: false }, state];
  }

  /** The state to go on from. Throws FILE_NOT_FOUND. */
  read(): string | undefined {
    if (this.#resume === null) return undefined;
    const text = readTextFile(this.#resume, `the calibration state ${this.#resume}`);
    if (text !== null) return text;
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
    if (this.#resume !== this.path) return;
    withSystem(`${this.path} cannot be removed`, () => fs.rmSync(this.path, { force: true }));
  }
}
