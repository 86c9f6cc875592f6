// Our side of cost.mjs: cost_ours.mjs MODEL OUTPUT SAMPLES.npz RUNTIME. Prints one JSON line.
import { npzReader, quantizeStatic } from '../../dist/index.js';

const [modelInput, modelOutput, samples, runtime] = process.argv.slice(2);
const start = performance.now();
await quantizeStatic({
  modelInput,
  modelOutput,
  calibrationDataReader: npzReader(samples),
  quantFormat: 'QDQ',
  weightType: 'QInt8',
  perChannel: true,
  runtime,
});
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, peakMiB: process.resourceUsage().maxRSS / 1024 }));
process.exit(0);
