// Which files are samples, and how many of them are held out: no range is made from those, so that
// they tell how good a result is. Chosen by place alone, so the same files are always split the
// same way; the library does it (calibration/held-samples.ts), here it is only shown.
import { byName } from 'onnx-ptq';
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
const usuallyHeld = 8;
/** At most one of so many, or all but `enoughLeft`; none of fewer than twice as many. */
const share = 3;
const enoughLeft = 16;

export function splitSamples(files: readonly File[], choice: DataChoice): Split {
  const used = files
    .filter((file) => !choice.leftOut.has(file.name))
    .sort(byName)
    .slice(0, choice.limit ?? undefined);
  const total = used.length;
  if (!used.every(isImage)) return { used, holdOut: choice.held ?? usuallyHeld, held: [] };
  const holdOut = choice.held ?? Math.min(mostHeld, Math.floor(total / 4));
  const most = Math.max(Math.floor(total / share), total - enoughLeft);
  const count = total < 2 * share ? 0 : Math.min(holdOut, most);
  const place = (part: number) => Math.floor(((part + 0.5) * total) / count);
  const held = Array.from({ length: count }, (_, part) => used[place(part)]!);
  return { used, holdOut, held };
}

/** What was there, and what is added: a file of the same name replaces the one before. */
export function mergeFiles(old: readonly File[], added: readonly File[]): File[] {
  const names = new Set(added.map((file) => file.name));
  return [...old.filter((file) => !names.has(file.name)), ...added].sort(byName);
}
