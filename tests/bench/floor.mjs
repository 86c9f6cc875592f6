// What a sample takes at least: the parts of it in as many processes at once as there are cores,
// which share the memory bus, and what 100 samples come to by that. What a whole job takes beyond
// is its start, its end and its decoding.
import { execFile } from 'node:child_process';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cases, runtimes } from './methods.mjs';

const script = join(dirname(fileURLToPath(import.meta.url)), 'floor-sample.mjs');
const parts = ['network', 'reductions', 'tensors', 'counting'];

async function partsOf(words) {
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...words]);
  return JSON.parse(stdout);
}

export async function benchFloor({ data, images, models }) {
  const cores = os.availableParallelism();
  const sums = ['network alone', 'MinMax', 'histograms'].map((what) => `100 samples: ${what}, s`);
  const head = ['model', 'runtime', ...parts.map((part) => `${part}, ms`), ...sums];
  console.log(`${cores} processes at a time\n`);
  console.log(`| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}`);
  for (const { model, images: set, preprocess } of cases) {
    if (models.length > 0 && !models.includes(model)) continue;
    for (const runtime of runtimes) {
      const file = join(data, 'models', `${model}.onnx`);
      const words = [file, runtime, join(data, set), images, JSON.stringify(preprocess)];
      const runs = await Promise.all(Array.from({ length: cores }, () => partsOf(words)));
      const mean = (part) => runs.reduce((sum, run) => sum + run[part], 0) / cores;
      const [network, reductions, tensors, counting] = parts.map(mean);
      const seconds = [network, reductions, reductions + tensors + counting];
      const cells = [network, reductions, tensors, counting].map((ms) => ms.toFixed(0));
      cells.push(...seconds.map((ms) => ((ms * 100) / cores / 1000).toFixed(1)));
      console.log(`| ${[model, runtime, ...cells].join(' | ')} |`);
    }
  }
}
