// Files that are written: under a temporary name, forced to the disk, and put in place together
// with those that belong to them, or not at all.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ByteSink } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { systemError, withSystem } from '../base/system-error.js';
import { say } from '../base/text.js';
import { checkTextTarget, resolveTarget, type Target } from './targets.js';
import { finished, removeTemporary, sweep, temporaryFor } from './temporaries.js';

/** A file that appears under its name only with commitFiles(). */
export class FileSink implements ByteSink {
  /** As it was given, for messages and results. */
  readonly name: string;
  readonly target: string;
  readonly discards: boolean;
  readonly temporaryPath: string;
  #fd: number | null = null;
  #size = 0;
  /** What was written, whatever its name, once it is finished. */
  #identity = '';

  constructor(name: string, { path: target, discards }: Target) {
    this.name = name;
    this.target = target;
    this.discards = discards;
    // Nothing is written beside the null device.
    const folder = discards ? os.tmpdir() : path.dirname(target);
    sweep(folder);
    this.temporaryPath = temporaryFor(target, folder);
  }

  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): void {
    withSystem(`${this.name} cannot be written`, () => {
      // Exclusively, so no link is followed; the umask decides who may read it.
      this.#fd ??= fs.openSync(this.temporaryPath, 'wx');
      for (let done = 0; done < bytes.length; ) {
        const count = bytes.length - done;
        done += fs.writeSync(this.#fd, bytes, done, count, this.#size + done);
      }
    });
    this.#size += bytes.length;
  }

  truncate(): void {
    const fd = this.#fd;
    if (fd !== null) withSystem(`${this.name} cannot be written`, () => fs.ftruncateSync(fd, 0));
    this.#size = 0;
  }

  /** All that was written is on the disk. */
  finish(): void {
    this.append(new Uint8Array()); // an empty file is a file
    withSystem(`${this.name} cannot be written`, () => {
      const fd = this.#fd as number;
      fs.fsyncSync(fd);
      this.#identity = identity(fs.fstatSync(fd, { bigint: true }));
      this.#fd = null;
      fs.closeSync(fd);
    });
  }

  /** Whether what is there under its name is what was written here. */
  isInPlace(): boolean {
    const found = fs.lstatSync(this.target, { bigint: true, throwIfNoEntry: false });
    return found !== undefined && identity(found) === this.#identity;
  }

  discard(): void {
    try {
      if (this.#fd !== null) fs.closeSync(this.#fd);
    } catch {
      // It is removed anyway.
    }
    this.#fd = null;
    removeTemporary(this.temporaryPath);
  }
}

const identity = ({ dev, ino }: fs.BigIntStats) => `${dev} ${ino}`;

/**
 * Puts files in place: all of them, or, where that fails, none, and what was there before is there
 * again. The model of a `group` is not there while its data is replaced: a process that is ended at
 * any moment leaves the old pair, the new pair, or no model, never one with the data of another. So
 * does a process that meets another at the same pair: it gives way. Throws FILE_ERROR,
 * FILE_NOT_FOUND.
 */
export function commitFiles(
  sinks: readonly FileSink[],
  group?: { model: FileSink; data: readonly FileSink[] },
): void {
  const files: FileSink[] = [];
  for (const sink of sinks) {
    if (sink.discards) sink.discard();
    else files.push(sink);
  }
  for (const sink of files) sink.finish();
  const undo: (() => void)[] = [];
  const aside: string[] = [];
  try {
    if (group && files.includes(group.model) && group.data.some(({ target }) => exists(target))) {
      moveAside(group.model, aside, undo);
    }
    for (const sink of files) {
      const replaces = exists(sink.target);
      // One file is replaced by the rename itself; of several each may have to come back.
      if (replaces && files.length > 1) keep(sink, aside, undo);
      withSystem(`${sink.name} cannot be written`, () =>
        fs.renameSync(sink.temporaryPath, sink.target),
      );
      finished(sink.temporaryPath);
      if (!replaces) undo.push(() => removeTemporary(sink.target));
    }
  } catch (error) {
    throw undone(error, undo);
  }
  for (const folder of new Set(files.map(({ target }) => path.dirname(target)))) syncFolder(folder);
  for (const file of aside) removeTemporary(file);
  if (group && files.includes(group.model)) {
    giveWay(
      group.model,
      group.data.filter((sink) => files.includes(sink)),
    );
  }
}

/** Where another process has replaced the data meanwhile, the model is not left beside it. */
function giveWay(model: FileSink, data: readonly FileSink[]): void {
  const replaced = data.find((sink) => !sink.isInPlace());
  if (!replaced) return;
  if (model.isInPlace()) removeTemporary(model.target);
  throw new QuantizeError(
    'FILE_ERROR',
    say`another process wrote ${replaced.name} at the same time`,
    {
      hint: 'run again, with another model_output for each',
    },
  );
}

/** Whether there is a file. Throws where there is something else, which is never replaced. */
function exists(file: string): boolean {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (!stat || stat.isFile()) return stat !== undefined;
  throw new QuantizeError('OUTPUT_NOT_WRITABLE', say`${file} is no regular file any more`);
}

/** What is there gets a temporary name. */
function moveAside({ name, target }: FileSink, aside: string[], undo: (() => void)[]): void {
  if (!exists(target)) return;
  const old = temporaryFor(target);
  withSystem(`${name} cannot be replaced`, () => fs.renameSync(target, old));
  aside.push(old);
  undo.push(() => restore(old, target));
  // Before its data is: the order holds where the power fails, too.
  syncFolder(path.dirname(target));
}

/** What is there gets a second name, so that it can come back; it stays under its own. */
function keep(sink: FileSink, aside: string[], undo: (() => void)[]): void {
  const { target } = sink;
  const old = temporaryFor(target);
  try {
    fs.linkSync(target, old);
  } catch {
    finished(old);
    moveAside(sink, aside, undo); // a file system without hard links
    return;
  }
  aside.push(old);
  undo.push(() => {
    restore(old, target);
    removeTemporary(old); // a rename between two names of one file leaves both
  });
}

function restore(old: string, target: string): void {
  fs.renameSync(old, target);
  finished(old);
}

/** Takes back what was done, the last first. Returns the error to throw. */
function undone(error: unknown, undo: readonly (() => void)[]): unknown {
  const kept: string[] = [];
  for (const step of [...undo].reverse()) {
    try {
      step();
    } catch (cause) {
      const { path: old, dest } = cause as NodeJS.ErrnoException & { dest?: string };
      if (old === undefined || dest === undefined) continue;
      finished(old);
      kept.push(`${dest} as ${old}`);
    }
  }
  if (kept.length === 0) return error;
  return new QuantizeError('FILE_ERROR', (error as Error).message, {
    hint: say`what was there before could not be put back: ${kept.join(', ')}`,
    cause: error,
  });
}

/** Names are on the disk, too. Where that cannot be, the file is there and whole all the same. */
function syncFolder(folder: string): void {
  try {
    const fd = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // Windows has no such call.
  }
}

/**
 * Begins a small file with its whole content, to be committed or discarded; makes its folder, as
 * the reference does for its cache. `option`: what errors call it.
 */
export function stageText(file: string, content: string | Uint8Array, option = file): FileSink {
  checkTextTarget(file, option);
  const target = resolveTarget(file, option);
  if (!target.discards) {
    withSystem(`the folder of ${file} cannot be made`, () =>
      fs.mkdirSync(path.dirname(target.path), { recursive: true }),
    );
  }
  const sink = new FileSink(file, target);
  try {
    sink.append(typeof content === 'string' ? new TextEncoder().encode(content) : content);
    return sink;
  } catch (error) {
    sink.discard();
    throw systemError(error, `${file} cannot be written`);
  }
}

/** Writes a small file, complete or not at all; makes its folder. */
export function writeTextFile(file: string, content: string | Uint8Array): void {
  const sink = stageText(file, content);
  try {
    commitFiles([sink]);
  } finally {
    sink.discard();
  }
}
