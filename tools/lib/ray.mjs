// A Python with Ray, for the test of examples/ray-calibration: 300 MB, so only where CI is set or
// it is there already.
import path from 'node:path';
import { cache, once, root, which } from './paths.mjs';
import { run, say, step } from './steps.mjs';

/** The interpreter, or null where it cannot be had: then that test is skipped, by name. */
export async function rayPython() {
  const venv = path.join(cache, 'ray-venv');
  const python = which('python3');
  if (!python) return null;
  try {
    await step('Ray, for the test of its example', () =>
      once(venv, async (dir) => {
        await run(python, ['-m', 'venv', dir]);
        const requirements = path.join(root, 'examples/ray-calibration/requirements.txt');
        await run(path.join(dir, 'bin/pip'), ['install', '-q', '-r', requirements]);
      }),
    );
    return path.join(venv, 'bin/python');
  } catch (error) {
    say(`  skipped: the test of the Ray example (${error.message.split('\n')[0]})`);
    return null;
  }
}
