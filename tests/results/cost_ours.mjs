// Our side of cost.mjs: cost_ours.mjs MODEL OUTPUT SAMPLES.npz RUNTIME. Prints one JSON line.
import { readFileSync } from 'node:fs';
import { npzReader, quantizeStatic } from 'onnx-ptq';

const [modelInput, modelOutput, samples, runtime] = process.argv.slice(2);
const start = performance.now();
await quantizeStatic({
  modelInput,
  modelOutput,
  calibrationDataReader: npzReader(samples),
  quantFormat: 'QDQ',
  weightType: 'QInt8',
  perChannel: true,
  effort: 'none', // what the reference does
  runtime,
});
const seconds = (performance.now() - start) / 1000;
// Not maxRSS, which begins with what the process that started this one had.
const [, peak] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
console.log(JSON.stringify({ seconds, peakMiB: Number(peak) / 1024 }));
process.exit(0);
