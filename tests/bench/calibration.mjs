// Calibration alone beside the reference's calibrator, on every model of ../shared/data and
// ../shared/wild: seconds from the plan to the ranges, and the memory that is announced beside what
// is taken. Both sides get the same arrays, each in a process of its own. Pictures are stretched to
// the model's size: no figure here depends on what they show.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** What a command prints last; null where it fails. */
function last(command, args) {
  try {
    const text = execFileSync(command, args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
    return JSON.parse(text.trim().split('\n').at(-1));
  } catch {
    return null;
  }
}

const least = (runs, key) => {
  const values = runs.filter(Boolean).map((run) => run[key]);
  return values.length === 0 ? null : Math.min(...values);
};
const shown = (value, digits) => (value === null ? 'fails' : value.toFixed(digits));
const ratio = (a, b) => (a === null || b === null ? '' : (a / b).toFixed(2));

export function benchCalibration({ python, data, folder, rounds, images, models, workers }) {
  const script = join(here, 'calibration.py');
  const head = ['model', 'tensors', 'Python s', 'node s', 'ratio', 'web s', 'Python MiB'];
  const memory = ['node MiB', 'announced', 'ratio', 'web MiB', 'announced', 'ratio'];
  console.log(`| ${[...head, ...memory].join(' | ')} |`);
  console.log(`|${' --- |'.repeat(head.length + memory.length)}`);
  for (const set of [data, join(data, '../wild')]) {
    if (!existsSync(join(set, 'manifest.json'))) continue;
    for (const entry of JSON.parse(readFileSync(join(set, 'manifest.json'), 'utf8'))) {
      const name = basename(entry.file, '.onnx');
      if (!entry.dataset || (models.length > 0 && !models.includes(name))) continue;
      const [model, samples] = [join(set, entry.file), join(folder, `${name}.npz`)];
      execFileSync(python, [script, 'samples', set, name, images, samples]);
      const runs = { python: [], node: [], web: [] };
      for (let round = 0; round < rounds; ++round) {
        runs.python.push(last(python, [script, 'run', model, samples, 'MinMax']));
        for (const runtime of ['node', 'web']) {
          const more = JSON.stringify({ runtime, ...(workers && { workers: Number(workers) }) });
          runs[runtime].push(
            last(process.execPath, [join(here, 'calibrate.mjs'), model, samples, more]),
          );
        }
      }
      const seconds = (side) => least(runs[side], 'seconds');
      const cells = [name, runs.node[0]?.ranges ?? '', shown(seconds('python'), 2)];
      cells.push(shown(seconds('node'), 2), ratio(seconds('node'), seconds('python')));
      cells.push(shown(seconds('web'), 2), shown(least(runs.python, 'takenMiB'), 0));
      for (const side of ['node', 'web']) {
        const taken = least(runs[side], 'takenMiB');
        const announced = runs[side][0]?.announcedMiB ?? null;
        const text = announced === null ? '' : announced.filter(Boolean).join(' – ');
        cells.push(shown(taken, 0), text, announced === null ? '' : ratio(announced[0], taken));
      }
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
}
