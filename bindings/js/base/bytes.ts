// Where a model's bytes come from and go to, the same in Node and in browsers.

/** A model to read: a path (Node), the bytes, or a File or Blob. */
export type ModelInput = string | Uint8Array | ArrayBuffer | Blob;

/**
 * External data by the name that the model refers to it by; where a model is a path, its folder is
 * searched.
 */
export type ExternalData = Readonly<Record<string, Uint8Array | ArrayBuffer | Blob>>;

/** Bytes that onnxruntime can take: a path (Node only), bytes, or a Blob. */
export type RuntimeBytes = string | Uint8Array | Blob;

/** A file that is read at any place. */
export interface ByteSource {
  readonly size: number;
  /** Fills all of `into`. */
  read(offset: number, into: Uint8Array): void;
  close(): void;
}

/** A file that is written from its beginning to its end. */
export interface ByteSink {
  append(bytes: Uint8Array): void;
  truncate(): void;
}

/** The model and its external data, open for reading. */
export interface InputFiles {
  /** What messages call the model. */
  readonly label: string;
  /** '~model' or an external-data file; null where there is none of that name. */
  source(name: string): ByteSource | null;
  /** The same for onnxruntime. */
  runtimeBytes(name: string): RuntimeBytes;
  close(): void;
}

/** Of a model and its data files. */
export function inputBytes(
  input: InputFiles,
  { externalFiles }: { externalFiles: readonly string[] },
): number {
  return ['~model', ...externalFiles].reduce(
    (sum, name) => sum + (input.source(name)?.size ?? 0),
    0,
  );
}

/** A result that is in place: the model, its data file, or the files of its tensors, by name. */
export interface Written<Model> {
  model: Model;
  data: Model | null;
  tensorFiles: { name: string; data: Model }[];
}

/** The result while it is written: it exists under its name only after commit(). */
export interface OutputFiles<Model> {
  readonly model: ByteSink & { readonly size: number };
  readonly data: ByteSink & { readonly size: number };
  /** A data file of one tensor, "<dataName>.<number>", in place of `data`. */
  tensorFile(name: string): ByteSink;
  /** Name that the model refers to its data file by. */
  readonly dataName: string;
  /** Paths of model and data file, where there are files. */
  readonly modelPath?: string;
  readonly dataPath?: string;
  /** What was written so far, for onnxruntime. */
  runtimeBytes(): { model: RuntimeBytes | ByteSource; data: RuntimeBytes | ByteSource | null };
  /** All of the model that was written so far. */
  modelBytes(): Uint8Array;
  /**
   * Puts the finished files in place, and with them what else belongs to them (Node): all or none.
   */
  commit(also?: readonly ByteSink[]): Written<Model>;
  /** Removes whatever was written. Allowed at any time, also twice. */
  discard(): void;
}

/** All of a file. */
export function whole(source: ByteSource): Uint8Array {
  const bytes = new Uint8Array(source.size);
  source.read(0, bytes);
  return bytes;
}

/** All parts in one piece: the one part itself, or a copy. */
export function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer>;
export function joined(parts: readonly Uint8Array[]): Uint8Array;
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
