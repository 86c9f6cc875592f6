// `npm run conformance [arguments]`: compare.py with a Python that has the reference in it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { referencePython } from '../bench/python.mjs';

const script = fileURLToPath(new URL('compare.py', import.meta.url));
const run = spawnSync(referencePython(), [script, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = run.status ?? 1;
