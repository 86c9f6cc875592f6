// Whole calibrations on fixture models: workers, passes, memory, shards, and runs that are
// cancelled and resumed. Whatever the way, the bytes of the ranges are the same.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Feeds, ModelSummary } from '#dist/base/types.js';
import { originOfNan } from '#dist/calibration/check-samples.js';
import { parseCalibrationCache } from '#dist/calibration/files/calibration-cache.js';
import { calibrate, mergeRanges, quantizeStatic } from '#dist/index.js';
import { calibrateOn } from '#dist/jobs/calibrate-model.js';
import { quantizeOn } from '#dist/jobs/quantize-static.js';
import { nodePlatform } from '#dist/platform/node.js';
import {
  command,
  imageFolder,
  imageSamples,
  model,
  noise,
  temporaryFolder,
} from './support/pipeline.js';

const methods = ['MinMax', 'Entropy', 'Percentile', 'Distribution', 'MSE', 'auto'] as const;
const modelInput = model('classifier.onnx');

async function cacheOf(options: Partial<Parameters<typeof calibrate>[0]>): Promise<string> {
  const result = await calibrate({
    modelInput,
    calibrationDataReader: imageSamples(12),
    runtime: 'web',
    ...options,
  });
  return result.calibrationCache as string;
}

test('what repairs are made from is reduced of the samples that they are made from only', async () => {
  for (const calibrateMethod of ['MSE', 'auto', 'Percentile'] as const) {
    const rangesOf = async (effort: 'none' | 'fast') => {
      const totals: (number | undefined)[] = [];
      const { report } = await quantizeStatic({
        modelInput,
        calibrationDataReader: imageSamples(24),
        calibrateMethod,
        runtime: 'web',
        effort,
        onProgress: ({ stage, pass, total }) => {
          if (stage === 'calibrate') totals[(pass ?? 1) - 1] = total;
        },
      });
      return { totals, ranges: report.ranges };
    };
    const [none, fast] = [await rangesOf('none'), await rangesOf('fast')];
    assert.deepEqual([none.totals, fast.totals], [[24], [16, 24]], calibrateMethod);
    assert.deepEqual(fast.ranges, none.ranges, calibrateMethod);
  }
});

/** Samples that take a while each, so that workers are worth their start. */
async function* slowly(samples: Feeds[], milliseconds: number): AsyncGenerator<Feeds> {
  for (const sample of samples) {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    yield sample;
  }
}

function slow(count: number, milliseconds: number) {
  const samples = imageSamples(count);
  return { length: count, [Symbol.asyncIterator]: () => slowly(samples, milliseconds) };
}

for (const calibrateMethod of ['MinMax', 'Percentile', 'MSE'] as const) {
  test(`${calibrateMethod}: with workers the same bytes as without`, async () => {
    const options = { modelInput, calibrateMethod, runtime: 'web' as const };
    const one = await calibrateOn(nodePlatform, {
      ...options,
      calibrationDataReader: imageSamples(60),
      workers: 1,
    });
    let started = 0;
    const platform = {
      ...nodePlatform,
      startCalibrationWorker() {
        started++;
        return nodePlatform.startCalibrationWorker();
      },
    };
    // 60 × 80 ms is more than workers have to save, without the sample that is looked at first.
    const calibrationDataReader = slow(60, 80);
    const several = await calibrateOn(platform, { ...options, calibrationDataReader, workers: 3 });
    assert.equal(started, 3);
    assert.equal(several.samples, 60);
    assert.equal(several.calibrationCache, one.calibrationCache);
  });
}

for (const calibrateMethod of methods) {
  test(`${calibrateMethod}: within a small memory budget the same bytes, in several runs`, async () => {
    // A dynamic batch of 300, whose tensors are of some 100 kB to 1 MB.
    const samples = [1, 2].map((seed) => ({
      image: { type: 'float32' as const, dims: [300, 3, 8, 8], data: noise(300 * 192, seed) },
    }));
    const whole = await cacheOf({ calibrateMethod, calibrationDataReader: samples });
    let reads = 0;
    const counted = {
      *[Symbol.iterator]() {
        reads++;
        yield* samples;
      },
    };
    const notes: string[] = [];
    const within = await cacheOf({
      calibrateMethod,
      calibrationDataReader: counted,
      memoryBudget: 2,
      onDiagnostic: ({ message }) => notes.push(message),
    });
    assert.equal(within, whole);
    const stated = notes.find((note) => note.startsWith('calibration needs'));
    if (calibrateMethod === 'MinMax') {
      assert.equal(reads, 1); // the look at the shapes is part of it
      return;
    }
    const passes = ['MSE', 'auto'].includes(calibrateMethod) ? 1 : 2;
    assert.ok(reads > passes, `${reads} reads`);
    assert.match(stated ?? '', /in \d+ parts/);
  });

  test(`${calibrateMethod}: shards merge to the bytes of one run`, async () => {
    const whole = await cacheOf({ calibrateMethod });
    let resume: string | undefined;
    for (;;) {
      const states: string[] = [];
      for (const index of [2, 0, 1]) {
        const { calibrationState, ranges } = await calibrate({
          modelInput,
          calibrationDataReader: imageSamples(12),
          runtime: 'web',
          calibrateMethod,
          shard: `${index}/3`,
          resume,
        });
        assert.equal(ranges, null);
        states.push(calibrationState as string);
      }
      const merged = await mergeRanges(states);
      if (merged.calibrationCache !== null) {
        assert.equal(merged.calibrationCache, whole);
        return;
      }
      resume = merged.calibrationState as string;
    }
  });

  test(`${calibrateMethod}: cancelled at any sample and resumed, the same bytes`, async () => {
    const whole = await cacheOf({ calibrateMethod });
    for (const stopAt of [1, 5, 12, 13, 20]) {
      const controller = new AbortController();
      let seen = 0;
      let resume: string | undefined;
      const reader = {
        *[Symbol.iterator]() {
          for (const sample of imageSamples(12)) {
            if (++seen === stopAt + 2) controller.abort(new Error('stop')); // one was peeked at
            yield sample;
          }
        },
      };
      const stopped = calibrate({
        modelInput,
        calibrationDataReader: reader,
        runtime: 'web',
        calibrateMethod,
        signal: controller.signal,
        onCalibrationState: (state) => {
          resume = state;
        },
      });
      const result = await stopped.catch(() => null);
      if (result) {
        assert.equal(result.calibrationCache, whole); // done before that sample
        continue;
      }
      assert.ok(resume, `stopped at ${stopAt}`);
      assert.equal(await cacheOf({ calibrateMethod, resume }), whole, `stopped at ${stopAt}`);
    }
  });
}

test('a quantization that was cancelled goes on with --resume to the same model', async () => {
  const images = imageFolder('rgb.png', 'gray.png', 'palette.png');
  for (let i = 0; i < 400; i++)
    fs.copyFileSync(path.join(images, 'rgb.png'), path.join(images, `c${i}.png`));
  const folder = temporaryFolder();
  const argv = (name: string) => [
    ...['--input_model', modelInput, '--output_model', path.join(folder, name)],
    ...['--calibrate_dataset', images, '--calibrate_method', 'Percentile'],
    ...['--preprocess', 'minus-one-to-one'],
  ];
  assert.equal((await command(argv('whole.onnx'))).code, 0);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 250);
  const stopped = await command(argv('out.onnx'), controller.signal);
  assert.equal(stopped.code, 1);
  assert.match(stopped.err, /cancelled; what was calibrated is in .*: --resume goes on/);
  assert.deepEqual(fs.readdirSync(folder).sort(), ['out.onnx.calibration_state', 'whole.onnx']);
  const resumed = await command([...argv('out.onnx'), '--resume']);
  assert.equal(resumed.code, 0, resumed.err);
  assert.deepEqual(fs.readdirSync(folder).sort(), ['out.onnx', 'whole.onnx']);
  const bytes = (name: string) => fs.readFileSync(path.join(folder, name));
  assert.ok(bytes('out.onnx').equals(bytes('whole.onnx')));
});

test('calibrate and merge-ranges: shards by the command, their tables, and quantizing with them', async () => {
  const images = imageFolder('rgb.png', 'gray.png', 'palette.png');
  const folder = temporaryFolder();
  const at = (name: string) => path.join(folder, name);
  const common = ['--input_model', modelInput, '--calibrate_dataset', images];
  const method = ['--calibrate_method', 'Entropy'];
  const run = async (...argv: string[]) => {
    const result = await command(argv);
    assert.equal(result.code, 0, result.err);
    return result.out;
  };
  await run('calibrate', ...common, ...method, '--ranges', at('whole.json'));
  for (const resume of [[], ['--resume', at('merged.json')]]) {
    for (const i of [0, 1]) {
      const state = ['--calibration_state', at(`${i}.json`)];
      await run('calibrate', ...common, ...method, '--shard', `${i}/2`, ...state, ...resume);
    }
    await run(
      'merge-ranges',
      '--calibration_state',
      at('0.json'),
      at('1.json'),
      '--ranges',
      at('merged.json'),
    );
  }
  assert.equal(
    fs.readFileSync(at('merged.json'), 'utf8'),
    fs.readFileSync(at('whole.json'), 'utf8'),
  );
  const targets = ['--tables', at('tables'), '--tensorrt_cache', at('trt.cache')];
  await run('calibrate', ...common, ...method, ...targets);
  assert.deepEqual(fs.readdirSync(at('tables')).sort(), [
    'calibration.cache',
    'calibration.flatbuffers',
    'calibration.json',
  ]);
  for (const cache of [at('merged.json'), at('trt.cache'), at('tables/calibration.json')]) {
    const output = ['--output_model', at('out.onnx'), '--calibration_cache_path', cache];
    await run('--input_model', modelInput, ...output, ...method);
  }
});

test('states of different runs, missing and repeated shards are refused', async () => {
  const shard = async (text: string, more: object = {}) =>
    (
      await calibrate({
        modelInput,
        calibrationDataReader: imageSamples(4),
        runtime: 'web',
        shard: text,
        ...more,
      })
    ).calibrationState as string;
  const [a, b, other] = [
    await shard('0/2'),
    await shard('1/2'),
    await shard('1/2', { calibrateMethod: 'MSE' }),
  ];
  const refused = (states: string[], message: RegExp) =>
    assert.rejects(mergeRanges(states), { code: 'INVALID_CALIBRATION_STATE', message });
  await refused([a], /shard 1\/2 is missing/);
  await refused([a, b, a], /same shard/);
  await refused([a, other], /calibrate_method/);
  await refused([a, 'x'], /not a calibration state/);
  await assert.rejects(shard('0/3', { resume: a }), { code: 'INVALID_CALIBRATION_STATE' });
  await assert.rejects(shard('2/2'), { code: 'INVALID_OPTION' });
  await assert.rejects(shard('0/2', { resume: b, modelInput: model('ir3.onnx') }), {
    code: 'INVALID_CALIBRATION_STATE',
  });
});

test('readers that cannot be read twice are read once for two passes', async () => {
  const whole = await cacheOf({ calibrateMethod: 'Entropy' });
  const samples = imageSamples(12);
  const generator = (function* () {
    yield* samples;
  })();
  assert.equal(
    await cacheOf({ calibrateMethod: 'Entropy', calibrationDataReader: generator }),
    whole,
  );
  let next = 0;
  const getNext = () => samples[next++] ?? null;
  assert.equal(
    await cacheOf({ calibrateMethod: 'Entropy', calibrationDataReader: { getNext } }),
    whole,
  );
  next = 0;
  const rewound = {
    getNext,
    rewind() {
      next = 0;
    },
  };
  assert.equal(
    await cacheOf({ calibrateMethod: 'Entropy', calibrationDataReader: rewound }),
    whole,
  );
});

test('a percentile near 100 takes one pass; a tensor where a share ends on a value takes two', async () => {
  const passesOf = async (count: number, percentile?: number) => {
    const passes = new Set<string>();
    const samples = imageSamples(count);
    (samples[0]!.image!.data as Float32Array)[0] = 5; // the others are below 1
    const { ranges } = await calibrate({
      modelInput,
      calibrationDataReader: samples,
      calibrateMethod: 'Percentile',
      ...(percentile && { extraOptions: { CalibPercentile: percentile } }),
      onProgress: ({ pass, passes: all }) => pass && passes.add(`${pass} of ${all}`),
    });
    assert.ok(Object.keys(ranges!).length > 3);
    return [...passes];
  };
  assert.deepEqual(await passesOf(12), []); // which are told where there are several
  assert.deepEqual(await passesOf(12, 99.9), ['1 of 2', '2 of 2']);
  // A share of one value of all: it is the largest, or not, as shares are rounded. Of few values
  // all are kept; 700 samples of 3 × 8 × 8 are too many.
  assert.deepEqual(await passesOf(100, 100 - 100 / 19_200), []);
  assert.deepEqual(await passesOf(700, 100 - 100 / 134_400), ['2 of 2']);
});

test('onnxruntime-node gives the ranges of onnxruntime-web within float rounding', async () => {
  const of = async (runtime: 'node' | 'web') =>
    (await calibrate({ modelInput, calibrationDataReader: imageSamples(8), runtime })).ranges!;
  const [node, web] = [await of('node'), await of('web')];
  assert.deepEqual(Object.keys(node), Object.keys(web));
  for (const [tensor, [low, high]] of Object.entries(node)) {
    const [l, h] = web[tensor] as [number, number];
    const tolerance = 1e-5 * Math.max(Math.abs(l), Math.abs(h));
    assert.ok(Math.abs(low - l) <= tolerance && Math.abs(high - h) <= tolerance, tensor);
  }
});

test('NaN in one sample is named with its tensor, and the run goes on', async () => {
  const samples = imageSamples(5);
  (samples[3]!.image!.data as Float32Array)[7] = Number.NaN;
  const { report } = await quantizeStatic({ modelInput, calibrationDataReader: samples });
  const note = report.diagnostics.find(({ code }) => code === 'NAN_IN_TENSOR');
  assert.equal(note?.tensor, 'image');
  assert.match(note?.message ?? '', /'image' held NaN in 1 of 5 samples/);
});

test('NaN that the graph makes itself is not blamed on the samples', () => {
  const note = {
    severity: 'warning' as const,
    code: 'NAN_IN_TENSOR',
    message: "Tensor 'a' held NaN",
    hint: 'Look for samples that are broken',
  };
  const model = {
    inputs: [{ name: 'x', type: 'float32', shape: null }],
  } as unknown as ModelSummary;
  const [made] = originOfNan([{ ...note, tensor: 'a' }], model);
  assert.match(made?.hint ?? '', /no input holds NaN: the node that writes the tensor makes it/);
  const given = { ...note, tensor: 'x' };
  const other = { severity: 'info' as const, code: 'OTHER', message: '' };
  assert.deepEqual(originOfNan([given, other], model), [given, other]);
});

test('a sample that does not fit is named, with what the input expects', async () => {
  const samples = [
    ...imageSamples(2),
    { image: { type: 'float32', dims: [1, 3, 4], data: noise(12, 1) } },
  ];
  await assert.rejects(cacheOf({ calibrationDataReader: samples as Feeds[] }), {
    code: 'INVALID_DATA',
    message: /input 'image' expects float32 \[N,3,8,8\], sample 3 has float32 \[1,3,4\]/,
  });
});

type Bytes = Uint8Array | Promise<Uint8Array>;

/** A platform whose GPU is WebAssembly, with its results multiplied. `load`: before a session. */
function gpuPlatform(factor: number, load: (model: Uint8Array) => Bytes = (model) => model) {
  return {
    ...nodePlatform,
    async loadRuntime(options: Parameters<typeof nodePlatform.loadRuntime>[0]) {
      const runtime = await nodePlatform.loadRuntime({ ...options, kind: 'web' });
      if (options.kind !== 'webgpu') return runtime;
      const { ort } = runtime;
      const create = async (model: Uint8Array, settings: object) => {
        const session = await ort.InferenceSession.create(await load(model), {
          ...settings,
          executionProviders: ['wasm'],
        });
        return {
          outputNames: session.outputNames,
          release: () => session.release(),
          async run(feeds: never, fetches: never) {
            const results = await session.run(feeds, fetches);
            for (const { data } of Object.values(results) as { data: Float32Array }[]) {
              for (let i = 0; i < data.length; i++) data[i]! *= factor;
            }
            return results;
          },
        };
      };
      const fake = { ...ort, Tensor: ort.Tensor, env: ort.env, InferenceSession: { create } };
      return { ...runtime, kind: 'webgpu' as const, ort: fake as never };
    },
  };
}

test('WebGPU calibrates only where a sample gives what WebAssembly gives, and says what it found', async () => {
  const options = { modelInput, calibrationDataReader: imageSamples(3) };
  const codes = async (platform: typeof nodePlatform, more: object = {}) => {
    const web = await calibrateOn(nodePlatform, { ...options, ...more, runtime: 'web' });
    const gpu = await calibrateOn(platform, { ...options, ...more, runtime: 'webgpu' });
    assert.equal(gpu.calibrationCache, web.calibrationCache);
    return gpu.diagnostics.map(({ code }) => code).filter((code) => code.startsWith('WEBGPU_'));
  };
  assert.deepEqual(await codes(gpuPlatform(1)), ['WEBGPU_MEASURED']);
  assert.deepEqual(await codes(gpuPlatform(1.01)), ['WEBGPU_DIFFERS']);
  const broken = gpuPlatform(1, () => Promise.reject(new Error('no f16')));
  assert.deepEqual(await codes(broken), ['WEBGPU_CANNOT_RUN']);
  const whole = { calibrateMethod: 'Percentile' };
  assert.deepEqual(await codes(broken, whole), ['WEBGPU_NOT_USED']);
  await assert.rejects(calibrate({ ...options, runtime: 'webgpu' }), {
    code: 'RUNTIME_NOT_AVAILABLE',
  });
});

test('what falls back from WebGPU has the workers of WebAssembly', async () => {
  const { diagnostics } = await calibrateOn(
    { ...gpuPlatform(1.01), cores: 2 },
    { modelInput, calibrationDataReader: imageSamples(3), runtime: 'webgpu' },
  );
  const plan = diagnostics.find(({ code }) => code === 'CALIBRATION_MEMORY');
  assert.match(plan?.message ?? '', /with 2 workers/);
});

test('results are judged in WebAssembly, whatever calibrated', async () => {
  const sessions: string[] = [];
  const platform = gpuPlatform(1, (model) => {
    sessions.push('gpu');
    return model;
  });
  const { report } = await quantizeOn(platform, {
    modelInput,
    calibrationDataReader: imageSamples(3),
    runtime: 'webgpu',
    effort: 'none',
  });
  assert.ok(report.quality);
  const before = sessions.length;
  assert.ok(before <= 2, `the GPU made ${before} sessions: for the choice and the pass`);
});

test('calib_per_channel: a range for each channel, the widest of which is that of the tensor', async () => {
  const samples = imageSamples(5);
  const options = { modelInput, calibrationDataReader: samples, runtime: 'web' as const };
  const whole = await calibrate(options);
  const { calibrationCache } = await calibrate({ ...options, calibPerChannel: true });
  const { data } = JSON.parse(calibrationCache as string);
  assert.deepEqual(Object.keys(data), Object.keys(whole.ranges!));
  for (const [tensor, [low, high]] of Object.entries(whole.ranges!)) {
    const [lowest, highest] = [data[tensor].lowest.data, data[tensor].highest.data];
    assert.equal(lowest.length, highest.length);
    assert.deepEqual([Math.min(...lowest), Math.max(...highest)], [low, high], tensor);
  }
  // The input's own values, [1, 3, 8, 8].
  for (const channel of [0, 1, 2]) {
    const values = samples.flatMap(({ image }) => [
      ...(image!.data as Float32Array).subarray(channel * 64, (channel + 1) * 64),
    ]);
    assert.equal(data.image.lowest.data[channel], Math.min(...values));
    assert.equal(data.image.highest.data[channel], Math.max(...values));
  }
  // Read for quantizing it is one range again.
  const cache = parseCalibrationCache(calibrationCache as string, 'cache');
  assert.deepEqual(cache.ranges, whole.ranges);
  await assert.rejects(calibrate({ ...options, calibPerChannel: true, calibrateMethod: 'MSE' }), {
    code: 'UNSUPPORTED_OPTION',
  });
});
