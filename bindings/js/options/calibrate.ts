// The parameters of calibrate and of merge_ranges: those that ranges depend on, and where ranges
// go.
import { quantizeStaticOptions } from './quantize-static.js';
import { type CheckedOf, groups, type OptionSpec, without } from './spec.js';

/** Where calibrate and merge_ranges write. */
const rangeFiles = [
  {
    name: 'ranges',
    kind: 'path',
    default: null,
    for: ['command'],
    group: groups.files,
    aliases: ['o'],
    help: 'the calibration cache that is written: JSON of tensor ranges, for calibration_cache_path',
  },
  {
    name: 'tables',
    kind: 'path',
    default: null,
    for: ['command'],
    group: groups.files,
    help: 'folder for calibration.json, calibration.cache and calibration.flatbuffers',
  },
  {
    name: 'tensorrt_cache',
    kind: 'path',
    default: null,
    for: ['command'],
    group: groups.files,
    help: "the ranges as TensorRT's calibration cache",
  },
] as const satisfies readonly OptionSpec[];

/** Ranges alone are the same whatever the effort. */
const rangeOptions = without(quantizeStaticOptions, 'quantize').map((spec) =>
  spec.name === 'effort' ? { ...spec, default: 'none' as const } : spec,
);

/** Parameters of calibrate: those that ranges depend on, and where they go. */
export const calibrateOptions = [
  ...rangeOptions,
  ...rangeFiles,
  {
    name: 'calib_per_channel',
    kind: 'boolean',
    default: false,
    for: ['core', 'ranges'],
    methods: ['MinMax'],
    group: groups.calibration,
    help: "MinMax: a range for each channel (axis 1), as the reference's create_calibrator gives with per_channel; for other tools",
  },
  {
    name: 'shard',
    kind: 'string',
    default: null,
    for: ['run'],
    group: groups.calibration,
    help: 'i/n: only every nth sample from number i on, one pass; merge-ranges puts the n states together',
  },
  {
    name: 'calibration_state',
    kind: 'path',
    default: null,
    for: ['command'],
    group: groups.calibration,
    help: 'where a shard or a cancelled run keeps what it collected; "<ranges>.calibration_state" where absent',
    api: 'onCalibrationState, which receives its text',
  },
] as const satisfies readonly OptionSpec[];

/** Parameters of merge_ranges. */
export const mergeRangesOptions = [
  {
    name: 'calibration_state',
    kind: 'paths',
    default: null,
    for: ['command'],
    group: groups.files,
    help: 'the calibration states of all shards',
  },
  ...rangeFiles,
] as const satisfies readonly OptionSpec[];

export type CheckedCalibrate = CheckedOf<typeof calibrateOptions>;
export type CheckedMerge = CheckedOf<typeof mergeRangesOptions>;
