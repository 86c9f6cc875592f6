// onnxruntime's calibration tables for its TensorRT execution provider, as the reference's
// write_calibration_table writes them; docs/calibration-files.md.
import { Builder } from 'flatbuffers';
import type { TensorRanges } from '../../base/types.js';
import { pythonFloat, pythonString, tensorDataJson } from './calibration-cache.js';
import { magnitude } from './tensorrt-cache.js';

export const tableNames = [
  'calibration.json',
  'calibration.flatbuffers',
  'calibration.cache',
] as const satisfies readonly (keyof CalibrationTables)[];

export interface CalibrationTables {
  'calibration.json': string;
  'calibration.flatbuffers': Uint8Array;
  'calibration.cache': string;
}

/**
 * The three files of write_calibration_table, its bytes but for the value in two of them: the
 * largest magnitude, where the reference takes the larger end, which is too small for ranges that
 * lie below 0 (D15).
 */
export function calibrationTables(ranges: TensorRanges): CalibrationTables {
  const names = Object.keys(ranges).sort();
  const rows = names.map((name): [string, string] => [name, pythonFloat(magnitude(ranges, name))]);
  const entries = Object.entries(ranges).map(
    ([name, range]) => `${pythonString(name)}: ${tensorDataJson(range)}`,
  );
  return {
    'calibration.json': `{${entries.join(', ')}}`,
    'calibration.flatbuffers': tableBytes(rows),
    'calibration.cache': rows.map(([name, value]) => `${name} ${value}\n`).join(''),
  };
}

/** table KeyValue { key: string; value: string; }  table TrtTable { dict: [KeyValue]; } */
function tableBytes(rows: readonly [string, string][]): Uint8Array {
  const builder = new Builder(1024);
  const items = rows.map(([name, text]) => {
    const key = builder.createString(name);
    const value = builder.createString(text);
    builder.startObject(2);
    builder.addFieldOffset(0, key, 0);
    builder.addFieldOffset(1, value, 0);
    return builder.endObject();
  });
  builder.startVector(4, items.length, 4);
  for (const item of items) builder.addOffset(item);
  const dict = builder.endVector();
  builder.startObject(1);
  builder.addFieldOffset(0, dict, 0);
  builder.finish(builder.endObject());
  return builder.asUint8Array();
}
