// Labels of samples: the folder that a file is in, or a table of files and labels (CSV or JSON).
import { QuantizeError } from '../base/errors.js';
import { isObject } from '../base/values.js';

/** Which class each file shows. */
export interface Labels {
  /** What was taken for a label, for people. */
  description: string;
  /** Throws INVALID_DATA for a file that has none. */
  classOf(file: string): number;
}

const invalid = (message: string, hint?: string) =>
  new QuantizeError('INVALID_DATA', message, hint ? { hint } : {});

const isWhole = (text: string) => /^\d+$/.test(text);

/** Names in order become numbers; whole numbers stand for themselves. */
function numbersOf(names: Iterable<string>): Map<string, number> {
  const sorted = [...new Set(names)].sort();
  const numbers = sorted.every(isWhole) ? sorted.map(Number) : sorted.map((_, i) => i);
  return new Map(sorted.map((name, i) => [name, numbers[i]!]));
}

/** Each file's label is the name of its folder. `files`: their names, with '/'. */
export function folderLabels(files: readonly string[]): Labels {
  const folderOf = (file: string) => /(?:^|\/)([^/]+)\/[^/]+$/.exec(file)?.[1];
  const without = files.find((file) => folderOf(file) === undefined);
  if (without !== undefined || files.length === 0) {
    throw invalid(
      `${without ?? 'the data set'} is in no folder, which would be its label`,
      'put the files of each class into a folder of its own, or give --labels FILE',
    );
  }
  const numbers = numbersOf(files.map((file) => folderOf(file)!));
  return {
    description: describeNumbers('folders', numbers),
    classOf: (file) => numbers.get(folderOf(file)!)!,
  };
}

function describeNumbers(what: string, numbers: ReadonlyMap<string, number>): string {
  const names = [...numbers.keys()];
  const order = names.every(isWhole) ? 'their numbers' : 'in alphabetical order';
  return `${numbers.size} ${what} as classes, ${order}`;
}

/** `text`: CSV with file and label, or JSON: {file: label} or [{file, label}]. */
export function parseLabels(text: string, name: string): Labels {
  const trimmed = text.trim();
  const rows = /^[[{]/.test(trimmed) ? jsonRows(trimmed, name) : csvRows(trimmed, name);
  if (rows.length === 0) throw invalid(`${name}: there is no label`);
  const numbers = numbersOf(rows.map(([, label]) => label));
  const byFile = new Map<string, number>();
  const byBase = new Map<string, number | null>();
  for (const [file, label] of rows) {
    const number = numbers.get(label)!;
    const path = file.replaceAll('\\', '/');
    byFile.set(path, number);
    const base = baseOf(path);
    // Of two files of one name none is meant by it.
    byBase.set(base, byBase.has(base) && byBase.get(base) !== number ? null : number);
  }
  return {
    description: `labels of ${rows.length} files in ${name}; ${describeNumbers('labels', numbers)}`,
    classOf(file) {
      const found = byFile.get(file) ?? byBase.get(baseOf(file));
      if (found !== undefined && found !== null) return found;
      throw invalid(
        `${name} has no label of ${file}`,
        'labels belong to the name of the file, with or without its folder',
      );
    },
  };
}

const baseOf = (file: string) => file.slice(file.lastIndexOf('/') + 1);

type Row = [file: string, label: string];

function jsonRows(text: string, name: string): Row[] {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (cause) {
    throw invalid(`${name}: not valid JSON: ${(cause as Error).message}`);
  }
  const rows = Array.isArray(root)
    ? root.map((row) => (isObject(row) ? [row.file, row.label] : []))
    : Object.entries(root as object);
  return rows.map(([file, label]): Row => {
    if (typeof file === 'string' && (typeof label === 'string' || Number.isInteger(label))) {
      return [file, String(label)];
    }
    throw invalid(`${name}: expected {"file": label} or [{"file": …, "label": …}]`);
  });
}

const fileColumns = ['file', 'filename', 'file_name', 'image', 'path'];
const labelColumns = ['label', 'class_index', 'class_id', 'class', 'target'];

function csvRows(text: string, name: string): Row[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const cells = lines.map(csvCells);
  const head = (cells[0] ?? []).map((cell) => cell.trim().toLowerCase());
  const place = (columns: readonly string[]) => head.findIndex((cell) => columns.includes(cell));
  const [file, label] = [place(fileColumns), place(labelColumns)];
  const hasHead = file >= 0 && label >= 0;
  const rows = hasHead ? cells.slice(1) : cells;
  return rows.map((row, i): Row => {
    const [first, second] = hasHead ? [row[file], row[label]] : [row[0], row[1]];
    if (first !== undefined && second !== undefined && second.trim() !== '') {
      return [first.trim(), second.trim()];
    }
    throw invalid(
      `${name}, line ${i + (hasHead ? 2 : 1)}: expected a file and a label`,
      'two columns, or a first line with the names file and label',
    );
  });
}

/** Cells may be quoted, with quotes in them doubled (RFC 4180). */
function csvCells(line: string): string[] {
  return [...line.matchAll(/(?:^|[,;\t])(?:"((?:[^"]|"")*)"|([^,;\t]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
