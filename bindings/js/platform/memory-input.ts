// A model whose bytes are in memory already, with external data given beside it.

import type { ByteSource, InputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';

export class BytesSource implements ByteSource {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get size(): number {
    return this.bytes.length;
  }

  read(offset: number, into: Uint8Array): void {
    into.set(this.bytes.subarray(offset, offset + into.length));
  }

  close(): void {}
}

/** Files by name; `~model` is the model. */
export class MemoryInput implements InputFiles {
  readonly label: string;
  readonly #files: Map<string, BytesSource>;

  constructor(label: string, files: Map<string, Uint8Array>) {
    this.label = label;
    this.#files = new Map([...files].map(([name, bytes]) => [name, new BytesSource(bytes)]));
  }

  source(name: string): ByteSource | null {
    return this.#files.get(name) ?? null;
  }

  runtimeBytes(name: string): Uint8Array {
    const file = this.#files.get(name);
    if (!file) throw new QuantizeError('FILE_NOT_FOUND', say`${name} was not given`);
    return file.bytes;
  }

  close(): void {}
}

/** Bytes of whatever may stand for a file, all of it in memory. */
export async function toBytes(value: Uint8Array | ArrayBuffer | Blob): Promise<Uint8Array> {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return new Uint8Array(await value.arrayBuffer());
}
