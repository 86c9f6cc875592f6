// What the fuzzers drive, from where it is built: the one list of inner modules, with the files
// whose coverage is measured.

export { crc32 } from '#dist/base/crc32.js';
export { QuantizeError } from '#dist/base/errors.js';
export { Reason } from '#dist/base/inputs.js';
export type { Feeds, ModelSummary, SampleSource, ValueSummary } from '#dist/base/types.js';
export { formatState, parseState } from '#dist/calibration/calibration-state.js';
export { formatCalibrationCache } from '#dist/calibration/files/calibration-cache.js';
export { calibrationTables } from '#dist/calibration/files/calibration-tables.js';
export { readRanges } from '#dist/calibration/files/read-ranges.js';
export { tensorRtCache } from '#dist/calibration/files/tensorrt-cache.js';
export { mergeRanges } from '#dist/calibration/merge-states.js';
export { CoreCalibration } from '#dist/core/calibration.js';
export { ModelFiles } from '#dist/core/host-files.js';
export { loadCore } from '#dist/core/load.js';
export { formatRanges } from '#dist/core/ranges.js';
export { CoreSession } from '#dist/core/session.js';
export {
  datasetReader,
  imageReader,
  npyReader,
  npzReader,
  pbReader,
  wavReader,
} from '#dist/index.js';
export { calibrateOptions } from '#dist/options/calibrate.js';
export { formatConfig, parseConfig } from '#dist/options/config-file.js';
export { coreOptions, rangeOptions } from '#dist/options/core-options.js';
export { quantizeStaticOptions } from '#dist/options/quantize-static.js';
export { checkCalibrate, checkQuantizeStatic } from '#dist/options/validate.js';
export { MemoryInput } from '#dist/platform/memory-input.js';
export { readNpyHeader } from '#dist/samples/arrays/npy.js';
export { readTensorProto } from '#dist/samples/arrays/tensor-proto.js';
export { readZip, ZipStream } from '#dist/samples/files/zip.js';
export { decodeImage } from '#dist/samples/images/decode.js';
export { parsePreprocess } from '#dist/samples/images/preprocess.js';

/** Under dist. */
export const readerFiles = {
  zip: ['samples/files/zip.js', 'samples/files/zip-files.js'],
  npy: ['samples/arrays/npy.js', 'samples/arrays/npy-reader.js', 'samples/arrays/sample-array.js'],
  npz: ['samples/arrays/npz.js'],
  pb: ['samples/arrays/pb.js', 'samples/arrays/tensor-proto.js'],
  png: ['samples/images/png.js', 'samples/images/decode.js'],
  jpeg: ['samples/images/jpeg.js'],
  wav: ['samples/sounds/wav.js', 'samples/sounds/wav-format.js'],
  images: ['samples/images/images.js', 'samples/images/image-tensors.js'],
  cache: [
    'calibration/files/calibration-cache.js',
    'calibration/files/read-ranges.js',
    'calibration/files/tensorrt-cache.js',
  ],
  state: ['calibration/calibration-state.js', 'calibration/merge-states.js'],
  configuration: [
    'options/config-file.js',
    'options/validate.js',
    'options/kinds.js',
    'options/tensor-quant-overrides.js',
    'samples/images/preprocess.js',
  ],
  model: ['core/host-files.js', 'core/session.js', 'core/load.js'],
} as const;
