// A warning where the result is slower than the float model: here, as both were measured.
import { asMessage, say } from '../base/text.js';
import type { Diagnostic } from '../base/types.js';
import type { QualityReport } from './report.js';

/** Within this factor, and where the float model takes less, it is the machine's noise. */
const clearlySlower = 1.15;
const leastMilliseconds = 0.5;

export function judgeLatency(
  { latency }: Pick<QualityReport, 'latency'>,
  takesFloat: boolean,
): Diagnostic[] {
  if (!latency || latency.float < leastMilliseconds) return [];
  if (latency.quantized < clearlySlower * latency.float) return [];
  const factor = (latency.quantized / latency.float).toFixed(1);
  return [
    {
      severity: 'warning',
      code: 'SLOWER_THAN_FLOAT',
      ...asMessage(
        say`the result takes ${factor} times as long as the float model here (${latencySentence(latency)})`,
      ),
      hint: takesFloat
        ? 'it is smaller, not faster: --op_types_to_quantize Conv MatMul Gemm leaves out what pays least, and "onnx-ptq compare" measures it'
        : 'it is smaller, not faster; the target may be another than this machine',
    },
  ];
}

/** "8.71 ms float, 3.52 ms quantized" */
export const latencyText = (latency: NonNullable<QualityReport['latency']>): string =>
  latencySentence(latency).message;

function latencySentence({ float, quantized }: NonNullable<QualityReport['latency']>) {
  const text = (value: number) => `${value < 10 ? value.toFixed(2) : value.toFixed(1)}`;
  return say`${text(float)} ms float, ${text(quantized)} ms quantized`;
}
