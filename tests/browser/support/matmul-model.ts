// A model of one matrix product, as large or as slow as a test needs it.
import { writeModel } from '../../js/support/onnx-writer.js';

/** `file`: y [rows, side] = x [rows, side] · w [side, side], of floats. */
export function writeMatMul(file: string, side: number, rows = 1): void {
  writeModel(file, {
    nodes: [{ opType: 'MatMul', name: 'multiply', inputs: ['x', 'w'], outputs: ['y'] }],
    weights: [
      {
        name: 'w',
        dims: [side, side],
        pattern: Float32Array.from({ length: side }, (_, i) => Math.sin(i)),
      },
    ],
    inputs: [{ name: 'x', dims: [rows, side] }],
    outputs: [{ name: 'y', dims: [rows, side] }],
  });
}
