// Zip files read in place (APPNOTE 6.3: stored and deflated entries, zip64), each entry as a
// stream, so that an archive larger than the memory can be read sample by sample.

import { crc32 } from '../../base/crc32.js';
import { QuantizeError } from '../../base/errors.js';
import { say } from '../../base/text.js';
import { type ByteStream, extensionOf, type NamedBytes } from './files.js';
import type { Inflate } from './inflate.js';

export interface ZipEntry {
  name: string;
  /** Bytes when unpacked. */
  size: number;
  method: number;
  packedSize: number;
  crc: number;
  /** Of the entry's local header in the file. */
  offset: number;
}

export const stored = 0;
const deflated = 8;
const encrypted = 1;
// Packed bytes that are unpacked at a time; deflate makes at most about 1000 times as many of them.
const inputBlock = 1 << 17;
const skipBlock = 1 << 20;
// Deflate makes at most 1032 times as many bytes; an entry that claims more would only take memory.
const mostUnpacked = (entry: ZipEntry) =>
  entry.method === stored ? entry.packedSize : entry.packedSize * 1032;

/** Bytes that are unpacked at a time, and of a directory: more would only take the memory. */
const mostAtOnce = 2 ** 31 - 1;

function damaged(file: NamedBytes, why: string, cause?: unknown): QuantizeError {
  const kind = extensionOf(file.name) === 'npz' ? '.npz' : 'zip file';
  return new QuantizeError('INVALID_DATA', say`${file.name} is not a readable ${kind}: ${why}`, {
    cause,
  });
}

async function readView(file: NamedBytes, start: number, count: number): Promise<DataView> {
  // Beyond the file a start may be so large that adding to it does nothing.
  const lies = start >= 0 && start + count <= file.size;
  const bytes = lies ? await file.read(start, start + count) : new Uint8Array();
  if (bytes.length < count) throw damaged(file, 'it ends early');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** The entries of the central directory, in its order. Throws INVALID_DATA. */
export async function readZip(file: NamedBytes): Promise<ZipEntry[]> {
  // The end record is 22 bytes and a comment of at most 65535.
  const tailStart = Math.max(0, file.size - 22 - 65535);
  const tail = await readView(file, tailStart, file.size - tailStart);
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw damaged(file, 'it is no zip file, or ends early');
  let count = tail.getUint16(end + 10, true);
  let size = tail.getUint32(end + 12, true);
  let offset = tail.getUint32(end + 16, true);
  if (end >= 20 && tail.getUint32(end - 20, true) === 0x07064b50) {
    const at = uint64(tail, end - 20 + 8);
    const end64 = await readView(file, at, 56);
    if (end64.getUint32(0, true) !== 0x06064b50) throw damaged(file, 'its zip64 record is missing');
    count = uint64(end64, 32);
    size = uint64(end64, 40);
    offset = uint64(end64, 48);
  }
  if (!(offset + size <= file.size)) throw damaged(file, 'its directory lies outside the file');
  if (size > mostAtOnce) {
    throw damaged(file, `its directory has ${size} bytes, and at most ${mostAtOnce} are read`);
  }
  return readDirectory(file, await readView(file, offset, size), count);
}

function readDirectory(file: NamedBytes, view: DataView, count: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  for (let at = 0; entries.length < count; ) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== 0x02014b50) {
      throw damaged(file, 'its directory is damaged');
    }
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > view.byteLength) throw damaged(file, 'its directory is damaged');
    const name = new TextDecoder().decode(
      new Uint8Array(view.buffer, view.byteOffset + at + 46, nameEnd - at - 46),
    );
    const entry: ZipEntry = {
      name,
      size: view.getUint32(at + 24, true),
      packedSize: view.getUint32(at + 20, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      offset: view.getUint32(at + 42, true),
    };
    readZip64(view, nameEnd, extraEnd, entry);
    if (view.getUint16(at + 8, true) & encrypted) throw damaged(file, `${name} is encrypted`);
    if (entry.method !== stored && entry.method !== deflated) {
      throw damaged(file, `${name} is compressed by method ${entry.method}`);
    }
    if (entry.packedSize > file.size || entry.size > mostUnpacked(entry))
      throw damaged(file, `the size of ${name} is wrong`);
    if (!(entry.offset + entry.packedSize <= file.size)) {
      throw damaged(file, `${name} lies outside the file`);
    }
    entries.push(entry);
    at = next;
  }
  return entries;
}

/** Extra field 1: 64-bit values of exactly those fields that are all ones, in this order. */
function readZip64(view: DataView, start: number, end: number, entry: ZipEntry): void {
  for (let at = start; at + 4 <= end; ) {
    const bodyEnd = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1) {
      let from = at + 4;
      for (const key of ['size', 'packedSize', 'offset'] as const) {
        if (entry[key] !== 0xffffffff || from + 8 > Math.min(bodyEnd, end)) continue;
        entry[key] = uint64(view, from);
        from += 8;
      }
    }
    at = bodyEnd;
  }
}

/** An entry's content from its beginning to its end. */
export class ZipStream implements ByteStream {
  readonly #file: NamedBytes;
  readonly #entry: ZipEntry;
  #start: number | null = null;
  #packedRead = 0;
  #sizeRead = 0;
  #crc = 0;
  #skipped = false;
  #inflate: Inflate | null = null;
  #blocks: Uint8Array[] = [];
  #buffered = 0;

  constructor(file: NamedBytes, entry: ZipEntry) {
    this.#file = file;
    this.#entry = entry;
  }

  /** Bytes of the entry that are still to come. */
  get left(): number {
    return this.#entry.size - this.#sizeRead;
  }

  /**
   * The next `count` bytes, in a buffer of their own. Throws INVALID_DATA where the file is
   * damaged.
   */
  async read(count: number): Promise<Uint8Array<ArrayBuffer>> {
    if (count > this.left) throw damaged(this.#file, `${this.#entry.name} is too short`);
    if (count > mostAtOnce) {
      const why = `${this.#entry.name} has to be read in ${count} bytes at once`;
      throw damaged(this.#file, `${why}, and at most ${mostAtOnce} are`);
    }
    const bytes = new Uint8Array(count);
    if (this.#entry.method === deflated) await this.#unpack(bytes);
    else bytes.set(await this.#packed(count));
    this.#sizeRead += count;
    this.#crc = crc32(bytes, this.#crc);
    if (this.left === 0 && !this.#skipped && this.#crc !== this.#entry.crc) {
      throw damaged(this.#file, `wrong checksum of ${this.#entry.name}`);
    }
    return bytes;
  }

  /**
   * Passes over bytes. Those of a stored entry are not even read, so its checksum can't be checked
   * then.
   */
  async skip(count: number): Promise<void> {
    if (this.#entry.method === deflated) {
      for (let rest = count; rest > 0; rest -= skipBlock)
        await this.read(Math.min(rest, skipBlock));
      return;
    }
    if (count > this.left) throw damaged(this.#file, `${this.#entry.name} is too short`);
    this.#packedRead += count;
    this.#sizeRead += count;
    this.#skipped ||= count > 0;
  }

  async #unpack(into: Uint8Array): Promise<void> {
    this.#inflate ??= await this.#startInflate();
    while (this.#buffered < into.length) {
      const left = this.#entry.packedSize - this.#packedRead;
      if (left <= 0) throw damaged(this.#file, `${this.#entry.name} is too short`);
      const packed = await this.#packed(Math.min(left, inputBlock));
      try {
        this.#inflate.push(packed, left <= inputBlock);
      } catch (cause) {
        throw damaged(this.#file, `${this.#entry.name}: ${(cause as Error).message}`, cause);
      }
    }
    this.#buffered -= into.length;
    for (let done = 0; done < into.length; ) {
      const block = this.#blocks[0]!;
      const part = block.subarray(0, into.length - done);
      into.set(part, done);
      done += part.length;
      if (part.length === block.length) this.#blocks.shift();
      else this.#blocks[0] = block.subarray(part.length);
    }
  }

  async #startInflate(): Promise<Inflate> {
    const { Inflate } = await import('./inflate.js');
    return new Inflate((block) => {
      this.#blocks.push(block);
      this.#buffered += block.length;
    });
  }

  /** The next `count` bytes as they are in the file. */
  async #packed(count: number): Promise<Uint8Array> {
    if (this.#start === null) {
      // The local header repeats name and extra field, with an extra field of another length.
      const header = await readView(this.#file, this.#entry.offset, 30);
      if (header.getUint32(0, true) !== 0x04034b50)
        throw damaged(this.#file, 'an entry is missing');
      const lengths = header.getUint16(26, true) + header.getUint16(28, true);
      this.#start = this.#entry.offset + 30 + lengths;
    }
    const from = this.#start + this.#packedRead;
    const bytes = await this.#file.read(from, from + count);
    if (bytes.length < count) throw damaged(this.#file, 'it ends early');
    this.#packedRead += count;
    return bytes;
  }
}
