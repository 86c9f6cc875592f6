// npm run bench: the whole job beside Python's quantize_static, on the same machine, model and images, in
// the same run. Figures are ratios (ours / reference): absolute times depend on the machine and on what
// else runs on it. Each side runs `--rounds` times, in turn, and the best counts.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchNodes } from './nodes.mjs';
import { referencePython } from './python.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const data = process.env.ONNX_PTQ_DATA ?? resolve(here, '../../../shared/data');
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    images: { type: 'string', default: '100' },
    nodes: { type: 'boolean', default: false }, // only the table of nodes.mjs
  },
});

const cases = [
  { model: 'mobilenetv2-7', images: 'images/imagenet/calib', width: 224, mean: 127.5, std: 127.5 },
];

/** Runs a side in a process of its own and returns what it printed last. */
function run(command, args) {
  const text = execFileSync(command, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  return JSON.parse(text.trim().split('\n').at(-1));
}

function best(runs, key) {
  return Math.min(...runs.map((item) => item[key]));
}

if (options.nodes) {
  await benchNodes(referencePython(), Number(options.rounds));
  process.exit(0);
}
if (!existsSync(join(data, 'models'))) {
  console.log(`bench: skipped, there are no models in ${data} (set ONNX_PTQ_DATA)`);
  process.exit(0);
}
const python = referencePython();
const folder = mkdtempSync(join(tmpdir(), 'onnx-ptq-bench-'));
try {
  console.log(`${options.images} images, best of ${options.rounds}, Node ${process.version}\n`);
  console.log('| model | reference s | ours s | ratio | reference MiB | ours MiB | ratio |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const { model, images, width, mean, std } of cases) {
    const path = join(data, 'models', `${model}.onnx`);
    const output = join(folder, 'out.onnx');
    const ours = [];
    const reference = [];
    for (let round = 0; round < Number(options.rounds); ++round) {
      const numbers = [options.images, width, mean, std].map(String);
      const args = [path, output, join(data, images)];
      reference.push(run(python, [join(here, 'reference.py'), ...args, ...numbers]));
      const preprocess = { mode: 'center', mean, std };
      const more = JSON.stringify({ preprocess });
      ours.push(run(process.execPath, [join(here, 'ours.mjs'), ...args, options.images, more]));
    }
    const [s, S] = [best(ours, 'seconds'), best(reference, 'seconds')];
    const [m, M] = [best(ours, 'peakMiB'), best(reference, 'peakMiB')];
    const cells = [model, S.toFixed(2), s.toFixed(2), (s / S).toFixed(2)];
    cells.push(M.toFixed(0), m.toFixed(0), (m / M).toFixed(2));
    console.log(`| ${cells.join(' | ')} |`);
    const fastest = ours.find((item) => item.seconds === s);
    console.log(`\nours by stage (ms): ${JSON.stringify(fastest.timings)}\n`);
  }
  await benchNodes(python, Number(options.rounds));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
