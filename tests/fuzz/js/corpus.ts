// The committed inputs of a target: every finding, minimized, so that it is never made again.
import fs from 'node:fs';
import path from 'node:path';

export const regressionsFolder = (target: string) =>
  path.join('tests/fuzz/corpus', target, 'regressions');

export function regressionsOf(target: string): Uint8Array[] {
  const folder = regressionsFolder(target);
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .sort()
    .map((name) => new Uint8Array(fs.readFileSync(path.join(folder, name))));
}
