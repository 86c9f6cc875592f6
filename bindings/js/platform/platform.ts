// What differs between Node and the browser, as one interface: where bytes come from and go to, and
// which build of onnxruntime runs. Everything else in the library is the same code on both.
import type * as Ort from 'onnxruntime-web';
import type {
  ByteSource,
  ExternalData,
  InputFiles,
  ModelInput,
  OutputFiles,
} from '../base/bytes.js';
import type { Diagnostic } from '../base/types.js';

export type OrtModule = typeof Ort;

/**
 * Which onnxruntime runs the float model: 'web' is onnxruntime-web's WebAssembly, 'node'
 * onnxruntime-node (native, where the user has installed it), 'webgpu' onnxruntime-web on the GPU
 * of a browser.
 */
export const runtimeKinds = ['web', 'node', 'webgpu'] as const;
export type RuntimeKind = (typeof runtimeKinds)[number];

/** An onnxruntime that is loaded and set up. */
export interface Runtime {
  readonly kind: RuntimeKind;
  readonly ort: OrtModule;
  /** Threads that one session uses. */
  readonly threads: number;
  /** Why it is not the one that was to be expected. */
  readonly note?: Diagnostic;
  /** Makes a session, and may prepare for that the first one compiles the runtime. */
  compiles?<T>(create: () => Promise<T>): Promise<T>;
  /** The bytes of a file, where the runtime takes no paths for external data. */
  readFile?(path: string): Uint8Array;
  /**
   * A file to be read in parts, for onnxruntime-web; null where that cannot be done here. Throws
   * FILE_NOT_FOUND.
   */
  open?(file: string | Blob): ByteSource | null;
}

export interface RuntimeOptions {
  /** null: the fastest that is there. */
  kind: RuntimeKind | null;
  /**
   * Threads of a session of onnxruntime-node; absent: as many as there are cores, 8 at most. Those
   * in WebAssembly have one: their sums depend on it.
   */
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

export interface Platform<Model> {
  /** Throws RUNTIME_NOT_AVAILABLE where the kind that was asked for is not there. */
  loadRuntime(options: RuntimeOptions): Promise<Runtime>;
  /** Number of processor cores. */
  readonly cores: number;
  /**
   * Bytes that the weights may take in calibration workers together, where nobody said how many of
   * these there may be or how much memory. Absent: as many as the memory budget allows.
   */
  readonly weightCopies?: number;
  /** Starts a worker of calibration/serve-runner.ts. */
  startCalibrationWorker(): WorkerPort;
  openInput(model: ModelInput, externalData: ExternalData): Promise<InputFiles>;
  /**
   * `target`: a path (Node) or a name; undefined: the result is returned in memory. Throws where it
   * can't be written.
   */
  openOutput(target: string | undefined, dataName?: string): OutputFiles<Model>;
  /** Text of a file, null where it does not exist. Absent where there are no files. */
  readText?(path: string): string | null;
  /** Throws where writeText(path) would fail. `option`: what errors call it. */
  checkWritable?(path: string, option: string): void;
  /** Writes a text file, complete or not at all; makes its folder. */
  writeText?(path: string, text: string): void;
  /** Throws where writeDump(folder) would fail. Absent where there are no files. */
  checkDumpFolder?(folder: string): void;
  /** Writes the files of dump_passes, all or none; makes the folder. */
  writeDump?(folder: string, files: readonly { name: string; data: Uint8Array }[]): void;
  /**
   * Throws INVALID_OPTION where a file that would be written is one that is read, or is written
   * under another option, whatever their names. Absent where there are no files.
   */
  refuseMeetings?(uses: readonly FileUse[]): void;
}

/** A file that a run reads or writes. */
export interface FileUse {
  /** What errors call it: the option, or "the data of model_input". */
  option: string;
  path: string;
  writes: boolean;
  /** What it is on the disk (Node), where that is known already. */
  identity?: string | undefined;
}
