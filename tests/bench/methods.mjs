// Calibration methods beside the reference's: wall time and peak memory of the whole job, on three
// models.
import { join } from 'node:path';
import { best, ours, reference } from './sides.mjs';

const cases = [
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

export function benchMethods({ python, data, folder, rounds, images, models }) {
  const output = join(folder, 'out.onnx');
  console.log(
    '| model | method | Python s | node s | ratio | web s | ratio | Python MiB | node ratio | web ratio |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const { model, images: set, preprocess } of cases) {
    if (models.length > 0 && !models.includes(model)) continue;
    const common = [join(data, 'models', `${model}.onnx`), output, join(data, set), images];
    const references = {};
    for (const [method, counterpart] of methods) {
      const runs = { node: [], web: [] };
      for (let round = 0; round < rounds; ++round) {
        if (method === counterpart) {
          references[method] ??= [];
          references[method].push(reference(python, common, method, preprocess));
        }
        for (const runtime of ['node', 'web']) {
          runs[runtime].push(ours(common, { calibrateMethod: method, runtime, preprocess }));
        }
      }
      const [S, M] = ['seconds', 'peakMiB'].map((key) => best(references[counterpart], key));
      const [node, web] = ['node', 'web'].map((runtime) => best(runs[runtime], 'seconds'));
      const memory = ['node', 'web'].map((runtime) => best(runs[runtime], 'peakMiB') / M);
      const cells = [
        ...[model, method === counterpart ? method : `${method} (${counterpart})`, S.toFixed(2)],
        ...[node.toFixed(2), (node / S).toFixed(2), web.toFixed(2), (web / S).toFixed(2)],
        ...[M.toFixed(0), ...memory.map((ratio) => ratio.toFixed(2))],
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
}
