// A Python with the reference in it: $PTQ_PYTHON if set, else a venv in the user's cache made from
// tests/conformance/requirements.txt (pinned).
import path from 'node:path';
import { cache, once, root, which } from '../../tools/lib/paths.mjs';
import { run, SetupError, step } from '../../tools/lib/steps.mjs';

/** Path of the interpreter. The first call in an empty cache takes a minute. */
export async function referencePython() {
  if (process.env.PTQ_PYTHON) return process.env.PTQ_PYTHON;
  const python = which('python3');
  if (!python) throw new SetupError('python3 is not on PATH; $PTQ_PYTHON may name another.');
  const venv = path.join(cache, 'reference-venv');
  await step(`The reference (Python) in ${venv}`, () =>
    once(venv, async (dir) => {
      await run(python, ['-m', 'venv', dir]);
      const requirements = path.join(root, 'tests/conformance/requirements.txt');
      await run(path.join(dir, 'bin/pip'), ['install', '-q', '-r', requirements]);
    }),
  );
  return path.join(venv, 'bin/python');
}
