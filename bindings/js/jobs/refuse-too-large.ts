// Before the samples are run: does the result fit into one file?

import { type InputFiles, inputBytes } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';
import type { ModelSummary, PlanReport } from '../base/types.js';

/** What protobuf can hold. */
const largestFile = 2 ** 31 - 1;

/**
 * Throws UNSUPPORTED_MODEL where the weights of the plan, made without ranges, are more than an
 * ONNX file holds. What turns out to stay float only makes it larger.
 */
export function refuseTooLarge(
  input: InputFiles,
  model: Pick<ModelSummary, 'externalFiles'>,
  core: { plan(): Pick<PlanReport, 'weights' | 'integerWeights'> },
): void {
  if (inputBytes(input, model) <= largestFile) return;
  const { weights, integerWeights } = core.plan();
  const bytes = integerWeights + weights.floatBytes;
  if (bytes <= largestFile) return;
  throw new QuantizeError(
    'UNSUPPORTED_MODEL',
    say`the weights of the result would take ${String(bytes)} bytes; an ONNX file can hold ${String(largestFile)}`,
    { hint: 'Set use_external_data_format: the weights get a file of their own.' },
  );
}
