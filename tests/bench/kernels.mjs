// The loops over activations in the core (src/calibration/histogram_kernels.cc): nanoseconds a
// value in the wasm module, beside the same in plain JavaScript, which is scalar, and beside
// copying, which is what the memory gives.
import { CoreCalibration } from '../../dist/core/calibration.js';
import { loadCore } from '../../dist/core/load.js';

const count = 1 << 22; // 16 MiB: more than the caches
const repeats = 12;

/** Nanoseconds a value, the best of several. */
function time(work) {
  let bestTime = Infinity;
  for (let i = 0; i < repeats; ++i) {
    const start = performance.now();
    work();
    bestTime = Math.min(bestTime, performance.now() - start);
  }
  return (bestTime * 1e6) / count;
}

const values = {
  'normal values': Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) * 3),
  'half zeros (Relu)': Float32Array.from({ length: count }, (_, i) =>
    Math.max(0, Math.sin(i * 12.9898) * 3),
  ),
};

async function calibrationAt(method, passes, data, more = {}) {
  const options = { calibrate_method: method, extra_options: {}, ...more };
  const calibration = await CoreCalibration.create(options, [{ name: 't', half: false }]);
  for (let pass = 0; pass < passes; ++pass) {
    calibration.observeTensor(0, data);
    calibration.endPass();
  }
  return calibration;
}

function scalarExtremes(data) {
  let [low, high, nans] = [Infinity, -Infinity, 0];
  for (let i = 0; i < data.length; ++i) {
    const value = data[i];
    if (value < low) low = value;
    if (value > high) high = value;
    if (Number.isNaN(value)) ++nans;
  }
  return [low, high, nans];
}

function scalarHistogram(data, counts) {
  const bins = counts.length;
  for (let i = 0; i < data.length; ++i) {
    ++counts[Math.min(bins - 1, Math.floor((Math.abs(data[i]) * bins) / 3))];
  }
}

export async function benchKernels() {
  const core = await loadCore();
  console.log('| loop | ns a value, wasm SIMD | scalar JavaScript | ratio |');
  console.log('| --- | --- | --- | --- |');
  const row = (name, simd, scalar) =>
    console.log(
      `| ${name} | ${simd.toFixed(2)} | ${scalar.toFixed(2)} | ${(simd / scalar).toFixed(2)} |`,
    );
  const pointer = core._malloc(count * 4);
  const copy = time(() => core.HEAPF32.set(values['normal values'], pointer / 4));
  core._free(pointer);
  for (const [kind, data] of Object.entries(values)) {
    const magnitudes = await calibrationAt('Percentile', 0, data);
    const uniform = await calibrationAt('Percentile', 1, data);
    const nested = await calibrationAt('MSE', 0, data);
    const extremes = time(() => scalarExtremes(data));
    const counts = new Float64Array(2048);
    const histogram = time(() => scalarHistogram(data, counts));
    // Two sweeps: x and |x|.
    row(
      `lowest, highest, NaN; ${kind}`,
      time(() => magnitudes.observeTensor(0, data)) / 2,
      extremes,
    );
    // From the first value on: later ones matter less and less.
    const fresh = { only_percentile: true };
    const tails = [];
    for (let i = 0; i < repeats; ++i) tails.push(await calibrationAt('Percentile', 0, data, fresh));
    row(
      `outermost values to either side; ${kind}`,
      time(() => tails.pop().observeTensor(0, data)),
      extremes,
    );
    row(
      `2,048 uniform bins; ${kind}`,
      time(() => uniform.observeTensor(0, data)),
      histogram,
    );
    row(
      `4,096 nested bins; ${kind}`,
      time(() => nested.observeTensor(0, data)),
      histogram,
    );
  }
  console.log(
    `\ncopying into the core, which is in each figure: ${copy.toFixed(2)} ns a value (${(4 / copy).toFixed(1)} GB/s)`,
  );
}
