// The pictures that benches take, in the same order everywhere.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** All JPEG files in a folder and those in it, sorted. */
export const picturesIn = (folder) =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.jpg'))
    .sort()
    .map((name) => join(folder, name));
