// What a run of the command costs before and beside its inference: CPU time of its parts, in Node
// with onnxruntime-node, one sample, no search for repairs.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const main = resolve(here, '../../dist/node/cli.js');

/** The parts of one run, ms. */
function partsOf(words) {
  const { status, stderr, output } = spawnSync(
    process.execPath,
    ['--require', join(here, 'start-parts.cjs'), ...words],
    { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(output[3]);
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Runs in turn, so that what else the machine does meets all alike. */
export function benchStart({ data, folder, rounds }) {
  const model = join(data, 'models/mobilenetv2-7.onnx');
  if (!existsSync(model)) {
    console.log(`bench: skipped, there is no ${model}`);
    return;
  }
  const pictures = join(data, 'images/imagenet/calib');
  const one = join(folder, 'one');
  mkdirSync(one);
  const [picture] = readdirSync(pictures).sort();
  copyFileSync(join(pictures, picture), join(one, picture));
  const job = `--input_model ${model} --output_model ${join(folder, 'out.onnx')} --calibrate_dataset ${one}
    --preprocess imagenet --per_channel --weight_type QInt8 --effort none --runtime node --workers 1`;
  const runs = { empty: ['-e', '0'], help: [main, '--help'], job: [main, ...job.split(/\s+/)] };
  const seen = { empty: [], help: [], job: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [name, words] of Object.entries(runs)) seen[name].push(partsOf(words));
  }
  const of = (name, part) => median(seen[name].map((parts) => part(parts)));
  const empty = of('empty', ({ all }) => all);
  const rest = (p) =>
    p.all - p.start - p.modules - p.compile - p.runtime - p.sessions - p.inference;
  const rows = [
    ['an empty node', empty],
    ['`onnx-ptq --help`', of('help', ({ all }) => all)],
    ['a job of one sample, all of it', of('job', ({ all }) => all)],
    ['… inference', of('job', ({ inference }) => inference)],
    ['… all but inference', of('job', ({ all, inference }) => all - inference)],
    ['… the process, until the command begins', of('job', ({ start }) => start)],
    ["… the library's modules", of('job', ({ modules }) => modules)],
    ['… the core, compiled', of('job', ({ compile }) => compile)],
    ['… onnxruntime-node, loaded', of('job', ({ runtime }) => runtime)],
    ['… sessions made', of('job', ({ sessions }) => sessions)],
    ['… the core at work, decoding, comparing, files', of('job', rest)],
  ];
  console.log(`${seen.job[0].runs} runs of a session in the job\n`);
  console.log('| CPU time of | ms | empty nodes |\n| --- | --- | --- |');
  for (const [name, ms] of rows) {
    console.log(`| ${name} | ${ms.toFixed(0)} | ${(ms / empty).toFixed(1)} |`);
  }
}
