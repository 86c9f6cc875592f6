// Which files are samples, and how many of them are held out: no range is made from those, so that
// they tell how good a result is. Chosen by place alone, so the same files are always split the
// same way; the library does it, here it is only shown.
import { byName, heldOutOf } from 'onnx-ptq';
import { isImage } from './files';

export interface DataChoice {
  /** Left out by name. */
  leftOut: ReadonlySet<string>;
  /** How many to hold out; null: as many as usual. */
  held: number | null;
  /** Files to use, the first by name; null: all. */
  limit: number | null;
}

export interface Split {
  used: readonly File[];
  /** The option hold_out. */
  holdOut: number;
  /** Of the files used; none where a file may hold many samples. */
  held: readonly File[];
}

const mostHeld = 32;
/** Where files may hold many samples, so that their number is not known. */
const usuallyHeld = 8;

export function splitSamples(files: readonly File[], choice: DataChoice): Split {
  const used = files
    .filter((file) => !choice.leftOut.has(file.name))
    .sort(byName)
    .slice(0, choice.limit ?? undefined);
  if (!used.every(isImage)) return { used, holdOut: choice.held ?? usuallyHeld, held: [] };
  const holdOut = choice.held ?? Math.min(mostHeld, Math.floor(used.length / 4));
  const held = heldOutOf(used.length, holdOut).map((place) => used[place]!);
  return { used, holdOut, held };
}

/** What was there, and what is added: a file of the same name replaces the one before. */
export function mergeFiles(old: readonly File[], added: readonly File[]): File[] {
  const names = new Set(added.map((file) => file.name));
  return [...old.filter((file) => !names.has(file.name)), ...added].sort(byName);
}
