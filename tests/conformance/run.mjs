// `npm run conformance -- …`: what onnxruntime.quantization and we make of the same, live, with a
// Python that has it in it.
//
//   --fresh N [--seed S]      N random graphs that nobody has seen, one case each
//   --passes N [--seed S]     N random graphs of what the passes look for, in onnxruntime-web
//                             before and after the passes (no Python)
//   --graph NAME [--cases N]  one graph of the kit (random/12, pair/Conv/Add/0), with what differs
//   --no-run                  --fresh and --graph compare only; else outputs are loaded, run and
//                             held to their bounds too
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

/** The property test of the passes on other graphs: those from number S on. */
async function passes() {
  const number = (name, otherwise) =>
    args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise;
  const support = new URL('../../build/tests/js/support/pass-property.js', import.meta.url);
  const { PassProperty } = await import(support.href);
  const property = await PassProperty.create();
  const count = number('--passes');
  const { failures, invalid, passes } = await property.checkAll(number('--seed', 1000), count);
  for (const text of [...failures, ...invalid]) console.log(`${text}\n`);
  console.log(`graphs that each pass changed: ${JSON.stringify(passes)}`);
  console.log(
    `${count - failures.length} of ${count} graphs are the same; not run: ${invalid.length}`,
  );
  return failures.length > 0 ? 1 : 0;
}

async function chosen() {
  if (args.includes('--passes')) return passes();
  if (args.includes('--fresh') || args.includes('--graph')) return kit();
  return python('compare.py', ...args);
}

process.exitCode = await chosen();
