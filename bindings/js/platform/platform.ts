// What differs between Node and the browser, as one interface: where bytes come from and go to, and
// which build of onnxruntime runs. Everything else in the library is the same code on both.
import type * as Ort from 'onnxruntime-web';

export type OrtModule = typeof Ort;

/**
 * Which onnxruntime runs the float model: 'web' is onnxruntime-web's WebAssembly, 'node' onnxruntime-node (native, where
 * the user has installed it), 'webgpu' onnxruntime-web on the GPU of a browser.
 */
export const runtimeKinds = ['web', 'node', 'webgpu'] as const;
export type RuntimeKind = (typeof runtimeKinds)[number];

/** An onnxruntime that is loaded and set up. */
export interface Runtime {
  readonly kind: RuntimeKind;
  readonly ort: OrtModule;
  /** Threads that one session uses. */
  readonly threads: number;
  /** The bytes of a file, where the runtime takes no paths for external data. */
  readFile?(path: string): Uint8Array;
}

export interface RuntimeOptions {
  /** null: the fastest that is there. */
  kind: RuntimeKind | null;
  /** Threads of a session; absent: as many as there are cores, 8 at most. */
  threads?: number;
}

/** The other end of a calibration worker; messages are copied as structured clones. */
export interface WorkerPort {
  post(message: unknown, transfer?: Transferable[]): void;
  /** Called with each message; with an Error where the worker failed. */
  onMessage(listener: (message: unknown) => void): void;
  /** Ends the worker at once. */
  terminate(): void;
}

/** A model to read: a path (Node), the bytes, or a File or Blob. */
export type ModelInput = string | Uint8Array | ArrayBuffer | Blob;

/** External data by the name that the model refers to it by; where a model is a path, its folder is searched. */
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

/** The result while it is written: it exists under its name only after commit(). */
export interface OutputFiles<Model> {
  readonly model: ByteSink & { readonly size: number };
  readonly data: ByteSink & { readonly size: number };
  /** Name that the model refers to its data file by. */
  readonly dataName: string;
  /** Absolute path of the data file, where there are files. */
  readonly dataPath?: string;
  /** What was written so far, for onnxruntime. */
  runtimeBytes(): { model: RuntimeBytes; data: RuntimeBytes | null };
  /** All of the model that was written so far. */
  modelBytes(): Uint8Array;
  /** Puts the finished files in place. */
  commit(): { model: Model; data: Model | null };
  /** Removes whatever was written. Allowed at any time, also twice. */
  discard(): void;
}

export interface Platform<Model> {
  /** Throws RUNTIME_NOT_AVAILABLE where the kind that was asked for is not there. */
  loadRuntime(options: RuntimeOptions): Promise<Runtime>;
  /** Number of processor cores. */
  readonly cores: number;
  /** Starts a worker of calibration/serve-runner.ts. */
  startCalibrationWorker(): WorkerPort;
  openInput(model: ModelInput, externalData: ExternalData): Promise<InputFiles>;
  /** `target`: a path (Node) or a name; undefined: the result is returned in memory. Throws where it can't be written. */
  openOutput(target: string | undefined, dataName?: string): OutputFiles<Model>;
  /** Text of a file, null where it does not exist. Absent where there are no files. */
  readText?(path: string): string | null;
  /** Throws where writeText(path) would fail. */
  checkWritable?(path: string): void;
  /** Writes a text file, complete or not at all; makes its folder. */
  writeText?(path: string, text: string): void;
}
