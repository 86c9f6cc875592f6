// A calibration cache for tests that are not about ranges.
import { writeFileSync } from 'node:fs';

/** A calibration cache with [-1, 1] for the tensors. */
export function writeRanges(path: string, tensors: string[]): void {
  const end = (value: number) => ({ data: [value], dtype: 'float32', CLS: 'numpy.array' });
  const range = { lowest: end(-1), highest: end(1), CLS: 'TensorData' };
  writeFileSync(
    path,
    JSON.stringify({
      CLS: 'TensorsData',
      data: Object.fromEntries(tensors.map((name) => [name, range])),
      calibration_method: { CLS: 'CalibrationMethod', value: 'CalibrationMethod.MinMax' },
      smooth_quant: false,
    }),
  );
}
