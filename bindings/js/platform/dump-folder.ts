// The folder of dump_passes: new, empty, or with an older dump, which is replaced. A folder with
// anything else in it is refused, so that nobody's files are lost or mixed up with the dump's.

import fs from 'node:fs';
import path from 'node:path';
import { QuantizeError } from '../base/errors.js';
import { withSystem } from '../base/system-error.js';
import { say } from '../base/text.js';
import { commitFiles, stageText } from './file-sink.js';
import { checkTextTarget } from './targets.js';

const ownName = /^(\d{2,}_[a-z_]+|summary)\.txt$/;

/** Throws INVALID_OPTION, OUTPUT_NOT_WRITABLE where writeDump() could not write there. */
export function checkDumpFolder(folder: string): void {
  checkTextTarget(path.join(folder, 'summary.txt'), 'dump_passes');
  const other = namesIn(folder).find((name) => !ownName.test(name));
  if (other === undefined) return;
  throw new QuantizeError('INVALID_OPTION', say`dump_passes: ${folder} has other files: ${other}`, {
    hint: 'name a new or an empty folder',
  });
}

/** All files or none; those of an older dump are gone then. */
export function writeDump(
  folder: string,
  files: readonly { name: string; data: Uint8Array }[],
): void {
  const written = new Set(files.map(({ name }) => name));
  const older = namesIn(folder).filter((name) => ownName.test(name) && !written.has(name));
  const sinks = files.map(({ name, data }) =>
    stageText(path.join(folder, name), data, 'dump_passes'),
  );
  try {
    commitFiles(sinks);
  } finally {
    for (const sink of sinks) sink.discard();
  }
  for (const name of older) fs.rmSync(path.join(folder, name), { force: true });
}

const namesIn = (folder: string): string[] =>
  withSystem(`dump_passes: ${folder} cannot be read`, () =>
    fs.existsSync(folder) ? fs.readdirSync(folder) : [],
  );
