// Everything that a run reads and writes, compared before any work: by the files themselves, since
// links, relative paths and mounts give one file many names.
import { QuantizeError } from '../base/errors.js';
import type { FileUse } from './platform.js';
import { fileIdentity } from './targets.js';

/** What may be the same file: the result takes the place of its model, a state that of its start. */
const allowed = [
  ['model_input', 'model_output'],
  ['resume', 'calibration_state'],
];

/** Throws INVALID_OPTION, naming both options. */
export function refuseMeetings(uses: readonly FileUse[]): void {
  const readers = new Map<string, FileUse[]>();
  const writers = new Map<string, FileUse>();
  const located = uses.map((use) => ({ use, identity: use.identity ?? fileIdentity(use.path) }));
  for (const { use, identity } of located) {
    if (use.writes || identity === null) continue;
    readers.set(identity, [...(readers.get(identity) ?? []), use]);
  }
  for (const { use, identity } of located) {
    if (!use.writes || identity === null) continue;
    const writer = writers.get(identity);
    if (writer) {
      throw meeting(`${writer.option} and ${use.option} would both be written to ${use.path}`);
    }
    writers.set(identity, use);
    const reader = readers
      .get(identity)
      ?.find(({ option }) => !allowed.some(([from, to]) => from === option && to === use.option));
    if (reader) {
      throw meeting(`${use.option} would overwrite ${reader.path}, which is ${reader.option}`);
    }
  }
}

const meeting = (message: string) =>
  new QuantizeError('INVALID_OPTION', message, { hint: 'choose another name' });
