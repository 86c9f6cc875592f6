// The files in a zip as the readers see files: their bytes on demand, never the whole archive in
// memory.
import {
  byName,
  extensionOf,
  type FileListing,
  isHidden,
  type ListedFile,
  type NamedBytes,
  sortListing,
} from './files.js';
import { readZip, stored, type ZipEntry, ZipStream } from './zip.js';

const isZip = ({ file, given }: ListedFile) => given && extensionOf(file.name) === 'zip';

/**
 * Whether a zip was given. One that lies in a folder is left alone: its files may lie beside it.
 */
export function hasZip({ files }: FileListing): boolean {
  return files.some(isZip);
}

/**
 * The listing with the files of each zip in its place. Throws INVALID_DATA for a zip that can't be
 * read.
 */
export async function expandZips(listing: FileListing): Promise<FileListing> {
  const files: ListedFile[] = [];
  for (const listed of listing.files) {
    if (!isZip(listed)) files.push(listed);
    else {
      const inside = (await zipFiles(listed.file)).sort(byName);
      files.push(...inside.map((file) => ({ file, explicit: false, given: false })));
    }
  }
  return sortListing({ ...listing, files });
}

/**
 * The files in a zip, without folders and hidden files, named after it: "photos.zip/dogs/1.jpg".
 */
async function zipFiles(archive: NamedBytes): Promise<NamedBytes[]> {
  const unpacked: Unpacked = { entry: null, bytes: new Uint8Array() };
  const files: NamedBytes[] = [];
  for (const entry of await readZip(archive)) {
    // Some archivers write "./a.png", some "dogs\1.jpg".
    const name = entry.name.replaceAll('\\', '/').replace(/^(\.?\/)+/, '');
    if (name === '' || name.endsWith('/') || isHidden(name)) continue;
    files.push(new ZippedFile(archive, entry, `${archive.name}/${name}`, unpacked));
  }
  return files;
}

/** The one entry of an archive that is held in memory. */
interface Unpacked {
  entry: ZipEntry | null;
  bytes: Uint8Array;
}

/**
 * A stored entry is read where it lies. A deflated one is unpacked as far as it is read; going back
 * to its beginning starts again, and one that is read to and fro (an .npz) is unpacked whole and
 * kept until the next such.
 */
class ZippedFile implements NamedBytes {
  readonly name: string;
  readonly size: number;
  readonly #archive: NamedBytes;
  readonly #entry: ZipEntry;
  readonly #unpacked: Unpacked;
  #stream: ZipStream | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(archive: NamedBytes, entry: ZipEntry, name: string, unpacked: Unpacked) {
    this.name = name;
    this.size = entry.size;
    this.#archive = archive;
    this.#entry = entry;
    this.#unpacked = unpacked;
  }

  /** One read at a time: they share the stream. */
  read(start: number, end: number): Promise<Uint8Array> {
    const bytes = this.#turn.then(() => this.#read(start, end));
    this.#turn = bytes.catch(() => {});
    return bytes;
  }

  async #read(start: number, end: number): Promise<Uint8Array> {
    const last = Math.min(end, this.size);
    if (start >= last) return new Uint8Array();
    if (this.#unpacked.entry === this.#entry) return this.#unpacked.bytes.slice(start, last);
    const stream = await this.#streamAt(start);
    if (stream) {
      const bytes = await stream.read(last - start);
      // Nothing of it is kept when it was read to its end.
      if (stream.left === 0) this.#stream = null;
      return bytes;
    }
    const whole = await new ZipStream(this.#archive, this.#entry).read(this.size);
    this.#unpacked.entry = this.#entry;
    this.#unpacked.bytes = whole;
    return whole.slice(start, last);
  }

  /** The stream at `start`, null where it is past that already. */
  async #streamAt(start: number): Promise<ZipStream | null> {
    if (start === 0 || this.#entry.method === stored || !this.#stream) {
      const at = this.#stream ? this.size - this.#stream.left : -1;
      if (at !== start) this.#stream = new ZipStream(this.#archive, this.#entry);
    }
    const stream = this.#stream!;
    const at = this.size - stream.left;
    if (at > start) return null;
    await stream.skip(start - at);
    return stream;
  }
}
