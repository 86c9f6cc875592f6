// A warning where the result is larger than the model: why it is, and what can be done.

import { asMessage, say, sentence } from '../base/text.js';
import type { Diagnostic, WeightsReport } from '../base/types.js';
import { bytesText } from '../base/values.js';

/** From this share of float weights on these are the reason, and not what quantizing adds. */
const mostlyFloat = 0.5;

export function judgeSize(before: number, after: number, weights: WeightsReport): Diagnostic[] {
  if (after <= before) return [];
  const larger = say`the result is larger than the model (${bytesText(before)} → ${bytesText(after)})`;
  const [largest] = weights.left;
  if (largest && weights.floatBytes > mostlyFloat * weights.bytes) {
    return [
      {
        severity: 'warning',
        code: 'RESULT_LARGER',
        ...asMessage(
          say`${larger}: ${bytesText(weights.floatBytes)} of ${bytesText(weights.bytes)} of its weights stay float, "${largest.name}" because ${sentence(largest.reason, largest.reasonText)}`,
        ),
        node: largest.node,
        tensor: largest.name,
        hint: 'see the reasons in the report; where they cannot be helped, the float model is the better one',
      },
    ];
  }
  return [
    {
      severity: 'warning',
      code: 'RESULT_LARGER',
      ...asMessage(
        say`${larger}: ${bytesText(weights.bytes)} of it are weights, and integers save less of them than scales, zero points and their nodes add`,
      ),
      hint: 'a model this small gains nothing in size; per_channel off and fewer nodes (nodes_to_quantize) add less',
    },
  ];
}
