// The calibration cache of the reference (onnxruntime 1.32, calibration_cache_path): tensor ranges
// as JSON, written here as Python's json module writes it, so that either tool reads the other's
// file.

import { QuantizeError } from '../../base/errors.js';
import { say } from '../../base/text.js';
import type { RangesByChannel, TensorRanges } from '../../base/types.js';

export interface CalibrationCache {
  /** 'MinMax', 'Entropy', …; null where the file does not tell. */
  method: string | null;
  smoothQuant: boolean;
  ranges: TensorRanges;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const invalidCache = (label: string, message: string, hint?: string) =>
  new QuantizeError('INVALID_CACHE', say`${label}: ${message}`, hint ? { hint } : {});

function parseJson(text: string, label: string): Json {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof RangeError) throw invalidCache(label, 'it is nested too deeply');
    const notFinite = /\b(NaN|-?Infinity)\b/.test(text);
    throw invalidCache(
      label,
      notFinite ? 'a range is not finite' : 'not a JSON file',
      notFinite ? 'a calibration sample held NaN or infinity: calibrate again' : undefined,
    );
  }
}

/** Reads a cache. `label`: what errors call the file. Throws INVALID_CACHE. */
export function parseCalibrationCache(
  text: string,
  label: string,
): CalibrationCache & { method: string } {
  const root = parseJson(text, label);
  if (!isObject(root) || root.CLS !== 'TensorsData' || !isObject(root.data)) {
    throw invalidCache(label, 'not a calibration cache (TensorsData)');
  }
  // MSE and auto are not the reference's: it reads their ranges as those of MinMax.
  const method = typeof root.method === 'string' ? root.method : null;
  return {
    method: method ?? methodName(root.calibration_method) ?? 'unknown',
    smoothQuant: root.smooth_quant === true,
    ranges: readTensors(root.data, label),
  };
}

/** Reads the reference's calibration.json: the tensors alone. null where it is something else. */
export function parseCalibrationJson(text: string, label: string): CalibrationCache | null {
  const root = parseJson(text, label);
  if (!isObject(root)) return null;
  const entries = Object.values(root);
  const isTensors = (entry: Json) => isObject(entry) && entry.CLS === 'TensorData';
  if (entries.length === 0 || !entries.every(isTensors)) return null;
  return { method: null, smoothQuant: false, ranges: readTensors(root, label) };
}

function readTensors(data: { [key: string]: Json }, label: string): TensorRanges {
  const ranges = Object.entries(data).map(([tensor, entry]): [string, TensorRanges[string]] => {
    if (!isObject(entry)) {
      throw invalidCache(label, `the entry of tensor "${tensor}" is not an object`);
    }
    // Several values are ranges by channel: the widest of them.
    const lowest = numbersIn(entry.lowest);
    const highest = numbersIn(entry.highest);
    if (lowest.length === 0 || lowest.length !== highest.length) {
      throw invalidCache(label, `tensor "${tensor}" has no lowest and highest value`);
    }
    const low = lowest.reduce((a, b) => Math.min(a, b));
    const high = highest.reduce((a, b) => Math.max(a, b));
    const [deviation] = numbersIn(entry.std); // Distribution has it, for float8 scales
    const ends: [number, number] = [low, high];
    return [
      tensor,
      deviation === undefined ? ends : [...ends, deviation, numbersIn(entry.avg)[0] ?? 0],
    ];
  });
  return Object.fromEntries(ranges); // so that a tensor may be named __proto__
}

/** The text of a cache file, in the reference's own format. */
export function formatCalibrationCache({
  method,
  smoothQuant,
  ranges,
}: Omit<CalibrationCache, 'ranges'> & {
  method: string;
  ranges: TensorRanges | RangesByChannel;
}): string {
  const tensors = Object.entries(ranges).map(
    ([tensor, range]) => `${pythonString(tensor)}: ${tensorDataJson(range)}`,
  );
  const own = !members.includes(method);
  const known = own ? 'MinMax' : method;
  const calibrationMethod = `{"CLS": "CalibrationMethod", "value": "CalibrationMethod.${known}"}`;
  return (
    `{"CLS": "TensorsData", "data": {${tensors.join(', ')}}, ` +
    `"calibration_method": ${calibrationMethod}, "smooth_quant": ${smoothQuant}` +
    `${own ? `, "method": ${pythonString(method)}` : ''}}`
  );
}

/** A TensorData as the reference's JSON encoder writes it. */
export function tensorDataJson([low, high, deviation, mean]:
  | TensorRanges[string]
  | RangesByChannel[string]): string {
  const array = (value: number | number[]) =>
    `{"data": [${[value].flat().map(pythonFloat).join(', ')}], "dtype": "float32", "CLS": "numpy.array"}`;
  const moments =
    deviation === undefined ? '' : `"avg": ${array(mean as number)}, "std": ${array(deviation)}, `;
  const ends = `"lowest": ${array(low)}, "highest": ${array(high)}`;
  return `{${moments}${ends}, "CLS": "TensorData"}`;
}

const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The numbers in a number or in nested arrays; what is no number is left out. */
function numbersIn(value: Json | undefined): number[] {
  const numbers: number[] = [];
  // Without recursion: a file may nest its arrays as deep as it likes.
  for (const rest = [value]; rest.length > 0; ) {
    const item = rest.pop();
    if (typeof item === 'number') numbers.push(item);
    else if (Array.isArray(item)) for (let i = item.length; i-- > 0; ) rest.push(item[i]);
    else if (isObject(item)) rest.push(item.data);
  }
  return numbers;
}

/** The reference's CalibrationMethod. */
const members = ['MinMax', 'Entropy', 'Percentile', 'Distribution'];

/** The member's name, from {CLS, value: "CalibrationMethod.MinMax"} or from its number. */
function methodName(value: Json | undefined): string | null {
  if (isObject(value)) return methodName(value.value);
  if (typeof value === 'string') return value.split('.').pop() as string;
  return typeof value === 'number' ? (members[value] ?? null) : null;
}

/**
 * repr() of a Python float: always with a point or an exponent, the exponent of two digits from
 * 1e16 and under 1e-4.
 */
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
export function pythonString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
