// What the fuzzers drive, from where it is built: the one list of inner modules, with the files
// whose coverage is measured (targets.ts names them by these keys).

export { formatCalibrationCache } from '#dist/calibration/calibration-cache.js';
export { formatState, parseState } from '#dist/calibration/calibration-state.js';
export { calibrationTables } from '#dist/calibration/calibration-tables.js';
export { mergeRanges } from '#dist/calibration/merge-states.js';
export { readRanges } from '#dist/calibration/read-ranges.js';
export { tensorRtCache } from '#dist/calibration/tensorrt-cache.js';
export { formatConfig, parseConfig } from '#dist/config-file.js';
export { CoreCalibration, CoreSession, formatRanges, parseRanges } from '#dist/core.js';
export { crc32 } from '#dist/crc32.js';
export { decodeImage } from '#dist/decode/decode.js';
export { QuantizeError } from '#dist/errors.js';
export { ModelFiles } from '#dist/host-files.js';
export {
  datasetReader,
  imageReader,
  npyReader,
  npzReader,
  pbReader,
  wavReader,
} from '#dist/index.js';
export { MemoryInput } from '#dist/platform/memory-input.js';
export { parsePreprocess } from '#dist/preprocess.js';
export { readNpyHeader } from '#dist/readers/npy.js';
export { readTensorProto } from '#dist/readers/tensor-proto.js';
export { readZip, ZipStream } from '#dist/readers/zip.js';
export { calibrateOptions, quantizeStaticOptions } from '#dist/schema.js';
export type { Feeds, ModelSummary, SampleSource, ValueSummary } from '#dist/types.js';
export { checkCalibrate, checkQuantizeStatic, coreOptions } from '#dist/validate.js';

/** Under dist. */
export const readerFiles = {
  zip: ['readers/zip.js', 'readers/zip-files.js'],
  npy: ['readers/npy.js', 'readers/npy-reader.js', 'readers/sample-array.js'],
  npz: ['readers/npz.js'],
  pb: ['readers/pb.js', 'readers/tensor-proto.js'],
  png: ['decode/png.js', 'decode/decode.js'],
  jpeg: ['decode/jpeg.js'],
  wav: ['readers/wav.js', 'readers/wav-format.js'],
  images: ['readers/images.js', 'readers/image-tensors.js'],
  cache: [
    'calibration/calibration-cache.js',
    'calibration/read-ranges.js',
    'calibration/tensorrt-cache.js',
  ],
  state: ['calibration/calibration-state.js', 'calibration/merge-states.js'],
  configuration: ['config-file.js', 'validate.js', 'tensor-quant-overrides.js', 'preprocess.js'],
  model: ['host-files.js', 'core.js'],
} as const;
