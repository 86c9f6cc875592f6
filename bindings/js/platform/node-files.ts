// Single files in Node: read at any place, or written under a temporary name and renamed when
// complete.
import fs from 'node:fs';
import path from 'node:path';
import type { ByteSink, ByteSource } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';

/** A file open for reading. `label`: what errors call it. */
export class FileSource implements ByteSource {
  readonly path: string;
  readonly size: number;
  readonly #fd: number;

  constructor(file: string, label: string) {
    this.path = file;
    let stat: fs.Stats;
    try {
      stat = fs.statSync(file);
    } catch (cause) {
      throw fileError(cause, `${label} was not found`);
    }
    if (!stat.isFile()) throw new QuantizeError('FILE_NOT_FOUND', `${label} is not a file`);
    try {
      this.#fd = fs.openSync(file, 'r');
    } catch (cause) {
      throw fileError(cause, `${label} cannot be read`);
    }
    this.size = stat.size;
  }

  read(offset: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const count = fs.readSync(this.#fd, into, done, into.length - done, offset + done);
      if (count === 0) {
        throw new QuantizeError('TRUNCATED_MODEL', `${this.path} ends at byte ${offset + done}`);
      }
      done += count;
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

/** A file that appears under its name only with commit(). */
export class FileSink implements ByteSink {
  readonly target: string;
  readonly temporaryPath: string;
  #fd: number | null = null;
  #size = 0;

  constructor(target: string) {
    this.target = target;
    const name = `.${path.basename(target)}.${process.pid}.partial`;
    this.temporaryPath = path.join(path.dirname(path.resolve(target)), name);
  }

  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): void {
    try {
      this.#fd ??= this.#create();
      for (let done = 0; done < bytes.length; ) {
        done += fs.writeSync(this.#fd, bytes, done, bytes.length - done);
      }
    } catch (cause) {
      throw fileError(cause, `${this.target} cannot be written`);
    }
    this.#size += bytes.length;
  }

  truncate(): void {
    this.#close();
    this.#size = 0;
    if (fs.existsSync(this.temporaryPath)) fs.truncateSync(this.temporaryPath);
  }

  commit(): string {
    this.#close();
    try {
      fs.renameSync(this.temporaryPath, this.target);
    } catch (cause) {
      throw fileError(cause, `${this.target} cannot be written`);
    }
    unfinished.delete(this.temporaryPath);
    return this.target;
  }

  discard(): void {
    this.#close();
    fs.rmSync(this.temporaryPath, { force: true });
    unfinished.delete(this.temporaryPath);
  }

  #create(): number {
    unfinished.add(this.temporaryPath);
    return fs.openSync(this.temporaryPath, 'a');
  }

  #close(): void {
    if (this.#fd !== null) fs.closeSync(this.#fd);
    this.#fd = null;
  }
}

const unfinished = new Set<string>();

/** Removes every file that was begun and not committed: for a process that has to end at once. */
export function removeUnfinished(): void {
  for (const file of unfinished) fs.rmSync(file, { force: true });
  unfinished.clear();
}

/** Throws OUTPUT_NOT_WRITABLE where writeTextFile() would fail. */
export function checkTextTarget(file: string): void {
  let folder = path.dirname(path.resolve(file));
  while (!fs.existsSync(folder)) folder = path.dirname(folder);
  writableFolder(path.join(folder, path.basename(file)), path.basename(file));
}

/**
 * Writes a small file, complete or not at all; makes its folder, as the reference does for its
 * cache.
 */
export function writeTextFile(file: string, content: string | Uint8Array): void {
  fs.mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  const sink = new FileSink(file);
  try {
    sink.append(typeof content === 'string' ? new TextEncoder().encode(content) : content);
    sink.commit();
  } finally {
    sink.discard();
  }
}

/** The folder that `target` will be in; throws where it does not exist or can't be written. */
export function writableFolder(target: string, label: string): string {
  const folder = path.dirname(path.resolve(target));
  const problem = (message: string, hint?: string) =>
    new QuantizeError('OUTPUT_NOT_WRITABLE', message, hint ? { hint } : {});
  if (!fs.existsSync(folder)) {
    throw problem(`${label}: the folder ${path.dirname(target)} does not exist`, 'create it first');
  }
  if (!fs.statSync(folder).isDirectory()) {
    throw problem(`${label}: ${path.dirname(target)} is not a folder`);
  }
  if (fs.existsSync(target) && fs.statSync(target).isDirectory()) {
    throw problem(`${label}: ${target} is a folder`, 'give the name of a file');
  }
  try {
    fs.accessSync(folder, fs.constants.W_OK);
  } catch {
    throw problem(`${label}: the folder ${path.dirname(target)} cannot be written to`);
  }
  return folder;
}

function fileError(cause: unknown, message: string): QuantizeError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new QuantizeError('FILE_NOT_FOUND', message, { cause });
  }
  return new QuantizeError('FILE_ERROR', `${message} (${code ?? String(cause)})`, { cause });
}
