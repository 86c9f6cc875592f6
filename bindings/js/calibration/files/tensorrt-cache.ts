// TensorRT's calibration cache, written and read; docs/calibration-files.md.

import { QuantizeError } from '../../base/errors.js';
import { say } from '../../base/text.js';
import type { TensorRanges } from '../../base/types.js';

/** The largest magnitude in a tensor's range. */
export function magnitude(ranges: TensorRanges, name: string): number {
  const [lowest, highest] = ranges[name] as [number, number];
  return Math.max(Math.abs(lowest), Math.abs(highest));
}

/**
 * TensorRT's calibration cache: a line of version and algorithm, then "name: scale" with the scale
 * (largest magnitude /
 * 127) as the hexadecimal digits of a big-endian float32.
 */
export function tensorRtCache(ranges: TensorRanges, method: string): string {
  const algorithm = method === 'Entropy' ? 'EntropyCalibration2' : 'MinMaxCalibration';
  const lines = Object.keys(ranges).map(
    (name) => `${name}: ${floatBits(magnitude(ranges, name) / 127)}\n`,
  );
  return `TRT-8601-${algorithm}\n${lines.join('')}`;
}

export const isTensorRtCache = (text: string) => /^TRT-\d+-\w+/.test(text);

/** Ranges from one: [-127 × scale, 127 × scale]. Throws INVALID_CACHE with the line. */
export function parseTensorRtCache(text: string, label: string): TensorRanges {
  const ranges: [string, [number, number]][] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (index === 0 || line.trim() === '') continue;
    const [, name, digits] = /^(.+): ([0-9a-fA-F]{8})$/.exec(line.trim()) ?? [];
    const scale = digits ? bitsFloat(digits) : Number.NaN;
    if (name === undefined || !Number.isFinite(scale) || scale < 0) {
      throw new QuantizeError(
        'INVALID_CACHE',
        say`${label}, line ${index + 1}: not "name: scale"`,
        {
          hint: 'a scale is 8 hexadecimal digits, the bits of a float32',
        },
      );
    }
    const end = Math.fround(scale * 127);
    ranges.push([name, [-end, end]]);
  }
  return Object.fromEntries(ranges); // so that a tensor may be named __proto__
}

function floatBits(value: number): string {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint32(0).toString(16).padStart(8, '0');
}

function bitsFloat(digits: string): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, Number.parseInt(digits, 16));
  return view.getFloat32(0);
}
