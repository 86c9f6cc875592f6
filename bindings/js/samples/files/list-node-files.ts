// Paths in Node: a file, or a folder and all below it.

import fs from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { QuantizeError } from '../../base/errors.js';
import { identityOf, systemError, withSystem } from '../../base/system-error.js';
import { say } from '../../base/text.js';
import { type FileLister, isHidden, type NamedBytes } from './files.js';

/**
 * Lists a file or a folder with its subfolders, links followed, hidden files (".DS_Store",
 * "._a.jpg") left out. Throws QuantizeError FILE_NOT_FOUND.
 */
export const listNodeFiles: FileLister = (given) => {
  const cannot = `${given} can't be read`;
  const stat = withSystem(cannot, () =>
    fs.statSync(given, { throwIfNoEntry: false, bigint: true }),
  );
  if (!stat) throw new QuantizeError('FILE_NOT_FOUND', say`there is no file or folder ${given}`);
  if (stat.isFile()) {
    return { files: [fileAt(given, path.basename(given), stat)], isFolder: false };
  }
  if (!stat.isDirectory()) {
    const message = `${given} is no regular file and no folder`;
    throw new QuantizeError('FILE_NOT_FOUND', message, {
      hint: 'a pipe or a device cannot be read more than once',
    });
  }
  const files: NamedBytes[] = [];
  const seen = new Set<string>(); // folders: links may lead in a circle
  const visit = (folder: string, prefix: string, itself: fs.BigIntStats) => {
    if (seen.has(identityOf(itself))) return;
    seen.add(identityOf(itself));
    for (const name of fs.readdirSync(folder)) {
      if (isHidden(name)) continue;
      const full = path.join(folder, name);
      const entry = fs.statSync(full, { throwIfNoEntry: false, bigint: true });
      if (entry?.isDirectory()) visit(full, `${prefix}${name}/`, entry);
      else if (entry?.isFile()) files.push(fileAt(full, prefix + name, entry));
    }
  };
  withSystem(cannot, () => visit(given, '', stat));
  return { files, isFolder: true };
};

function fileAt(file: string, name: string, stat: fs.BigIntStats): NamedBytes {
  const size = Number(stat.size);
  return {
    name,
    size,
    identity: identityOf(stat),
    async read(start, end) {
      try {
        const handle = await open(file);
        try {
          const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start));
          let done = 0;
          while (done < bytes.length) {
            const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
            if (bytesRead === 0) break;
            done += bytesRead;
          }
          return bytes.subarray(0, done);
        } finally {
          await handle.close();
        }
      } catch (cause) {
        throw systemError(cause, `${file} can't be read`);
      }
    },
  };
}
