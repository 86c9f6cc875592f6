// Our side of the benchmark of calibration: calibrate.mjs MODEL SAMPLES [JSON of further parameters
// of calibrate]. Prints a JSON line: seconds from the plan to the ranges, and the memory that was
// announced and what was taken in MiB (Linux).
import { readFileSync, writeFileSync } from 'node:fs';
import { calibrate, npzReader } from 'onnx-ptq';

const [modelInput, samples, more = '{}'] = process.argv.slice(2);
const peakMiB = () =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
let planned;
const { ranges } = await calibrate({
  modelInput,
  calibrationDataReader: npzReader(samples),
  ...JSON.parse(more),
  onDiagnostic: ({ code, message }) => {
    if (code !== 'CALIBRATION_MEMORY') return;
    writeFileSync('/proc/self/clear_refs', '5'); // the peak begins anew
    const announced = Object.fromEntries(
      ['(?:about|at least)', 'up to'].map((words) => [
        words,
        Number(new RegExp(`${words} (\\d+) MiB`).exec(message)?.[1] ?? 0),
      ]),
    );
    planned = { start: performance.now(), before: peakMiB(), announced: Object.values(announced) };
  },
});
console.log(
  JSON.stringify({
    seconds: (performance.now() - planned.start) / 1000,
    announcedMiB: planned.announced,
    takenMiB: peakMiB() - planned.before,
    ranges: Object.keys(ranges).length,
  }),
);
process.exit(0);
