// Our side of the benchmark: the whole job as a script would do it. Prints one JSON line: seconds (without
// imports), stages, and the peak memory of the process in MiB.
// Usage: ours.mjs MODEL OUTPUT IMAGES_DIR COUNT [JSON of further quantizeStatic parameters]
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { imageReader, quantizeStatic } from '../../dist/index.js';

const [model, output, folder, count, more = '{}'] = process.argv.slice(2);
const { preprocess, ...parameters } = JSON.parse(more);
const images = readdirSync(folder)
  .sort()
  .slice(0, Number(count))
  .map((name) => join(folder, name));

const start = performance.now();
const { report } = await quantizeStatic({
  modelInput: model,
  modelOutput: output,
  calibrationDataReader: imageReader(images, preprocess ? { preprocess } : {}),
  ...parameters,
});
const seconds = (performance.now() - start) / 1000;
const peakMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ seconds, peakMiB, timings: report.timings }));
process.exit(0);
