// Where a file is to be written, before it is: links are followed to the file that they mean, the
// null device discards, and whatever is no regular file is refused rather than replaced.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { QuantizeError } from '../base/errors.js';
import { identityOf, systemError, withSystem } from '../base/system-error.js';
import { say } from '../base/text.js';

export interface Target {
  /** Absolute, links followed; the file need not exist. */
  path: string;
  /** The null device: what is written is discarded. */
  discards: boolean;
}

/** As many as the systems themselves follow. */
const mostLinks = 40;

/**
 * Throws OUTPUT_NOT_WRITABLE for folders, devices, pipes and sockets. `option`: what errors call
 * it.
 */
export function resolveTarget(file: string, option: string): Target {
  const refused = (message: string, hint?: string) =>
    new QuantizeError('OUTPUT_NOT_WRITABLE', say`${option}: ${message}`, hint ? { hint } : {});
  try {
    const target = followLinks(path.resolve(file));
    const stat = fs.statSync(target, { throwIfNoEntry: false, bigint: true });
    if (stat?.isDirectory()) throw refused(`${file} is a folder`, 'give the name of a file');
    if (stat && isNullDevice(stat)) return { path: target, discards: true };
    if (stat && !stat.isFile()) {
      throw refused(`${file} is no regular file`, 'a device, pipe or socket is not replaced');
    }
    return { path: target, discards: false };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOTDIR') {
      throw refused(`${path.dirname(file)} is not a folder`);
    }
    throw systemError(cause, `${option}: ${file} cannot be written`);
  }
}

/** The path with every link in it followed, as far as it exists. */
function followLinks(file: string): string {
  let at = file;
  for (let links = 0; links <= mostLinks; links++) {
    at = path.join(realFolder(path.dirname(at)), path.basename(at));
    const stat = fs.lstatSync(at, { throwIfNoEntry: false });
    if (!stat?.isSymbolicLink()) return at;
    at = path.resolve(path.dirname(at), fs.readlinkSync(at));
  }
  throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
}

/** The real path of a folder, of which the last parts need not exist. */
function realFolder(folder: string): string {
  try {
    return fs.realpathSync(folder);
  } catch (cause) {
    const parent = path.dirname(folder);
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT' || parent === folder) throw cause;
    return path.join(realFolder(parent), path.basename(folder));
  }
}

function isNullDevice(stat: fs.BigIntStats): boolean {
  if (!stat.isCharacterDevice()) return false;
  const device = fs.statSync(os.devNull, { throwIfNoEntry: false, bigint: true });
  return device !== undefined && device.rdev === stat.rdev;
}

/**
 * The target, in a folder that exists and can be written to. Throws OUTPUT_NOT_WRITABLE.
 */
export function writableTarget(file: string, option: string): Target {
  const target = resolveTarget(file, option);
  if (!target.discards) checkFolder(path.dirname(target.path), path.dirname(file), option);
  return target;
}

/** The same where missing folders are made: as far as they exist. */
export function checkTextTarget(file: string, option: string): void {
  const target = resolveTarget(file, option);
  if (target.discards) return;
  let folder = path.dirname(target.path);
  while (!fs.existsSync(folder)) folder = path.dirname(folder);
  checkFolder(folder, folder, option);
}

function checkFolder(folder: string, given: string, option: string): void {
  const problem = (message: string, hint?: string) =>
    new QuantizeError('OUTPUT_NOT_WRITABLE', say`${option}: ${message}`, hint ? { hint } : {});
  const stat = withSystem(`${option}: the folder ${given} cannot be seen`, () =>
    fs.statSync(folder, { throwIfNoEntry: false }),
  );
  if (!stat) throw problem(`the folder ${given} does not exist`, 'create it first');
  if (!stat.isDirectory()) throw problem(`${given} is not a folder`);
  try {
    fs.accessSync(folder, fs.constants.W_OK);
  } catch {
    throw problem(`the folder ${given} cannot be written to`);
  }
}

/**
 * What tells files apart: the file itself where it exists, else its place, links followed. Null for
 * the null device, which is nobody's file.
 */
export function fileIdentity(file: string): string | null {
  try {
    const target = followLinks(path.resolve(file));
    const stat = fs.statSync(target, { throwIfNoEntry: false, bigint: true });
    if (stat && isNullDevice(stat)) return null;
    return stat ? identityOf(stat) : target;
  } catch {
    return path.resolve(file); // what cannot be looked at is refused where it is opened
  }
}
