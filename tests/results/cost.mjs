// Time and memory of quantizing a model of ../shared/wild, ours beside the reference's: each side
// in a process of its own, on the same .npz, with QDQ, QInt8 weights per channel.
import { spawnSync } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export const costHead = [
  '## Time and memory, the wild models',
  '',
  'The whole job (QDQ, QInt8 weights per channel, all calibration samples), once each, without imports: seconds and peak memory of the',
  'process; ours includes running the result beside the float model, which the reference does not do. Ours in onnxruntime-node and in onnxruntime-web, ratios to the reference.',
  '',
  '| model | reference | node | web | time, node / reference | memory, node / reference |',
  '| --- | --- | --- | --- | --- | --- |',
];

export function costRow(entry, python, folder) {
  const name = basename(entry.file, '.onnx');
  const model = join(entry.root, entry.file);
  const samples = join(entry.root, 'tensors', `${entry.dataset.slice(4)}.calib.npz`);
  const side = (command, ...args) => run(command, args, folder);
  const output = join(folder, 'cost.onnx');
  const theirs = side(python, join(here, 'cost_reference.py'), model, output, samples);
  const ours = ['node', 'web'].map((runtime) =>
    side(process.execPath, join(here, 'cost_ours.mjs'), model, output, samples, runtime),
  );
  const ratio = (key) => (theirs && ours[0] ? (ours[0][key] / theirs[key]).toFixed(2) : '');
  return `| ${[name, ...[theirs, ...ours].map(cost), ratio('seconds'), ratio('peakMiB')].join(' | ')} |`;
}

const cost = (side) =>
  side ? `${side.seconds.toFixed(1)} s, ${side.peakMiB.toFixed(0)} MiB` : 'fails';

/** What a side printed last; null where it failed. */
function run(command, args, cwd) {
  const { stdout, status } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 5 * 60_000,
    killSignal: 'SIGKILL',
  });
  return status === 0 ? JSON.parse(stdout.trim().split('\n').at(-1)) : null;
}
