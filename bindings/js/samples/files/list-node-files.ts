// Paths in Node: a file, or a folder and all below it.
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { QuantizeError } from '../../base/errors.js';
import { type FileLister, isHidden, type NamedBytes } from './files.js';

/**
 * Lists a file or a folder with its subfolders, links followed, hidden files (".DS_Store",
 * "._a.jpg") left out. Throws QuantizeError FILE_NOT_FOUND.
 */
export const listNodeFiles: FileLister = (given) => {
  const stat = fs.statSync(given, { throwIfNoEntry: false });
  if (!stat) {
    throw new QuantizeError('FILE_NOT_FOUND', `there is no file or folder ${given}`);
  }
  if (!stat.isDirectory()) {
    return { files: [fileAt(given, path.basename(given), stat.size)], isFolder: false };
  }
  const files: NamedBytes[] = [];
  const seen = new Set<string>(); // real paths of folders: links may lead in a circle
  const visit = (folder: string, prefix: string) => {
    const real = fs.realpathSync(folder);
    if (seen.has(real)) return;
    seen.add(real);
    for (const name of fs.readdirSync(folder)) {
      if (isHidden(name)) continue;
      const full = path.join(folder, name);
      const entry = fs.statSync(full, { throwIfNoEntry: false });
      if (entry?.isDirectory()) visit(full, `${prefix}${name}/`);
      else if (entry?.isFile()) files.push(fileAt(full, prefix + name, entry.size));
    }
  };
  visit(given, '');
  return { files, isFolder: true };
};

function fileAt(file: string, name: string, size: number): NamedBytes {
  return {
    name,
    size,
    async read(start, end) {
      const handle = await open(file).catch((cause: Error) => {
        throw new QuantizeError('FILE_NOT_FOUND', `${file} can't be read: ${cause.message}`, {
          cause,
        });
      });
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
    },
  };
}
