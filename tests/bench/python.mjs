// A Python with the reference in it: $PTQ_PYTHON if set, else a venv in the user's cache made from
// tests/conformance/requirements.txt (pinned).
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** Path of the interpreter. The first call in an empty cache takes a minute. */
export function referencePython() {
  if (process.env.PTQ_PYTHON) return process.env.PTQ_PYTHON;
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const venv = join(cache, 'onnx-ptq', 'reference-venv');
  const python = join(venv, 'bin', 'python');
  const done = join(venv, 'bin', '.done');
  if (!existsSync(done)) {
    console.error(`setting up the reference in ${venv}`);
    execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
    const requirements = join(here, '../conformance/requirements.txt');
    execFileSync(python, ['-m', 'pip', 'install', '-q', '-r', requirements], { stdio: 'inherit' });
    execFileSync('touch', [done]);
  }
  return python;
}
