// The calibration cache of the reference (onnxruntime 1.32, calibration_cache_path): tensor ranges as
// JSON, written here as Python's json module writes it, so that either tool reads the other's file.
import type { TensorRanges } from './core.js';
import { QuantizeError } from './errors.js';

export interface CalibrationCache {
  /** 'MinMax', 'Entropy', … */
  method: string;
  smoothQuant: boolean;
  ranges: TensorRanges;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Reads a cache. `label`: what errors call the file. Throws INVALID_CACHE. */
export function parseCalibrationCache(text: string, label: string): CalibrationCache {
  const invalid = (message: string, hint?: string) =>
    new QuantizeError('INVALID_CACHE', `${label}: ${message}`, hint ? { hint } : {});
  let root: Json;
  try {
    root = JSON.parse(text);
  } catch {
    const notFinite = /\b(NaN|-?Infinity)\b/.test(text);
    throw invalid(
      notFinite ? 'a range is not finite' : 'not a JSON file',
      notFinite ? 'a calibration sample held NaN or infinity: calibrate again' : undefined,
    );
  }
  if (!isObject(root) || root.CLS !== 'TensorsData' || !isObject(root.data)) {
    throw invalid('not a calibration cache (TensorsData)');
  }
  const ranges: TensorRanges = {};
  for (const [tensor, entry] of Object.entries(root.data)) {
    if (!isObject(entry)) throw invalid(`the entry of tensor "${tensor}" is not an object`);
    const low = rangeValue(entry.lowest);
    const high = rangeValue(entry.highest);
    if (low === null || high === null) {
      throw invalid(`tensor "${tensor}" has no single lowest and highest value`);
    }
    const deviation = rangeValue(entry.std); // Distribution has it, for float8 scales
    ranges[tensor] =
      deviation === null ? [low, high] : [low, high, deviation, rangeValue(entry.avg) ?? 0];
  }
  return {
    method: methodName(root.calibration_method) ?? 'unknown',
    smoothQuant: root.smooth_quant === true,
    ranges,
  };
}

/** The text of a cache file, in the reference's own format. */
export function formatCalibrationCache({ method, smoothQuant, ranges }: CalibrationCache): string {
  const array = (value: number) =>
    `{"data": [${pythonFloat(value)}], "dtype": "float32", "CLS": "numpy.array"}`;
  const tensors = Object.entries(ranges).map(([tensor, [low, high, deviation, mean]]) => {
    const moments =
      deviation === undefined
        ? ''
        : `"avg": ${array(mean as number)}, "std": ${array(deviation)}, `;
    const ends = `"lowest": ${array(low)}, "highest": ${array(high)}`;
    return `${pythonString(tensor)}: {${moments}${ends}, "CLS": "TensorData"}`;
  });
  const calibrationMethod = `{"CLS": "CalibrationMethod", "value": "CalibrationMethod.${method}"}`;
  return (
    `{"CLS": "TensorsData", "data": {${tensors.join(', ')}}, ` +
    `"calibration_method": ${calibrationMethod}, "smooth_quant": ${smoothQuant}}`
  );
}

const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A number, or an array that holds one; of any nesting. */
function rangeValue(value: Json | undefined): number | null {
  if (typeof value === 'number') return value;
  if (isObject(value)) return rangeValue(value.data);
  return Array.isArray(value) && value.length === 1 ? rangeValue(value[0]) : null;
}

/** The member's name, from {CLS, value: "CalibrationMethod.MinMax"} or from its number. */
function methodName(value: Json | undefined): string | null {
  if (isObject(value)) return methodName(value.value);
  if (typeof value === 'string') return value.split('.').pop() as string;
  const members = ['MinMax', 'Entropy', 'Percentile', 'Distribution'];
  return typeof value === 'number' ? (members[value] ?? null) : null;
}

/** repr() of a Python float: always with a point or an exponent, the exponent of two digits from 1e16 and under 1e-4. */
export function pythonFloat(value: number): string {
  if (!Number.isFinite(value))
    return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
  if (Object.is(value, -0)) return '-0.0';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude >= 1e16 || magnitude < 1e-4)) {
    return value
      .toExponential()
      .replace(
        /e([+-])(\d+)$/,
        (_, sign: string, digits: string) => `e${sign}${digits.padStart(2, '0')}`,
      );
  }
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** json.dumps of a string: everything outside ASCII as \uXXXX. */
function pythonString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
