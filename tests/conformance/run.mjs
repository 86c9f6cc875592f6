// `npm run conformance -- …`: what onnxruntime.quantization and we make of the same, live, with a
// Python that has it in it.
//
//   --fresh N [--seed S]      N random graphs that nobody has seen, one case each
//   --graph NAME [--cases N]  one graph of the kit (random/12, pair/Conv/Add/0), with what differs
//   --no-run                  both of these compare only; else outputs are loaded, run and held to
//                             their bounds too
//   anything else             is for compare.py: the hand-written graphs and real models
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { referencePython } from '../bench/python.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const args = process.argv.slice(2);

async function python(script, ...more) {
  const run = spawnSync(await referencePython(), [here(script), ...more], { stdio: 'inherit' });
  return run.status ?? 1;
}

/** Makes a kit with Python, then replays it here. */
async function kit() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-ptq-kit-'));
  try {
    const file = path.join(folder, 'kit.tar.gz');
    const forPython = args.filter((arg) => arg !== '--no-run');
    const status = await python('kit.py', ...forPython, '--out', file);
    if (status !== 0) return status;
    const support = new URL('../../build/tests/js/support/kit.js', import.meta.url);
    const { readKit, replay, Runner } = await import(support.href);
    const runner = args.includes('--no-run') ? undefined : await Runner.create();
    const { graphs, ...rest } = readKit(file);
    const result = await replay({ graphs, ...rest }, graphs, { runner });
    for (const failure of result.failures) console.log(failure);
    const { cases, failures, ran } = result;
    console.log(
      `${cases - failures.length} of ${cases} cases are as they should be; ${ran} outputs were run`,
    );
    console.log(`meant to differ: ${JSON.stringify(result.deviations)}`);
    console.log(`end the reference, refused by us: ${JSON.stringify(result.refused)}`);
    return failures.length > 0 ? 1 : 0;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode =
  args.includes('--fresh') || args.includes('--graph')
    ? await kit()
    : await python('compare.py', ...args);
