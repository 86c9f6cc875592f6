// Calibration methods beside the reference's: wall time, CPU time and peak memory of the whole job,
// on three models.
import { join } from 'node:path';
import { ours, reference } from './sides.mjs';

export const cases = [
  {
    model: 'mobilenetv2-7',
    images: 'images/imagenet/calib',
    preprocess: { mode: 'center', width: 224, order: 'RGB', mean: 127.5, std: 127.5 },
  },
  {
    model: 'yolox_nano',
    images: 'images/coco/calib',
    preprocess: { mode: 'letterbox', width: 416, order: 'BGR', mean: 0, std: 1, pad: 114 },
  },
  {
    model: 'efficientnet-lite0',
    images: 'images/imagenet/calib',
    preprocess: { mode: 'center', width: 224, order: 'RGB', mean: 127, std: 128 },
  },
];

// MSE has no counterpart: beside Percentile, which needs a histogram as well.
const methods = [
  ['MinMax', 'MinMax'],
  ['Entropy', 'Entropy'],
  ['Percentile', 'Percentile'],
  ['MSE', 'Percentile'],
];

export const runtimes = ['node', 'web'];

/**
 * Rounds of the reference and then ours in each runtime, so that what else the machine does meets
 * all alike; each round's ratio is of neighbours. `only`: names of methods, empty for all.
 */
export function benchMethods({ python, data, folder, rounds, images, models, only }) {
  const output = join(folder, 'out.onnx');
  const head = ['model', 'method', 'pairs', 'Python s', 'MiB'];
  for (const runtime of runtimes) {
    head.push(`${runtime} s`, 'CPU s', 'ratio', 'memory ratio');
  }
  console.log(`| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}`);
  for (const { model, images: set, preprocess } of cases) {
    if (models.length > 0 && !models.includes(model)) continue;
    const common = [join(data, 'models', `${model}.onnx`), output, join(data, set), images];
    for (const [method, counterpart] of methods) {
      if (only.length > 0 && !only.includes(method)) continue;
      const pairs = Array.from({ length: rounds }, () => ({
        python: reference(python, common, counterpart, preprocess),
        node: ours(common, { calibrateMethod: method, runtime: 'node', preprocess }),
        web: ours(common, { calibrateMethod: method, runtime: 'web', preprocess }),
      }));
      const over = (take) => pairs.map(take).sort((a, b) => a - b);
      const median = (take) => over(take)[rounds >> 1];
      const cells = [model, method === counterpart ? method : `${method} (${counterpart})`, rounds];
      cells.push(median(({ python }) => python.seconds).toFixed(2));
      cells.push(median(({ python }) => python.peakMiB).toFixed(0));
      for (const runtime of runtimes) {
        const ratios = over((pair) => pair[runtime].seconds / pair.python.seconds);
        const [low, middle, high] = [0, rounds >> 1, rounds - 1].map((i) => ratios[i].toFixed(2));
        cells.push(median((pair) => pair[runtime].seconds).toFixed(2));
        cells.push(median((pair) => pair[runtime].cpuSeconds).toFixed(1));
        cells.push(rounds > 1 ? `${middle} (${low} to ${high})` : middle);
        cells.push(median((pair) => pair[runtime].peakMiB / pair.python.peakMiB).toFixed(2));
      }
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
}
