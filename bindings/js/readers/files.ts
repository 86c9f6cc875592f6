// Files as the readers see them, whether they lie on a disk or were dropped on a page: a name, a size,
// and bytes on demand. Where a path leads is the platform's business (node-files.ts).
import { QuantizeError } from '../errors.js';

export interface NamedBytes {
  /** For messages and for the order: relative to the folder that was given, with '/'. */
  readonly name: string;
  readonly size: number;
  /** Bytes [start, end). */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** What a reader reads: a path to a file or folder (Node), a File, Blob or NamedBytes, or a list of these. */
export type FileInput = string | Blob | NamedBytes | readonly (string | Blob | NamedBytes)[];

/** Lists a path: the file itself, or all files below a folder. `isFolder` tells which it was. */
export type FileLister = (path: string) => { files: NamedBytes[]; isFolder: boolean };

let lister: FileLister | null = null;

/** Lets readers take paths. Called by the entry point for Node (index.ts). */
export function setFileLister(value: FileLister): void {
  lister = value;
}

/** What was found. */
export interface FileList {
  /** Those wanted: Files by name; paths as given, the files of each folder by name. */
  files: NamedBytes[];
  /** Number of other files that were seen and left out, by extension. */
  others: Map<string, number>;
  /** What was searched, for messages: the path, or "the 3 given files". */
  place: string;
}

/** The extension in lower case without its dot, '' where there is none. */
export function extensionOf(name: string): string {
  return /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

/**
 * Finds files with one of `extensions` in all that was given. A path to a file, bytes without a name,
 * names without extension and Files of the given media type ("image/") are taken as they are. Throws FILE_NOT_FOUND for a path that does not
 * exist, INVALID_OPTION for a path in a browser.
 */
export function findFiles(
  input: FileInput,
  extensions: readonly string[],
  mediaType?: string,
): FileList {
  const items = isList(input) ? input : [input];
  const files: NamedBytes[] = [];
  const others = new Map<string, number>();
  items.forEach((item, index) => {
    const { found, explicit } = expand(item, index, mediaType);
    for (const file of found.sort(byName)) {
      const extension = extensionOf(file.name);
      if (explicit || extension === '' || extensions.includes(extension)) files.push(file);
      else others.set(extension, (others.get(extension) ?? 0) + 1);
    }
  });
  const paths = items.filter((item) => typeof item === 'string');
  // A list of paths has an order; Files from a dialog or a drop come in any.
  if (paths.length < items.length) files.sort(byName);
  const place = paths.length === items.length && paths.length === 1 ? paths[0]! : 'the files given';
  return { files, others, place };
}

/** By code units, not by language: the same order on every machine. */
function byName(a: NamedBytes, b: NamedBytes): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function isList(input: FileInput): input is readonly (string | Blob | NamedBytes)[] {
  return Array.isArray(input);
}

function expand(
  item: unknown,
  index: number,
  mediaType?: string,
): { found: NamedBytes[]; explicit: boolean } {
  if (typeof item === 'string') {
    if (!lister) {
      throw new QuantizeError('INVALID_OPTION', `a browser cannot open a path: ${item}`, {
        hint: 'pass Files or Blobs',
      });
    }
    const { files, isFolder } = lister(item);
    return { found: files, explicit: !isFolder };
  }
  if (item instanceof Blob) {
    const explicit = mediaType !== undefined && item.type.startsWith(mediaType);
    return { found: [fromBlob(item, index)], explicit };
  }
  if (typeof (item as NamedBytes | null)?.read === 'function') {
    return { found: [item as NamedBytes], explicit: false };
  }
  throw new QuantizeError('INVALID_OPTION', 'samples: expected paths, Files or Blobs', {
    hint: `item ${index + 1} is ${item === null ? 'null' : typeof item}`,
  });
}

/** A dropped file. Its place in the dropped folder is part of the name, where the browser tells. */
function fromBlob(blob: Blob, index: number): NamedBytes {
  const file = blob as Partial<File>;
  // Numbered so that the order of nameless bytes is the order given.
  const name = file.webkitRelativePath || file.name || `#${String(index + 1).padStart(6, '0')}`;
  return {
    name,
    size: blob.size,
    async read(start, end) {
      return new Uint8Array(await blob.slice(start, end).arrayBuffer());
    },
  };
}

/** " (it has 3 .txt and 1 .csv files)", or '' where there was nothing. */
export function describeOthers(others: ReadonlyMap<string, number>): string {
  const kinds = [...others].sort((a, b) => b[1] - a[1]).slice(0, 3);
  if (kinds.length === 0) return '';
  const list = kinds.map(([extension, count]) => `${count} .${extension}`).join(', ');
  return ` (it has ${list} ${kinds.length === 1 && kinds[0]![1] === 1 ? 'file' : 'files'})`;
}
