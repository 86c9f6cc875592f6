// What a sample takes one worker, in parts: floor-sample.mjs MODEL RUNTIME IMAGES_DIR COUNT
// PREPROCESS. Prints a JSON line of milliseconds, medians over the samples: `network`, the model by
// itself as calibration runs it; `reductions`, the range pass; `tensors`, the histogram pass, whose
// tensors come out; `counting`, between two runs of that pass: copying and counting them.
import { readFileSync } from 'node:fs';
import { calibrate, imageReader } from 'onnx-ptq';
import * as native from 'onnxruntime-node';
import * as wasm from 'onnxruntime-web';
import { median } from '#dist/base/median.js';
import { picturesIn } from './pictures.mjs';

const [modelInput, runtime, folder, count, preprocess] = process.argv.slice(2);
const ort = runtime === 'node' ? (native.default ?? native) : wasm;

/** Each session in turn: its options, what it was run with, when its runs began and ended. */
const sessions = [];
const create = ort.InferenceSession.create.bind(ort.InferenceSession);
Object.defineProperty(ort.InferenceSession, 'create', {
  value: async (model, options) => {
    const session = await create(model, options);
    const seen = { options, feeds: [], times: [] };
    sessions.push(seen);
    const run = session.run.bind(session);
    session.run = async (feeds, ...more) => {
      seen.feeds.push(feeds);
      const began = performance.now();
      const results = await run(feeds, ...more);
      seen.times.push([began, performance.now()]);
      return results;
    };
    return session;
  },
});

const lengths = ({ times }) => median(times.map(([began, ended]) => ended - began));
const between = ({ times }) => median(times.slice(1).map(([began], i) => began - times[i][1]));

const common = { modelInput, runtime, workers: 1 };
const images = picturesIn(folder).slice(0, Number(count));
const reader = imageReader(images, { preprocess: JSON.parse(preprocess) });
await calibrate({ ...common, calibrationDataReader: reader, calibrateMethod: 'MinMax' });
const { feeds: samples } = sessions.pop(); // which nobody has to decode any more
await calibrate({ ...common, calibrationDataReader: samples, calibrateMethod: 'Entropy' });
const [reductions, tensors] = sessions;
const { externalData: _, ...options } = tensors.options;
const alone = await ort.InferenceSession.create(readFileSync(modelInput), options);
for (const sample of samples) await alone.run(sample);
console.log(
  JSON.stringify({
    network: lengths(sessions.at(-1)),
    reductions: lengths(reductions),
    tensors: lengths(tensors),
    counting: between(tensors),
  }),
);
process.exit(0);
