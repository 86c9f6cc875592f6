// Peak memory of a calibration in the number of samples: images of 640 × 640 through a small
// convolutional network (tests/bench/memory_model.py) whose tensors are 66 MB a sample. The
// reference keeps them all, so it is run for 20.
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { best, ours, reference } from './sides.mjs';

const script = join(dirname(fileURLToPath(import.meta.url)), 'memory_model.py');
const preprocess = { mode: 'stretch', width: 640, order: 'RGB', mean: 127.5, std: 127.5 };

export function benchMemory({ python, data, folder, rounds }) {
  const model = join(folder, 'model.onnx');
  execFileSync(python, [script, model], { stdio: ['ignore', 'ignore', 'inherit'] });
  const images = join(data, 'images/imagenet/calib');
  const common = (count) => [model, join(folder, 'out.onnx'), images, count];
  console.log('| method, runtime | 20 images, MiB | 100 | 400 | 400 / 20 | reference, 20 images |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const method of ['MinMax', 'Percentile']) {
    const theirs = reference(python, common(20), method, preprocess).peakMiB;
    for (const runtime of ['node', 'web']) {
      const peaks = [20, 100, 400].map((count) => {
        const run = () => ours(common(count), { calibrateMethod: method, runtime, preprocess });
        return best(Array.from({ length: rounds }, run), 'peakMiB');
      });
      const cells = [
        `${method}, ${runtime}`,
        ...peaks.map((peak) => peak.toFixed(0)),
        (peaks[2] / peaks[0]).toFixed(3),
        theirs.toFixed(0),
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
}
