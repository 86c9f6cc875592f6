// The calibration methods on given values beside the reference's HistogramCollector
// (tests/fixtures/make_calibration_fixtures.py): counts and ranges to the bit. And values that
// defeat naive code.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { OptionValues, TensorRanges } from '#dist/base/types.js';
import { CoreCalibration } from '#dist/core/calibration.js';
import { parseRanges } from '#dist/core/ranges.js';

interface Case {
  method: 'percentile' | 'distribution' | 'entropy';
  symmetric?: boolean;
  num_bins: number;
  num_quantized_bins?: number;
  percentile?: number;
  scenario?: string;
  results: Record<string, { counts: [number, number][]; range: number[]; fails?: true }>;
}

const fixture: { values: Record<string, number[]>; cases: Case[] } = JSON.parse(
  gunzipSync(readFileSync('tests/fixtures/calibration/histograms.json.gz')).toString(),
);
const fromBits = (bits: readonly number[]) => new Float32Array(Uint32Array.from(bits).buffer);
const tensors = [{ name: 't', half: false }];

/**
 * Goes through all passes with samples of one tensor. `reductions`: what the graph gives of a
 * sample.
 */
async function calibrated(options: OptionValues, samples: readonly Float32Array[]) {
  const calibration = await CoreCalibration.create(options, tensors);
  while (calibration.pass !== '') {
    for (const sample of samples) {
      if (calibration.pass === 'ranges') calibration.observeRanges(reduced(sample));
      else calibration.observeTensor(0, sample);
    }
    calibration.endPass();
  }
  const state = JSON.parse(calibration.save());
  const result = { json: calibration.ranges(), notes: calibration.notes(), state };
  calibration.dispose();
  return { ...result, range: parseRanges(result.json).t as TensorRanges[string] | undefined };
}

/** As ReduceMin, ReduceMax and ReduceSum: NaN is passed over by the first two. */
function reduced(sample: Float32Array): Float32Array {
  let [low, high, sum] = [Infinity, -Infinity, 0];
  for (const value of sample) {
    if (value < low) low = value;
    if (value > high) high = value;
    sum += value;
  }
  return Float32Array.of(low, high, sum);
}

const thirds = (values: Float32Array) =>
  [0, 1, 2].map((i) => values.subarray((i * values.length) / 3, ((i + 1) * values.length) / 3));

const methods = { percentile: 'Percentile', distribution: 'Distribution', entropy: 'Entropy' };

for (const { method, results, ...given } of fixture.cases) {
  const { symmetric, percentile, ...others } = given;
  const extra = {
    ...others,
    ...(method === 'percentile' && { CalibTensorRangeSymmetric: symmetric }),
    ...(percentile !== undefined && { CalibPercentile: percentile }),
  };
  test(`${methods[method]} ${JSON.stringify(extra)} is the reference's to the bit`, async () => {
    let compared = 0;
    for (const [name, expected] of Object.entries(results)) {
      const options = { calibrate_method: methods[method], extra_options: extra };
      const { range, state } = await calibrated(options, thirds(fromBits(fixture.values[name]!)));
      assert.ok(range, name);
      const { counts } = state.tensors[0];
      if (counts) {
        const occupied = (counts.hex as string)
          .trimEnd()
          .split(' ')
          .map((count, bin) => [bin, Number.parseInt(count, 16)])
          .filter(([, count]) => count! > 0);
        assert.deepEqual(occupied, expected.counts, `${name}: counts`);
      }
      const wanted = [...fromBits(expected.range)];
      const [low, high, deviation] = wanted as [number, number, number?];
      if (low > high) {
        // D15a: the reference's ends are reversed; ours are those of the values.
        assert.ok(range[0] <= range[1], name);
      } else if (Number.isNaN(deviation)) {
        // The reference's variance is negative or has overflowed.
        assert.ok(Number.isFinite(range[2]), name);
        assert.deepEqual(range.slice(0, 2), wanted.slice(0, 2), name);
      } else if (extra.scenario === 'p3') {
        // numpy's cube root depends on the processor: one rounding of each value.
        for (const [i, value] of wanted.entries()) {
          assert.ok(Math.abs((range[i] as number) - value) <= 1e-6 * Math.abs(value), name);
        }
      } else {
        assert.deepEqual([...range], wanted, name);
      }
      compared++;
    }
    assert.equal(compared, 15);
  });
}

test('Entropy with 2,048 bins searches: an outlier is clipped, with 128 bins it is not', async () => {
  const values = fromBits(fixture.values.outlier!);
  const ours = await calibrated(
    { calibrate_method: 'Entropy', extra_options: { num_bins: 2048 } },
    [values],
  );
  const reference = await calibrated(
    { calibrate_method: 'Entropy', extra_options: { num_bins: 128 } },
    [values],
  );
  assert.equal(reference.range?.[1], 500);
  assert.ok((ours.range?.[1] as number) < 100, `${ours.range}`);
});

/** Mean squared error of values quantized to 8 unsigned bits over a range. */
function quantizationError(values: Float32Array, [low, high]: readonly [number, number]): number {
  const [from, to] = [Math.min(low, 0), Math.max(high, 0)];
  const scale = (to - from) / 255 || 1;
  const zero = Math.round(-from / scale);
  let sum = 0;
  for (const value of values) {
    const q = Math.min(255, Math.max(0, Math.round(value / scale) + zero));
    sum += (value - scale * (q - zero)) ** 2;
  }
  return sum / values.length;
}

test('MSE has no more error than MinMax, Entropy and Percentile, but for what its bins cannot tell', async () => {
  for (const [name, bits] of Object.entries(fixture.values)) {
    const values = fromBits(bits);
    const error = async (method: string) => {
      const { range } = await calibrated({ calibrate_method: method, extra_options: {} }, [values]);
      return quantizationError(values, range as [number, number]);
    };
    // Bins are 1/2048 of the range at least, and hits on the grid are luck: 5 %.
    const mse = await error('MSE');
    const floor = 1e-12 * Math.max(...values.map(Math.abs)) ** 2;
    for (const method of ['MinMax', 'Entropy', 'Percentile']) {
      assert.ok(mse <= 1.05 * (await error(method)) + floor, `${name}: ${method}`);
    }
    assert.ok((await error('auto')) <= 1.05 * mse + floor, `${name}: auto`);
  }
});

test('MSE clips an outlier, and says in auto what it took', async () => {
  const values = Float32Array.from({ length: 20000 }, (_, i) => Math.sin(i) * (i === 7 ? 50 : 1));
  const { range } = await calibrated({ calibrate_method: 'MSE', extra_options: {} }, [values]);
  assert.ok((range?.[1] as number) < 40);
  const { notes } = await calibrated({ calibrate_method: 'auto', extra_options: {} }, [values]);
  assert.match(notes[0]!.message, /auto took, by number of tensors, \w+: 1\./);
});

const all = ['MinMax', 'Entropy', 'Percentile', 'Distribution', 'MSE', 'auto'];
const nasty: Record<string, { samples: Float32Array[]; range: [number, number] | null }> = {
  'an empty tensor': { samples: [new Float32Array(0)], range: null },
  'a scalar': { samples: [Float32Array.of(-2)], range: [-2, -2] },
  'all equal': { samples: [new Float32Array(100).fill(3)], range: [3, 3] },
  'all zero': { samples: [new Float32Array(100)], range: [0, 0] },
  'one sample empty': { samples: [new Float32Array(0), Float32Array.of(1, 2)], range: [1, 2] },
  'NaN only': { samples: [new Float32Array(9).fill(Number.NaN)], range: null },
  denormals: { samples: [Float32Array.of(-1e-45, 3e-45, 1e-42)], range: [-1e-45, 1e-42] },
  '1e30': { samples: [Float32Array.of(-1e30, 1e30, 0.5)], range: [-1e30, 1e30] },
  'near the end of float32': {
    samples: [Float32Array.of(-3.4e38, 3.4e38, 0)],
    range: [-3.4e38, 3.4e38],
  },
  'lengths that vary': {
    samples: [Float32Array.of(1, -4), new Float32Array(1000).fill(2), Float32Array.of(5)],
    range: [-4, 5],
  },
};

for (const method of all) {
  test(`${method}: ${Object.keys(nasty).join(', ')}`, async () => {
    for (const [name, { samples, range }] of Object.entries(nasty)) {
      const result = await calibrated({ calibrate_method: method, extra_options: {} }, samples);
      if (range === null) {
        assert.deepEqual(JSON.parse(result.json), { t: null }, name);
        continue;
      }
      assert.ok(result.range, name);
      const [low, high] = [...result.range];
      assert.ok(
        Number.isFinite(low) && Number.isFinite(high) && low! <= high!,
        `${name}: ${low} ${high}`,
      );
      // Distribution goes as far to either side, and moves equal ends apart.
      const reach = Math.max(...range.map(Math.abs)) + (method === 'Distribution' ? 0.5 : 0);
      const limit = Math.fround(reach) * (1 + 1e-6);
      assert.ok(low! >= -limit && high! <= limit, `${name}: ${low} ${high}`);
      if (method === 'MinMax') assert.deepEqual([low, high], range.map(Math.fround), name);
    }
  });

  test(`${method}: NaN is passed over and named, infinity is kept`, async () => {
    const options = { calibrate_method: method, extra_options: {} };
    const values = Float32Array.of(1, Number.NaN, -2, 0.5);
    const { range, notes } = await calibrated(options, [values]);
    assert.ok(range && range[0] >= -2 && range[1] <= 2);
    const nan = notes.find(({ code }) => code === 'NAN_IN_TENSOR');
    assert.equal(nan?.tensor, 't');
    const infinite = await calibrated(options, [Float32Array.of(1, -Infinity)]);
    assert.equal(infinite.range?.[0], -Infinity);
  });
}

test('NaN is told in samples where all are reduced, however many values it was', async () => {
  for (const calibrate_method of ['MinMax', 'Entropy', 'Percentile', 'MSE', 'auto']) {
    const options = { calibrate_method, effort: 'fast', extra_options: {} };
    const values = Float32Array.of(1, Number.NaN, Number.NaN, Number.NaN, -2, 0.5);
    const { notes } = await calibrated(options, [Float32Array.of(1, 2), values]);
    const nan = notes.find(({ code }) => code === 'NAN_IN_TENSOR');
    const all = ['MinMax', 'Entropy'].includes(calibrate_method);
    assert.equal(/ in 1 of 2 samples/.test(nan!.message), all, calibrate_method);
  }
});

test('what several collect is what one collects, in any order, to the byte', async () => {
  const samples = Object.values(fixture.values).map(fromBits);
  for (const method of ['Percentile', 'MSE', 'Entropy', 'Distribution']) {
    const options = { calibrate_method: method, extra_options: {} };
    const whole = await calibrated(options, samples);
    const main = await CoreCalibration.create(options, tensors);
    while (main.pass !== '') {
      const parts = await Promise.all(
        [2, 0, 1].map(async (shard) => {
          const part = await CoreCalibration.create(options, tensors);
          part.restore(main.fork());
          for (const sample of samples.filter((_, i) => i % 3 === shard)) {
            if (part.pass === 'ranges') part.observeRanges(reduced(sample));
            else part.observeTensor(0, sample);
          }
          return part;
        }),
      );
      for (const part of parts) main.add(part.save());
      main.endPass();
    }
    assert.equal(main.ranges(), whole.json, method);
  }
});

test('a moving average cannot be merged, and says why', async () => {
  const options = { calibrate_method: 'MinMax', extra_options: { CalibMovingAverage: true } };
  const calibration = await CoreCalibration.create(options, tensors);
  calibration.observeRanges(Float32Array.of(0, 1, 1));
  assert.throws(() => calibration.add(calibration.save()), { code: 'UNSUPPORTED_OPTION' });
});

test('a state of another method, other tensors or damaged text is refused', async () => {
  const make = (method: string, list = tensors) =>
    CoreCalibration.create({ calibrate_method: method, extra_options: {} }, list);
  const calibration = await make('Percentile');
  for (const text of [
    '{}',
    'nonsense',
    (await make('MSE')).save().replace('"pass":0', '"pass":7'),
    (await make('Percentile', [{ name: 'u', half: false }])).save(),
    (await make('Percentile', [])).save(),
  ]) {
    assert.throws(() => calibration.restore(text), { code: 'INVALID_CALIBRATION_STATE' }, text);
  }
});

/** The same on every run, between -1 and 1. */
function uniformValues(count: number): Float32Array {
  let seed = 1;
  return Float32Array.from({ length: count }, () => {
    seed = (seed * 16807) % 2147483647;
    return (2 * seed) / 2147483647 - 1;
  });
}

test('Entropy takes MinMax where a tensor has too few values for the usual bins', async () => {
  const values = uniformValues(27);
  const { range, notes } = await calibrated({ calibrate_method: 'Entropy' }, [values]);
  assert.deepEqual(range, [Math.min(...values), Math.max(...values)]);
  assert.deepEqual(notes, []);
});

test('Entropy keeps a clip only where it lowers the squared error', async () => {
  const levels = 255;
  const meanSquare = (values: Float32Array, low: number, high: number) => {
    const scale = (Math.max(high, 0) - Math.min(low, 0)) / levels;
    const zero = Math.round(-Math.min(low, 0) / scale);
    let sum = 0;
    for (const value of values) {
      const level = Math.min(levels, Math.max(0, Math.round(value / scale) + zero));
      sum += (value - (level - zero) * scale) ** 2;
    }
    return sum / values.length;
  };
  const uniform = uniformValues(50_000);
  const cubes = uniform.map((value) => value ** 3);
  const spiky = uniform.map((value, i) => (i % 10_000 === 0 ? 60 : value));
  let clipped = 0;
  for (const values of [uniform, cubes, spiky]) {
    const low = Math.min(...values);
    const high = Math.max(...values);
    const { range, notes } = await calibrated({ calibrate_method: 'Entropy' }, [values]);
    assert.ok(range);
    const least = 1.001 * meanSquare(values, low, high);
    assert.ok(meanSquare(values, range[0], range[1]) <= least);
    const isClipped = range[0] > low || range[1] < high;
    assert.equal(
      notes.some(({ code }) => code === 'CALIBRATION_CLIPPED'),
      isClipped,
    );
    clipped += isClipped ? 1 : 0;
  }
  assert.ok(clipped < 3);
});
