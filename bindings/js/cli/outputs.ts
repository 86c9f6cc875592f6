// What a command writes beside a model: begun with their whole content, then put in place together,
// so that a full disk or a closed pipe leaves nothing.
import { commitFiles, type FileSink, stageText } from '../platform/file-sink.js';
import type { FileUse } from '../platform/platform.js';
import type { ParsedArgs } from './args.js';

export class StagedFiles {
  readonly #sinks: FileSink[] = [];

  /** Throws OUTPUT_NOT_WRITABLE, FILE_ERROR. `option`: what errors call it. */
  add(file: string, content: string | Uint8Array, option: string): void {
    this.#sinks.push(stageText(file, content, option));
  }

  /** For a commit by somebody else. */
  get sinks(): readonly FileSink[] {
    return this.#sinks;
  }

  /** All files, or none. */
  commit(): void {
    commitFiles(this.#sinks);
  }

  /** Removes what is not in place. */
  discard(): void {
    for (const sink of this.#sinks) sink.discard();
  }
}

/** The configurations that the command itself reads and writes. */
export function configUses({ config, saveConfig }: ParsedArgs): FileUse[] {
  const uses: FileUse[] = [];
  if (config !== null) uses.push({ option: 'config', path: config, writes: false });
  if (saveConfig !== null) uses.push({ option: 'save_config', path: saveConfig, writes: true });
  return uses;
}
