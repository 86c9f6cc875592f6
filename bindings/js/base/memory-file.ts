// A file in memory that grows at its end and is read anywhere: '~scratch', '~calibration', and
// outputs that are not written to a disk. It is kept in blocks, so that growing copies nothing.
import type { ByteSink, ByteSource } from './bytes.js';
import { freeBuffer } from './free-buffer.js';

const blockSize = 1 << 20;

export class MemoryFile implements ByteSource, ByteSink {
  #blocks: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  read(offset: number, into: Uint8Array): void {
    if (offset < 0 || offset + into.length > this.#size) {
      throw new RangeError(`read of ${into.length} bytes at ${offset} is outside ${this.#size}`);
    }
    for (let done = 0; done < into.length; ) {
      const at = offset + done;
      const block = this.#blocks[Math.floor(at / blockSize)] as Uint8Array;
      const from = at % blockSize;
      const count = Math.min(into.length - done, blockSize - from);
      into.set(block.subarray(from, from + count), done);
      done += count;
    }
  }

  append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const from = this.#size % blockSize;
      if (from === 0) this.#blocks.push(new Uint8Array(blockSize));
      const count = Math.min(bytes.length - done, blockSize - from);
      const block = this.#blocks[this.#blocks.length - 1] as Uint8Array;
      block.set(bytes.subarray(done, done + count), from);
      done += count;
      this.#size += count;
    }
  }

  /** `size`: what is kept of it; views of the rest, as of parts(), are empty then. */
  truncate(size = 0): void {
    for (const block of this.#blocks.splice(Math.ceil(size / blockSize))) freeBuffer(block);
    this.#size = size;
  }

  close(): void {}

  /** The content as views, without copying. */
  parts(): Uint8Array<ArrayBuffer>[] {
    const last = this.#size % blockSize;
    return this.#blocks.map((block, index) =>
      index === this.#blocks.length - 1 && last !== 0 ? block.subarray(0, last) : block,
    );
  }

  /** The content in one piece (a copy). */
  toBytes(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#size);
    let offset = 0;
    for (const part of this.parts()) {
      all.set(part, offset);
      offset += part.length;
    }
    return all;
  }
}

/** Several of them, by name; each is there when it is first asked for. */
export class MemoryFiles {
  readonly #files = new Map<string, MemoryFile>();

  file(name: string): MemoryFile {
    const file = this.#files.get(name) ?? new MemoryFile();
    this.#files.set(name, file);
    return file;
  }

  all<T>(content: (file: MemoryFile) => T): { name: string; data: T }[] {
    return [...this.#files].map(([name, file]) => ({ name, data: content(file) }));
  }

  clear(): void {
    this.#files.clear();
  }
}
