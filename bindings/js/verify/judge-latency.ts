// A warning where the result is slower than the float model: here, as both were measured.
import type { Diagnostic } from '../base/types.js';
import type { QualityReport } from './report.js';

/** Within this factor, and under this time, it is the machine's noise. */
const clearlySlower = 1.15;
const leastMilliseconds = 0.5;

export function judgeLatency(
  { latency }: Pick<QualityReport, 'latency'>,
  takesFloat: boolean,
): Diagnostic[] {
  if (!latency || latency.quantized < leastMilliseconds) return [];
  if (latency.quantized < clearlySlower * latency.float) return [];
  const factor = (latency.quantized / latency.float).toFixed(1);
  return [
    {
      severity: 'warning',
      code: 'SLOWER_THAN_FLOAT',
      message: `the result takes ${factor} times as long as the float model here (${latencyText(latency)})`,
      hint: takesFloat
        ? 'it is smaller, not faster: --op_types_to_quantize Conv MatMul Gemm leaves out what pays least, and "onnx-ptq compare" measures it'
        : 'it is smaller, not faster; the target may be another than this machine',
    },
  ];
}

/** "8.71 ms float, 3.52 ms quantized" */
export function latencyText({ float, quantized }: NonNullable<QualityReport['latency']>): string {
  const text = (value: number) => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;
  return `${text(float)} float, ${text(quantized)} quantized`;
}
