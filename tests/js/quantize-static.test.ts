// Whole runs through the API in Node.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Feeds } from '#dist/base/types.js';
import {
  extraOptions,
  type Progress,
  QuantizeError,
  quantizeStatic,
  quantPreProcess,
} from '#dist/index.js';
import { imageSamples, model, noise, temporaryFolder } from './support/pipeline.js';

const code =
  (expected: string, message = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof QuantizeError, `${error}`);
    assert.equal(error.code, expected, error.message);
    assert.match(error.message, message);
    return true;
  };
const rejects = (options: object, expected: string, message?: RegExp) =>
  assert.rejects(quantizeStatic(options as never), code(expected, message));

for (const quantFormat of ['QOperator', 'QDQ'] as const) {
  for (const [activationType, weightType] of [
    ['QUInt8', 'QUInt8'],
    ['QUInt8', 'QInt8'],
    ['QInt8', 'QInt8'],
  ] as const) {
    for (const perChannel of [false, true]) {
      const name = `${quantFormat} ${activationType}/${weightType}${perChannel ? ' per channel' : ''}`;
      test(`${name}: a small classifier keeps its outputs`, async () => {
        const { report, model: bytes } = await quantizeStatic({
          modelInput: model('classifier.onnx'),
          calibrationDataReader: imageSamples(12),
          quantFormat,
          activationType,
          weightType,
          perChannel,
          effort: 'none',
        });
        assert.ok(bytes instanceof Uint8Array && bytes.length === report.bytesAfter);
        assert.equal(report.quality.samples, 8);
        assert.ok((report.quality.sqnr ?? 0) > 20, `SQNR ${report.quality.sqnr}`);
        assert.ok((report.quality.top1?.agree ?? 0) >= 7);
        assert.ok(report.nodesQuantized.some((node) => node.opType === 'Conv'));
        assert.equal(report.calibration.samples, 12);
        assert.deepEqual(report.ranges.r1?.[0], 0);
      });
    }
  }
}

test('the same input gives the same bytes, from a path, bytes or a Blob', async () => {
  const file = model('classifier.onnx');
  const bytes = fs.readFileSync(file);
  const inputs = [file, new Uint8Array(bytes), new Blob([bytes])];
  const results = [];
  for (const modelInput of inputs) {
    const { model: result } = await quantizeStatic({
      modelInput,
      calibrationDataReader: imageSamples(3),
    });
    results.push(Buffer.from(result as Uint8Array));
  }
  assert.ok(results[0]?.equals(results[1]!) && results[0].equals(results[2]!));
});

test('external data: read beside the model or given, written to one file', async () => {
  const folder = temporaryFolder();
  const target = path.join(folder, 'out.onnx');
  const fromPath = await quantizeStatic({
    modelInput: model('external.onnx'),
    modelOutput: target,
    calibrationDataReader: imageSamples(3),
    useExternalDataFormat: true,
  });
  assert.equal(fromPath.model, target);
  assert.deepEqual(fs.readdirSync(folder).sort(), ['out.onnx', 'out.onnx.data']);
  assert.deepEqual(fromPath.externalData, { name: 'out.onnx.data', data: `${target}.data` });
  assert.ok(fs.readFileSync(target).includes('out.onnx.data'));
  assert.ok((fromPath.report.quality.sqnr ?? 0) > 20);
  const options = { calibrationDataReader: imageSamples(3), modelOutput: undefined };
  const single = await quantizeStatic({ ...options, modelInput: model('external.onnx') });
  const given = await quantizeStatic({
    ...options,
    modelInput: fs.readFileSync(model('external.onnx')),
    externalData: { 'external.onnx.data': fs.readFileSync(model('external.onnx.data')) },
  });
  assert.deepEqual(given.model, single.model);
  const inMemory = await quantizeStatic({
    ...options,
    modelInput: model('external.onnx'),
    useExternalDataFormat: true,
  });
  assert.equal(inMemory.externalData?.name, 'model.onnx.data');
  assert.deepEqual(
    Buffer.from(inMemory.externalData?.data as Uint8Array),
    fs.readFileSync(`${target}.data`),
  );
});

test('missing external data is named', async () => {
  await rejects(
    {
      modelInput: fs.readFileSync(model('external.onnx')),
      calibrationDataReader: imageSamples(1),
    },
    'FILE_NOT_FOUND',
    /external\.onnx\.data/,
  );
});

test('initializers repeated as inputs, IR 3 and IR 14 are no obstacle', async () => {
  for (const name of ['ir3.onnx', 'ir14.onnx']) {
    const { report } = await quantizeStatic({
      modelInput: model(name),
      calibrationDataReader: imageSamples(4),
      perChannel: true,
      weightType: 'QInt8',
    });
    assert.equal(report.quality.loaded, true, name);
    assert.ok((report.quality.sqnr ?? 0) > 20, name);
  }
});

test('a float16 model is quantized to one that runs', async () => {
  // 0.25, -0.5, 1 and 0 as float16 bits.
  const bits = [0x3400, 0xb800, 0x3c00, 0];
  const data = Uint16Array.from({ length: 192 }, (_, i) => bits[(i * 7) % 4] as number);
  const { report } = await quantizeStatic({
    modelInput: model('fp16.onnx'),
    calibrationDataReader: [{ image: { type: 'float16', dims: [1, 3, 8, 8], data } }],
    quantFormat: 'QDQ',
  });
  assert.equal(report.quality.loaded, true);
  const { outputs, sqnr } = report.quality;
  assert.ok(outputs.every(({ exact }) => exact) || (sqnr ?? 0) > 15, `SQNR ${sqnr}`);
});

test('a model that is quantized already is taken as it is or quantized further, and still runs', async () => {
  const { report } = await quantizeStatic({
    modelInput: model('already_quantized.onnx'),
    calibrationDataReader: imageSamples(4),
    quantFormat: 'QDQ',
  });
  assert.equal(report.quality.loaded, true);
  const { outputs, sqnr } = report.quality;
  assert.ok(outputs.every(({ exact }) => exact) || (sqnr ?? 0) > 15, `SQNR ${sqnr}`);
});

test('inputs of several types; integer outputs are compared too', async () => {
  const samples: Feeds[] = [1, 2, 3].map((rows) => ({
    ids: {
      type: 'int64',
      dims: [rows],
      data: BigInt64Array.from({ length: rows }, (_, i) => BigInt(i)),
    },
    x: { type: 'float32', dims: [rows, 4], data: noise(rows * 4, rows) },
  }));
  const { report } = await quantizeStatic({
    modelInput: model('two_inputs.onnx'),
    calibrationDataReader: samples,
  });
  assert.deepEqual(
    report.quality.outputs.map(({ name }) => name),
    ['y', 'best'],
  );
  assert.equal(report.quality.top1?.of, 6);
});

test('a model in which nothing can be quantized is written, with a warning that says so', async () => {
  const flag = { type: 'bool', dims: [], data: Uint8Array.of(1) };
  const { report } = await quantizeStatic({
    modelInput: model('if_only.onnx'),
    calibrationDataReader: [{ flag }],
  });
  assert.equal(report.nodesQuantized.length, 0);
  assert.ok(
    report.diagnostics.some((d) => d.severity === 'warning' && d.code === 'NOTHING_QUANTIZED'),
  );
});

test('a calibration cache of the reference takes the place of samples', async () => {
  const withCache = await quantizeStatic({
    modelInput: model('classifier.onnx'),
    calibrationCachePath: model('classifier_ranges.json'),
    quantFormat: 'QDQ',
  });
  assert.equal(withCache.report.calibration.source, 'cache');
  assert.deepEqual(
    { samples: withCache.report.quality.samples, loaded: withCache.report.quality.loaded },
    { samples: 0, loaded: true },
  );
});

test('a cache is written once and read the next time; its ranges repeat the result', async () => {
  const cache = path.join(temporaryFolder(), 'new', 'cache.json');
  const options = { modelInput: model('classifier.onnx'), calibrationCachePath: cache };
  const first = await quantizeStatic({ ...options, calibrationDataReader: imageSamples(3) });
  assert.equal(fs.readFileSync(cache, 'utf8'), first.report.calibrationCache);
  const second = await quantizeStatic(options);
  assert.deepEqual(second.model, first.model);
  const third = await quantizeStatic({
    modelInput: model('classifier.onnx'),
    calibrationCache: first.report.calibrationCache,
    calibrationDataReader: imageSamples(3),
  });
  assert.equal(third.report.quality.samples, 3);
  assert.deepEqual(third.model, first.model);
});

test('a cache made with SmoothQuant is made again, with a warning; without samples it is refused', async () => {
  const cache = path.join(temporaryFolder(), 'cache.json');
  const text = fs.readFileSync(model('classifier_ranges.json'), 'utf8');
  fs.writeFileSync(cache, text.replace('"smooth_quant": false', '"smooth_quant": true'));
  const options = { modelInput: model('classifier.onnx'), calibrationCachePath: cache };
  await rejects(options, 'INVALID_OPTION', /SmoothQuant/);
  const { report } = await quantizeStatic({ ...options, calibrationDataReader: imageSamples(2) });
  assert.equal(report.calibration.source, 'data');
  assert.ok(
    report.diagnostics.some((d) => d.severity === 'warning' && /SmoothQuant/.test(d.message)),
  );
  assert.match(fs.readFileSync(cache, 'utf8'), /"smooth_quant": false/);
});

test('a cache of another method, and neither samples nor cache, are refused', async () => {
  const cache = path.join(temporaryFolder(), 'cache.json');
  const options = { modelInput: model('classifier.onnx'), calibrationCachePath: cache };
  await rejects(options, 'INVALID_OPTION', /does not exist/);
  const text = fs.readFileSync(model('classifier_ranges.json'), 'utf8');
  fs.writeFileSync(cache, text.replace('Method.MinMax', 'Method.Entropy'));
  await rejects(options, 'INVALID_OPTION', /Entropy.*MinMax/);
});

test('a sample that does not fit is named, and nothing is written', async () => {
  const folder = temporaryFolder();
  const samples = imageSamples(3);
  samples[2] = { image: { type: 'float32', dims: [1, 3, 8, 9], data: new Float32Array(216) } };
  await rejects(
    {
      modelInput: model('classifier.onnx'),
      modelOutput: path.join(folder, 'out.onnx'),
      calibrationDataReader: samples,
    },
    'INVALID_DATA',
    /input 'image' expects float32 \[N,3,8,8\], sample 3 has float32 \[1,3,8,9\]/,
  );
  assert.deepEqual(fs.readdirSync(folder), []);
});

test('options are checked before anything is read', async () => {
  const options = { modelInput: 'does-not-exist.onnx', calibrationDataReader: imageSamples(1) };
  await rejects({ ...options, perChanel: true }, 'INVALID_OPTION', /perChanel/);
  await rejects({ ...options, extraOptions: { CalibPercentile: 9 } }, 'UNSUPPORTED_OPTION');
  await rejects({ ...options, modelOutput: '/no/such/folder/x.onnx' }, 'OUTPUT_NOT_WRITABLE');
  await rejects(options, 'FILE_NOT_FOUND', /does-not-exist/);
});

test('unknown node names and op types are errors with near matches', async () => {
  const options = { modelInput: model('classifier.onnx'), calibrationDataReader: imageSamples(1) };
  for (const [key, value, near] of [
    ['nodesToExclude', 'conv3', /conv1|conv2/],
    ['nodesToQuantize', 'gem', /gemm/],
    ['opTypesToQuantize', 'Convv', /Conv/],
  ] as const) {
    await assert.rejects(quantizeStatic({ ...options, [key]: [value] }), (error) => {
      assert.ok(error instanceof QuantizeError);
      assert.equal(error.code, 'INVALID_OPTION');
      assert.match(`${error.message} ${error.hint}`, near);
      return true;
    });
  }
});

test('QInt8 activations with QUInt8 weights are refused before any work', async () => {
  await assert.rejects(
    quantizeStatic({
      modelInput: model('classifier.onnx'),
      calibrationDataReader: imageSamples(1),
      activationType: 'QInt8',
      weightType: 'QUInt8',
    }),
    (error) => error instanceof QuantizeError && /QInt8 activations/.test(error.message),
  );
});

test('nodes to exclude stay float, with the reason', async () => {
  const { report } = await quantizeStatic({
    modelInput: model('classifier.onnx'),
    calibrationDataReader: imageSamples(2),
    nodesToExclude: ['gemm'],
  });
  const left = report.nodesLeftFloat.find((node) => node.name === 'gemm');
  assert.ok(left && left.reason.length > 0);
});

test('cancelling between samples ends the run with the reason and without a file', async () => {
  const folder = temporaryFolder();
  const controller = new AbortController();
  let given = 0;
  const calibrationDataReader = {
    getNext() {
      if (++given === 3) controller.abort();
      return imageSamples(1)[0];
    },
  };
  await assert.rejects(
    quantizeStatic({
      modelInput: model('classifier.onnx'),
      modelOutput: path.join(folder, 'out.onnx'),
      calibrationDataReader,
      signal: controller.signal,
    }),
    { name: 'AbortError' },
  );
  assert.equal(given, 3);
  assert.deepEqual(fs.readdirSync(folder), []);
});

test('the data of the float model is never overwritten', async () => {
  const folder = temporaryFolder();
  const modelInput = path.join(folder, 'a.onnx');
  const data = path.join(folder, 'external.onnx.data');
  fs.copyFileSync(model('external.onnx'), modelInput);
  fs.copyFileSync(model('external.onnx.data'), data);
  const before = fs.readFileSync(data);
  await rejects(
    {
      modelInput,
      modelOutput: path.join(folder, 'external.onnx'),
      calibrationDataReader: imageSamples(1),
      useExternalDataFormat: true,
    },
    'INVALID_OPTION',
    /overwrite/,
  );
  assert.deepEqual(fs.readdirSync(folder).sort(), ['a.onnx', 'external.onnx.data']);
  assert.ok(fs.readFileSync(data).equals(before));
});

test('cancelling after the result was written removes it', async () => {
  const folder = temporaryFolder();
  const controller = new AbortController();
  await assert.rejects(
    quantizeStatic({
      modelInput: model('classifier.onnx'),
      modelOutput: path.join(folder, 'out.onnx'),
      calibrationDataReader: imageSamples(2),
      useExternalDataFormat: true,
      signal: controller.signal,
      onProgress: ({ stage }) => stage === 'verify' && controller.abort(),
    }),
    { name: 'AbortError' },
  );
  assert.deepEqual(fs.readdirSync(folder), []);
});

test('progress goes through the stages in order and counts the samples', async () => {
  const events: Progress[] = [];
  await quantizeStatic({
    modelInput: model('classifier.onnx'),
    calibrationDataReader: imageSamples(5),
    onProgress: (event) => events.push(event),
  });
  const stages = [...new Set(events.map(({ stage }) => stage))];
  assert.deepEqual(stages, ['load', 'prepare', 'calibrate', 'quantize', 'verify']);
  const samples = events.filter(({ stage, done }) => stage === 'calibrate' && done > 0);
  assert.deepEqual(
    samples.map(({ done, total }) => [done, total]),
    [1, 2, 3, 4, 5].map((done) => [done, 5]),
  );
  assert.equal(samples[4]?.secondsLeft, 0);
});

test('quantPreProcess writes the prepared float model', async () => {
  const target = path.join(temporaryFolder(), 'prepared.onnx');
  const { model: written, report } = await quantPreProcess({
    modelInput: model('ir3.onnx'),
    modelOutput: target,
  });
  assert.equal(written, target);
  assert.equal(report.opsetBefore, 7);
  assert.ok(report.opsetAfter >= 13);
  const { report: next } = await quantizeStatic({
    modelInput: target,
    calibrationDataReader: imageSamples(2),
  });
  assert.ok((next.quality.sqnr ?? 0) > 20);
});

test('every extra option that is said to be available is taken by the core', async () => {
  const values: Record<string, unknown> = {
    number: 0.001,
    integer: 1,
    enum: 'p3',
    strings: ['Conv'],
    axes: { MatMul: 1 },
    overrides: { image: [{ rmin: -1, rmax: 1 }] },
  };
  const usable: Record<string, number> = {
    CalibPercentile: 99.9,
    num_bins: 512,
    num_quantized_bins: 64,
  };
  for (const [name, spec] of Object.entries(extraOptions)) {
    if (spec.later) continue;
    const byKind = spec.kind === 'boolean' ? spec.default !== true : values[spec.kind];
    const value = usable[name] ?? byKind;
    const { report } = await quantizeStatic({
      modelInput: model('classifier.onnx'),
      calibrationDataReader: imageSamples(1),
      calibrateMethod: spec.methods?.[0] ?? 'MinMax',
      quantFormat: spec.format ?? 'QDQ',
      weightType: 'QInt8',
      opTypesToQuantize: name === 'BlockSize' ? ['Gemm'] : [], // weights of rank 2
      extraOptions: { [name]: value },
    });
    assert.equal(report.quality.loaded, true, name);
    assert.ok((report.quality.sqnr ?? 0) > 10, `${name}: SQNR ${report.quality.sqnr}`);
  }
});

for (const quantFormat of ['QOperator', 'QDQ'] as const) {
  for (const runtime of ['node', 'web'] as const) {
    test(`${quantFormat}, ${runtime}: a model whose only output is a sequence is quantized`, async () => {
      const { report } = await quantizeStatic({
        modelInput: model('sequence.onnx'),
        calibrationDataReader: [1, 2].map((seed) => ({
          x: { type: 'float32', dims: [1, 8], data: noise(8, seed) },
        })),
        quantFormat,
        runtime,
      });
      assert.deepEqual(
        report.nodesQuantized.map(({ name }) => name),
        ['matmul'],
      );
      assert.deepEqual([report.quality.loaded, report.quality.outputs], [true, []]);
    });
  }
}

test('samples that are NaN throughout quantize nothing, and that is said', async () => {
  const { report } = await quantizeStatic({
    modelInput: model('classifier.onnx'),
    calibrationDataReader: [
      {
        image: {
          type: 'float32',
          dims: [1, 3, 8, 8],
          data: new Float32Array(192).fill(Number.NaN),
        },
      },
    ],
  });
  const codes = report.diagnostics.map(({ code }) => code);
  assert.ok(codes.includes('NAN_IN_TENSOR') && codes.includes('NOTHING_QUANTIZED'), codes.join());
});
