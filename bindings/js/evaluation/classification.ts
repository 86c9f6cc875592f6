// How often the best class, and one of the five best, is the right one.
import { QuantizeError } from '../base/errors.js';
import type { OutputTensor } from '../runtime/runtime.js';
import { classCount, floatValues } from '../verify/metrics.js';
import type { ClassificationResult } from './report.js';
import { placeOf, shareOf } from './shares.js';

export class Classification {
  #top1 = 0;
  #top5 = 0;
  #of = 0;

  /** `labels`: of the rows that are samples, in order; what fills up a batch has none. */
  add(name: string, output: OutputTensor, labels: readonly number[]): void {
    const classes = classCount(output.dims);
    const values = floatValues(output);
    if (classes === null || !values) {
      throw new QuantizeError(
        'INVALID_DATA',
        `output "${name}" has the shape [${output.dims.join(',')}], which are no class scores`,
        {
          tensor: name,
          hint: 'scores are [N, classes]; boxes need --labels with COCO annotations',
        },
      );
    }
    for (const [row, label] of labels.entries()) {
      if (label >= classes) {
        throw new QuantizeError(
          'INVALID_DATA',
          `there is a label ${label}, and output "${name}" has ${classes} classes`,
          { tensor: name },
        );
      }
      const place = placeOf(values, row * classes, classes, label);
      this.#of++;
      if (place < 1) this.#top1++;
      if (place < 5) this.#top5++;
    }
  }

  result(): ClassificationResult | null {
    const [top1, top5] = [shareOf(this.#top1, this.#of), shareOf(this.#top5, this.#of)];
    return top1 && top5 ? { top1, top5 } : null;
  }
}
