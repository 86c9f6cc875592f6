// Tensor ranges from a file, whichever of the formats it has: the reference's calibration cache,
// its calibration.json, or TensorRT's calibration cache.
import {
  type CalibrationCache,
  parseCalibrationCache,
  parseCalibrationJson,
} from './calibration-cache.js';
import { isTensorRtCache, parseTensorRtCache } from './tensorrt-cache.js';

/** `method` is null where the format does not tell it. Throws INVALID_CACHE. */
export function readRanges(text: string, label: string): CalibrationCache {
  if (isTensorRtCache(text)) {
    return { method: null, smoothQuant: false, ranges: parseTensorRtCache(text, label) };
  }
  return parseCalibrationJson(text, label) ?? parseCalibrationCache(text, label);
}
