// The core's files: inputs are read through InputFiles, '~scratch', '~calibration' and what is
// dumped live in memory, '~output' and its data file go to OutputFiles. An error thrown in here
// would have to cross the wasm stack, where a C++ catch (...) may swallow it: it is kept and thrown
// again by CoreSession.

import type { ByteSink, ByteSource, InputFiles, OutputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { MemoryFile, MemoryFiles } from '../base/memory-file.js';
import { say } from '../base/text.js';
import type { HostFiles } from '../wasm/ptq_core.mjs';

/** kPassDumpFolder of pass_dump.h. */
const dumpFolder = '~passes/';

export class ModelFiles implements HostFiles {
  readonly scratch = new MemoryFile();
  readonly calibration = new MemoryFile();
  /** The files of dump_passes, by name. */
  readonly dump = new MemoryFiles();
  /** The first error since takeError(). */
  #error: unknown;
  readonly #input: InputFiles;
  #output: OutputFiles<unknown> | null;

  constructor(input: InputFiles, output: OutputFiles<unknown> | null = null) {
    this.#input = input;
    this.#output = output;
  }

  size(name: string): number {
    return this.#guard(() => this.#source(name)?.size ?? -1);
  }

  read(name: string, offset: number, into: Uint8Array): void {
    this.#guard(() => {
      const source = this.#source(name);
      if (!source) throw new QuantizeError('FILE_NOT_FOUND', say`${name} was not given`);
      if (offset + into.length > source.size) {
        throw new QuantizeError(
          'TRUNCATED_MODEL',
          say`${name} ends before byte ${offset + into.length}`,
        );
      }
      source.read(offset, into);
    });
  }

  append(name: string, bytes: Uint8Array): void {
    this.#guard(() => this.#sink(name).append(bytes));
  }

  truncate(name: string): void {
    this.#guard(() => this.#sink(name).truncate());
  }

  /** From now on results go to `output`. */
  writeTo(output: OutputFiles<unknown>): void {
    this.#output = output;
  }

  /** The error that a callback threw, if any; forgets it. */
  takeError(): unknown {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  #source(name: string): ByteSource | null {
    if (name === '~scratch') return this.scratch;
    if (name === '~calibration') return this.calibration;
    return this.#input.source(name);
  }

  #sink(name: string): ByteSink {
    if (name === '~scratch') return this.scratch;
    if (name === '~calibration') return this.calibration;
    if (name.startsWith(dumpFolder)) return this.dump.file(name.slice(dumpFolder.length));
    const output = this.#output;
    if (output && name === '~output') return output.model;
    if (output && name === output.dataName) return output.data;
    if (output && name.startsWith(`${output.dataName}.`)) return output.tensorFile(name);
    throw new QuantizeError('INTERNAL', say`the core wrote to an unexpected file: ${name}`);
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#error ??= error;
      throw error; // so that the core stops
    }
  }
}
