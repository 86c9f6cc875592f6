// Our side of the benchmark: the whole job as a script would do it. Prints one JSON line: seconds
// (without imports), CPU seconds of the process, stages, and its peak memory in MiB.
// Usage: ours.mjs MODEL OUTPUT IMAGES_DIR COUNT [JSON of further quantizeStatic parameters, with
// preprocess]. COUNT may be more than there are images: they are repeated.
import { imageReader, quantizeStatic } from 'onnx-ptq';
import { picturesIn } from './pictures.mjs';

const [model, output, folder, count, more = '{}'] = process.argv.slice(2);
const { preprocess, ...parameters } = JSON.parse(more);
const found = picturesIn(folder);
const images = Array.from({ length: Number(count) }, (_, i) => found[i % found.length]);

const start = performance.now();
const { report } = await quantizeStatic({
  modelInput: model,
  modelOutput: output,
  calibrationDataReader: imageReader(images, preprocess ? { preprocess } : {}),
  effort: 'none', // what the reference does
  ...parameters,
});
const seconds = (performance.now() - start) / 1000;
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
const peakMiB = maxRSS / 1024;
console.log(JSON.stringify({ seconds, cpuSeconds, peakMiB, timings: report.timings }));
process.exit(0);
