// dump_passes: the model after each step of preparing, as the core wrote it (pass_dump.h), becomes
// files at once, so that they are there whatever goes wrong later.
import { QuantizeError } from '../base/errors.js';
import type { ModelFiles } from '../core/host-files.js';
import type { Platform } from '../platform/platform.js';

/** Throws where the folder could not be written. Call it before any work. */
export function checkDump(platform: Platform<unknown>, folder: string | null): void {
  if (folder === null) return;
  if (!platform.checkDumpFolder) {
    throw new QuantizeError('INVALID_OPTION', 'dumpPasses: there are no folders here', {
      hint: 'prepare the model with the command or in Node',
    });
  }
  platform.checkDumpFolder(folder);
}

export function writeDump(
  platform: Platform<unknown>,
  folder: string | null,
  { dump }: ModelFiles,
): void {
  if (folder === null) return;
  platform.writeDump?.(
    folder,
    dump.all((file) => file.toBytes()),
  );
  dump.clear();
}
