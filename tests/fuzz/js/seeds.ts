// Well-formed inputs to start from: the small fixtures, and what the fixtures do not have, made
// here.
import fs from 'node:fs';
import path from 'node:path';
import { zipSync } from 'fflate';
import { counting, npy } from '../../js/support/npy.js';
import {
  CoreCalibration,
  calibrationTables,
  checkCalibrate,
  formatCalibrationCache,
  formatState,
  loadCore,
  rangeOptions,
  tensorRtCache,
} from './modules.js';

const largestSeed = 16384;

/** Files under tests/fixtures whose names end in one of `endings`, sorted by path. */
function fixtures(folder: string, ...endings: string[]): Uint8Array[] {
  const root = path.join('tests/fixtures', folder);
  return fs
    .readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .sort()
    .map((name) => new Uint8Array(fs.readFileSync(path.join(root, name))))
    .filter((bytes) => bytes.length <= largestSeed);
}

const text = (content: string) => new Uint8Array(Buffer.from(content));
const json = (value: unknown) => text(JSON.stringify(value));

/** One array of each type, and of the orders and versions that the format has. */
function arrays(): Uint8Array[] {
  const types: [string, ArrayBufferView][] = [
    ['<f4', Float32Array.of(1, 2, 3, 4)],
    ['>f8', Float64Array.of(1, 2, 3, 4)],
    ['|u1', Uint8Array.of(1, 2, 3, 4)],
    ['|b1', Uint8Array.of(1, 0, 1, 0)],
    ['<i8', BigInt64Array.of(1n, 2n, 3n, 4n)],
    ['>i2', Int16Array.of(1, 2, 3, 4)],
    ['<f2', Uint16Array.of(1, 2, 3, 4)],
    ['<U2', Uint32Array.of(97, 0, 98, 99, 0x1f600, 0, 0, 0)],
    ['|S1', Uint8Array.of(97, 98, 99, 0)],
  ];
  const made = types.map(([type, data]) => npy(type, [2, 2], data));
  const fortran = Buffer.from(
    Buffer.from(made[0]!).toString('latin1').replace('False,', 'True, '),
    'latin1',
  );
  const version2 = Buffer.concat([
    Buffer.from('\x93NUMPY\x02\x00\x76\x00\x00\x00', 'latin1'),
    Buffer.from(made[0]!).subarray(10),
  ]);
  return [...made, fortran, version2, counting([3]), counting([])].map(
    (array) => new Uint8Array(array),
  );
}

/** Stored and deflated entries, folders, hidden files, an .npz within. */
function zips(): Uint8Array[] {
  const x = counting([1, 3]);
  const png = fs.readFileSync('tests/fixtures/image/tiny_interlaced.png');
  return [
    zipSync({ 'x.npy': x }, { level: 0 }),
    zipSync({ 'a.npy': x, 'b/c.npy': counting([2, 3]), '.hidden': x, '__MACOSX/a.npy': x }),
    zipSync({ 'a.npz': zipSync({ 'x.npy': x }), 'b.npz': [zipSync({ 'x.npy': x }), { level: 0 }] }),
    zipSync({ 'a/1.png': png, 'a\\2.png': png }),
    zipSync({
      'test_data_set_0/input_0.pb': fs.readFileSync('tests/fixtures/readers/tensors/float_raw.pb'),
    }),
    zipSync({ 'a.bin': new Uint8Array(Float32Array.of(1, 2, 3).buffer) }),
    ...fixtures('image', '.npz'),
  ];
}

const ranges = { x: [-1, 2], 'conv/output:0': [-0.5, 6.25] } as Record<string, [number, number]>;

function caches(): Uint8Array[] {
  const tables = calibrationTables(ranges);
  return [
    ...fixtures('.', 'calibration_cache.json', 'calibration_cache_scalars.json'),
    ...fixtures('calibration/tables', '.json'),
    text(tables['calibration.json']),
    text(tensorRtCache(ranges, 'Entropy')),
    text(formatCalibrationCache({ method: 'auto', smoothQuant: true, ranges })),
    text(
      formatCalibrationCache({
        method: 'Distribution',
        smoothQuant: false,
        ranges: { x: [-1, 2, 0.5, 0.25] },
      }),
    ),
  ];
}

/** Of each method, in each pass, as one state and as a shard. */
async function states(): Promise<Uint8Array[]> {
  const made: Uint8Array[] = [];
  for (const method of ['MinMax', 'Entropy', 'Percentile', 'Distribution', 'MSE', 'auto']) {
    const bins = ['Entropy', 'Percentile'].includes(method) && { extra_options: { num_bins: 16 } };
    const given = { model_input: 'm.onnx', calibrate_dataset: 'samples', calibrate_method: method };
    const options = rangeOptions(checkCalibrate({ ...given, ...bins }, await loadCore()));
    const tensors = ['a', 'b'].map((name) => ({ name, half: false, channels: 1 }));
    const calibration = await CoreCalibration.create(options, tensors);
    try {
      for (let pass = 0; calibration.pass !== ''; pass++) {
        if (calibration.pass === 'ranges') {
          calibration.observeRanges(Float32Array.of(-1, 2, 1, -3, 4, 1));
        } else {
          for (const tensor of [0, 1]) calibration.observeTensor(tensor, Float32Array.of(-1, 0, 3));
        }
        const collected = JSON.parse(calibration.save());
        const state = {
          model: '01234567-890',
          options,
          tensors,
          holdOut: 0,
          heldInRanges: false,
          groups: null,
          group: 0,
          done: 1,
          collected,
        };
        made.push(text(formatState({ ...state, complete: true })));
        if (pass === 0) {
          const shard = { index: 0, count: 2 };
          const groups = [[0], [1]];
          made.push(text(formatState({ ...state, shard, groups, complete: false })));
        }
        calibration.endPass();
      }
    } finally {
      calibration.dispose();
    }
  }
  return made;
}

function configurations(): Uint8Array[] {
  return [
    json({ model_input: 'm.onnx', model_output: 'q.onnx', calibrate_dataset: 'samples' }),
    json({
      model_input: 'm.onnx',
      model_output: 'q.onnx',
      calibration_cache_path: 'c.json',
      quant_format: 'QOperator',
      op_types_to_quantize: ['Conv', 'MatMul'],
      per_channel: true,
      reduce_range: true,
      activation_type: 'QUInt8',
      weight_type: 'QInt8',
      nodes_to_exclude: ['a'],
      calibrate_method: 'Percentile',
      extra_options: { CalibPercentile: 99.9, ActivationSymmetric: true, WeightSymmetric: null },
      preprocess: { mean: [1, 2, 3], std: 58, size: '320x240', order: 'bgr' },
    }),
    json({
      model_input: 'm.onnx',
      model_output: 'q.onnx',
      calibrate_dataset: ['a.png', 'b.png'],
      preprocess: 'imagenet size=224 mode=letterbox layout=NHWC',
      calibrate_method: 'Entropy',
      extra_options: { num_bins: 128, num_quantized_bins: 64 },
      calibration_state: 's.json',
    }),
    json({
      model_input: 'm.onnx',
      model_output: 'q.onnx',
      calibrate_dataset: 'samples',
      profile: 'qnn',
      extra_options: {
        AddQDQPairToWeight: true,
        QDQOpTypePerChannelSupportToAxis: { MatMul: 1 },
        TensorQuantOverrides: {
          w: [{ quant_type: 'QInt8', symmetric: true, axis: 0, rmin: -1, rmax: 2 }],
          t: [
            {
              quant_type: 'QUInt16',
              scale: 0.5,
              zero_point: 3,
              convert: { quant_type: 'QUInt8', recv_nodes: ['n'] },
            },
          ],
        },
      },
    }),
  ];
}

export const seedsOf = {
  zip: zips,
  npy: arrays,
  npz: () => [
    zipSync({ 'x.npy': counting([2, 3]), 'y.npy': counting([2, 1]) }),
    zipSync({ 'x.npy': counting([3, 3]), 'y.npy': counting([3]) }, { level: 0 }),
    ...fixtures('image', '.npz'),
  ],
  pb: () => fixtures('readers', '.pb'),
  png: () => fixtures('image', '.png'),
  jpeg: () => fixtures('image', '.jpg'),
  wav: () => fixtures('readers', '.wav'),
  images: () => fixtures('image', '.png', '.jpg'),
  cache: caches,
  state: states,
  configuration: configurations,
  model: () => fixtures('.', '.onnx'),
} as const;
