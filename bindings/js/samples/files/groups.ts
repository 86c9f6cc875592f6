// Files that together are one sample, as .npy or .pb files of a model with several inputs: those of
// one folder.
import { folderOf, type NamedBytes } from './files.js';

/** The files of one sample by what each is (an input's name or number). */
export interface FileGroup {
  /** '' where the files were given without one. */
  folder: string;
  files: Map<string, NamedBytes>;
}

/**
 * Groups files by folder, in the order of the files. A key that comes again begins another group:
 * paths to several folders give names without folders.
 */
export function groupFiles(
  files: readonly NamedBytes[],
  keyOf: (file: NamedBytes) => string,
): FileGroup[] {
  const groups: FileGroup[] = [];
  const latest = new Map<string, FileGroup>();
  for (const file of files) {
    const folder = folderOf(file.name);
    const key = keyOf(file);
    let group = latest.get(folder);
    if (!group || group.files.has(key)) {
      group = { folder, files: new Map() };
      latest.set(folder, group);
      groups.push(group);
    }
    group.files.set(key, file);
  }
  return groups;
}
