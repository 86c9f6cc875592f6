// Files as the readers see them, whether they lie on a disk or were dropped on a page: a name, a
// size, and bytes on demand. What a path leads to, the platform knows (list-node-files.ts).

import { QuantizeError } from '../../base/errors.js';
import { say } from '../../base/text.js';

export interface NamedBytes {
  /** For messages and for the order: relative to the folder that was given, with '/'. */
  readonly name: string;
  readonly size: number;
  /** What it is on the disk, whatever its names (Node). */
  readonly identity?: string;
  /** Bytes [start, end). */
  read(start: number, end: number): Promise<Uint8Array>;
}

/**
 * What a reader reads: a path to a file or folder (Node), a File, Blob or NamedBytes, or a list of
 * these.
 */
export type FileInput = string | Blob | NamedBytes | readonly (string | Blob | NamedBytes)[];

/** Lists a path: the file itself, or all files below a folder. `isFolder` tells which it was. */
export type FileLister = (path: string) => { files: NamedBytes[]; isFolder: boolean };

let lister: FileLister | null = null;

/** Lets readers take paths. Called by set-up-node.ts. */
export function setFileLister(value: FileLister): void {
  lister = value;
}

/** All that was given, in the order in which it is read. */
export interface FileListing {
  files: ListedFile[];
  /** Where not only paths were given: Files from a dialog or a drop come in any order. */
  byName: boolean;
  /** What was searched, for messages: the path, or "the files given". */
  place: string;
}

export interface ListedFile {
  file: NamedBytes;
  /** Taken whatever its extension: its path was given, or its media type is the one looked for. */
  explicit: boolean;
  /** Given by itself, not found in a folder. */
  given: boolean;
}

/** What of a listing is read. */
export interface FileList {
  files: NamedBytes[];
  /** Number of other files that were seen and left out, by extension. */
  others: Map<string, number>;
  place: string;
}

/** The extension in lower case without its dot, '' where there is none. */
export function extensionOf(name: string): string {
  return /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

/**
 * Lists all that was given: Files by name; paths as given, the files of each folder by name. Throws
 * FILE_NOT_FOUND for a path that does not exist, INVALID_OPTION for a path in a browser.
 */
export function listFiles(input: FileInput, mediaType?: string): FileListing {
  const items = isList(input) ? input : [input];
  const files = items.flatMap((item, index) => expand(item, index, mediaType));
  const paths = items.filter((item) => typeof item === 'string');
  const place = paths.length === items.length && paths.length === 1 ? paths[0]! : 'the files given';
  return sortListing({ files, byName: paths.length < items.length, place });
}

/** A listing in its order: needed again where files took the place of others. */
export function sortListing(listing: FileListing): FileListing {
  if (listing.byName) listing.files.sort((a, b) => byName(a.file, b.file));
  return listing;
}

/**
 * The files with one of `extensions`, and those that are taken as they are: explicit ones, names
 * without extension.
 */
export function pickFiles(
  { files, place }: FileListing,
  extensions: readonly string[],
  except: readonly string[] = [],
): FileList {
  const picked: NamedBytes[] = [];
  const others = new Map<string, number>();
  for (const { file, explicit } of files) {
    const extension = extensionOf(file.name);
    const taken = explicit && !except.includes(extension);
    if (taken || extension === '' || extensions.includes(extension)) picked.push(file);
    else others.set(extension, (others.get(extension) ?? 0) + 1);
  }
  return { files: picked, others, place };
}

/** Files that systems put beside the user's: ".DS_Store", "._a.jpg", all of "__MACOSX". */
export function isHidden(name: string): boolean {
  return /(^|\/)(\.|__MACOSX(\/|$))/.test(name);
}

/** The name without its folders. */
export function baseName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** The folder of a name, '' at the top. */
export function folderOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

/** The bytes in a buffer that holds nothing else, as typed arrays over it need. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const own = bytes.constructor === Uint8Array && buffer instanceof ArrayBuffer;
  return own && buffer.byteLength === bytes.length ? new Uint8Array(buffer) : new Uint8Array(bytes);
}

/** All bytes of a file. Throws INVALID_DATA where it has fewer than it said. */
export async function readAll(file: NamedBytes): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await file.read(0, file.size);
  if (bytes.length < file.size) throw endsEarly(file);
  return ownBytes(bytes);
}

function endsEarly(file: NamedBytes): QuantizeError {
  return new QuantizeError('INVALID_DATA', say`${file.name}: it ends early`);
}

/** Bytes from a beginning to an end, in order. */
export interface ByteStream {
  /** Bytes that are still to come. */
  readonly left: number;
  /**
   * The next `count` bytes, in a buffer of their own. Throws INVALID_DATA where there are fewer.
   */
  read(count: number): Promise<Uint8Array<ArrayBuffer>>;
  skip(count: number): Promise<void>;
}

/** A file as a stream. */
export class FileStream implements ByteStream {
  readonly #file: NamedBytes;
  #at = 0;

  constructor(file: NamedBytes) {
    this.#file = file;
  }

  get left(): number {
    return this.#file.size - this.#at;
  }

  async read(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.#file.read(this.#at, this.#at + count);
    if (bytes.length < count) throw endsEarly(this.#file);
    this.#at += count;
    return ownBytes(bytes);
  }

  async skip(count: number): Promise<void> {
    this.#at += count;
  }
}

/** By code units, not by language: the same order on every machine. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function isList(input: FileInput): input is readonly (string | Blob | NamedBytes)[] {
  return Array.isArray(input);
}

function expand(item: unknown, index: number, mediaType?: string): ListedFile[] {
  if (typeof item === 'string') {
    if (!lister) {
      throw new QuantizeError('INVALID_OPTION', say`a browser cannot open a path: ${item}`, {
        hint: 'pass Files or Blobs',
      });
    }
    const { files, isFolder } = lister(item);
    return files.sort(byName).map((file) => ({ file, explicit: !isFolder, given: !isFolder }));
  }
  if (item instanceof Blob) {
    const file = fromBlob(item, index);
    const explicit = mediaType !== undefined && item.type.startsWith(mediaType);
    return [{ file, explicit, given: folderOf(file.name) === '' }];
  }
  if (typeof (item as NamedBytes | null)?.read === 'function') {
    const file = item as NamedBytes;
    return [{ file, explicit: false, given: folderOf(file.name) === '' }];
  }
  throw new QuantizeError('INVALID_OPTION', 'samples: expected paths, Files or Blobs', {
    hint: say`item ${index + 1} is ${item === null ? 'null' : typeof item}`,
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
