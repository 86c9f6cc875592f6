// Whether ranges come from a calibration cache or from samples, decided before any work.

import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';
import type { Diagnostic } from '../base/types.js';
import type { QuantizeSource } from '../options/api.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import type { Platform } from '../platform/platform.js';
import type { CalibrationCache } from './files/calibration-cache.js';
import { readRanges } from './files/read-ranges.js';

export interface CachePlan {
  /** Ranges to use as they are; null: calibrate. */
  cached: CalibrationCache | null;
  /** Where calibrated ranges are written; null: nowhere. */
  writeTo: string | null;
  diagnostics: Diagnostic[];
}

/**
 * Reads the cache, where there is one. Throws INVALID_OPTION where it was made by another method,
 * or where there are neither samples nor a cache.
 */
export function planCache(
  source: QuantizeSource,
  checked: CheckedStatic,
  platform: Platform<unknown>,
): CachePlan {
  const path = checked.calibration_cache_path;
  if (path !== null && !platform.readText) {
    throw new QuantizeError('INVALID_OPTION', 'calibrationCachePath: there are no files here', {
      hint: 'pass the text of the file as calibrationCache',
    });
  }
  const hasData = source.calibrationDataReader != null;
  const label = path ?? 'calibrationCache';
  const text = source.calibrationCache ?? (path === null ? null : platform.readText?.(path));
  const noData = (message: string) =>
    new QuantizeError('INVALID_OPTION', message, {
      hint: 'give samples (--calibrate_dataset), or a calibration cache that exists',
    });
  if (text === null || text === undefined) {
    if (!hasData) {
      throw noData(
        path === null
          ? 'there is nothing to calibrate with'
          : `there is nothing to calibrate with: ${path} does not exist and there are no samples`,
      );
    }
    if (path !== null) platform.checkWritable?.(path, 'calibration_cache_path');
    return { cached: null, writeTo: path, diagnostics: [] };
  }
  const cached = readRanges(text, label);
  const smoothQuant = checked.extra_options.SmoothQuant === true;
  if (cached.smoothQuant !== smoothQuant) {
    const message = `${label} was made with SmoothQuant ${cached.smoothQuant ? 'on' : 'off'} and this run has it ${smoothQuant ? 'on' : 'off'}`;
    if (!hasData) throw noData(message);
    const again = `${message}: calibrating again and writing it again`;
    return {
      cached: null,
      writeTo: path,
      diagnostics: [{ severity: 'warning', code: 'CACHE_SMOOTH_QUANT', message: again }],
    };
  }
  if (cached.method !== null && cached.method !== checked.calibrate_method) {
    throw new QuantizeError(
      'INVALID_OPTION',
      say`${label} was made with calibrate_method ${cached.method} and this run asks for ${checked.calibrate_method}`,
      { hint: 'delete it, or ask for the method that it was made with' },
    );
  }
  return { cached, writeTo: null, diagnostics: [] };
}
