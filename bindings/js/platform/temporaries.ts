// Names of files that are being written. They lie beside their target, so that a rename puts them
// in place; nobody can foretell them, and they are opened exclusively, so that what lies there (a
// leftover, another's link) is never written to. A name says which process it is of: what a killed
// one has left is removed by the next that writes into the folder.
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Of the target's name as many bytes are kept: with the rest it stays under 255. */
const keptName = 160;
/** Leftovers of other machines and containers, of whose processes nothing is known. */
const foreignAge = 7 * 24 * 3600 * 1000;

// .NAME.PLACE-PID-START-RANDOM.partial
const pattern = /^\..*\.([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{16}\.partial$/s;

/** This machine and its space of process numbers: containers share folders, not numbers. */
const place = createHash('sha256')
  .update(`${os.hostname()} ${readLink('/proc/self/ns/pid')}`)
  .digest('hex')
  .slice(0, 8);

const ownStart = startOf(process.pid);

/** What has been begun and is neither in place nor removed. */
const unfinished = new Set<string>();

/** A new name in the folder of `target`, which counts as unfinished from now on. */
export function temporaryFor(target: string, folder = path.dirname(target)): string {
  const base = truncated(path.basename(target));
  const random = randomBytes(8).toString('hex');
  const name = `.${base}.${place}-${process.pid}-${ownStart}-${random}.partial`;
  const file = path.join(folder, name);
  unfinished.add(file);
  return file;
}

/** The file is in place, or is to be kept for another reason. */
export function finished(file: string): void {
  unfinished.delete(file);
}

/** Removes a file that was begun. Never throws: it is called where something else went wrong. */
export function removeTemporary(file: string): void {
  try {
    fs.rmSync(file, { force: true });
    unfinished.delete(file);
  } catch {
    // It stays in the list, for the end of the process.
  }
}

let removesAtExit = false;

/** When the process ends at once, every file that was begun and not finished goes. */
export function removeUnfinishedAtExit(): void {
  if (removesAtExit) return;
  removesAtExit = true;
  process.on('exit', () => {
    for (const file of [...unfinished]) removeTemporary(file);
  });
}

const swept = new Set<string>();

/** Removes what processes that are gone have left in a folder, once for each. Never throws. */
export function sweep(folder: string): void {
  if (swept.has(folder)) return;
  swept.add(folder);
  try {
    for (const name of fs.readdirSync(folder)) {
      const match = pattern.exec(name);
      if (!match) continue;
      const file = path.join(folder, name);
      if (isLeftOver(file, match)) fs.rmSync(file, { force: true });
    }
  } catch {
    // A folder that cannot be listed, or a file of another's, is no reason to fail.
  }
}

function isLeftOver(file: string, [, itsPlace, pid, start]: RegExpExecArray): boolean {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile()) return false;
  if (itsPlace !== place) return Date.now() - stat.mtimeMs > foreignAge;
  if (!isRunning(Number(pid))) return true;
  // The number may be another process's by now: in a container it is often 1 again.
  const now = startOf(Number(pid));
  return start !== '0' && now !== '0' && start !== now;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** When a process was started, in ticks since the machine was; '0' where that is not known. */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program, in parentheses, may hold anything.
    return /^\d+$/.exec(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '')?.[0] ?? '0';
  } catch {
    return '0';
  }
}

function readLink(file: string): string {
  try {
    return fs.readlinkSync(file);
  } catch {
    return '';
  }
}

/** The beginning of a name, whole characters. */
function truncated(name: string): string {
  let bytes = 0;
  let end = 0;
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > keptName) break;
    end += character.length;
  }
  return name.slice(0, end);
}
