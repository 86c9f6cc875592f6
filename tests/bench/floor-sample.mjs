// What a sample takes one worker, in parts: floor-sample.mjs MODEL RUNTIME IMAGES_DIR COUNT
// PREPROCESS. Prints a JSON line of milliseconds, medians over the samples: `network`, the model by
// itself as calibration runs it; `reductions`, the range pass; `tensors`, the histogram pass, whose
// tensors come out; `counting`, between two runs of that pass: copying and counting them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { calibrate, imageReader } from 'onnx-ptq';
import * as native from 'onnxruntime-node';
import * as wasm from 'onnxruntime-web';

const [modelInput, runtime, folder, count, preprocess] = process.argv.slice(2);
const ort = runtime === 'node' ? (native.default ?? native) : wasm;

/** Of each session in turn: when its runs began and ended. */
const sessions = [];
let feeds = [];
const create = ort.InferenceSession.create.bind(ort.InferenceSession);
Object.defineProperty(ort.InferenceSession, 'create', {
  value: async (...given) => {
    const session = await create(...given);
    const times = [];
    sessions.push(times);
    const run = session.run.bind(session);
    session.run = async (inputs, ...more) => {
      feeds.push(inputs);
      const began = performance.now();
      const results = await run(inputs, ...more);
      times.push([began, performance.now()]);
      return results;
    };
    return session;
  },
});

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
const lengths = (times) => times.map(([began, ended]) => ended - began);
const between = (times) => times.slice(1).map(([began], i) => began - times[i][1]);

const images = readdirSync(folder, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.jpg'))
  .sort()
  .slice(0, Number(count))
  .map((name) => join(folder, name));
const common = { modelInput, runtime, workers: 1 };
const reader = imageReader(images, { preprocess: JSON.parse(preprocess) });
await calibrate({ ...common, calibrationDataReader: reader, calibrateMethod: 'MinMax' });
const samples = feeds;
feeds = [];
const again = { ...common, calibrationDataReader: samples, calibrateMethod: 'Entropy' };
sessions.length = 0;
await calibrate(again); // samples that nobody has to decode
const [reductions, tensors] = sessions;
const alone = await ort.InferenceSession.create(readFileSync(modelInput), {
  graphOptimizationLevel: runtime === 'node' ? 'all' : 'disabled',
  intraOpNumThreads: 1,
});
for (const sample of samples) await alone.run(sample);
console.log(
  JSON.stringify({
    network: median(lengths(sessions.at(-1))),
    reductions: median(lengths(reductions)),
    tensors: median(lengths(tensors)),
    counting: median(between(tensors)),
  }),
);
process.exit(0);
