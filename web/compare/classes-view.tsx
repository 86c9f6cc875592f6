// The five best classes of both models, side by side: what moved is marked.
import type { ComparedOutput } from 'onnx-ptq';
import { useText } from '../i18n';

const shown = 5;

export function ClassesView(props: { output: ComparedOutput; labels: readonly string[] | null }) {
  const { t, number } = useText();
  const { output, labels } = props;
  const float = top(output.float);
  const quantized = top(output.quantized);
  const nameOf = (index: number) => {
    // Models with a background class have one more than labels.
    const shift = labels && labels.length === output.float.length - 1 ? 1 : 0;
    return labels?.[index - shift] || t.compare.classNumber(index);
  };
  const column = (title: string, list: Scored[], other: Scored[]) => (
    <section class="top-classes">
      <h3>{title}</h3>
      <ol>
        {list.map(({ index, share }, rank) => {
          const before = other.findIndex((one) => one.index === index);
          return (
            <li key={index} data-moved={before !== rank}>
              <span class="class-name">
                {nameOf(index)}
                {before !== rank && (
                  <span class="moved">
                    {before < 0 ? t.compare.isNew : t.compare.was(before + 1)}
                  </span>
                )}
              </span>
              <span class="class-bar" aria-hidden="true">
                <span style={{ width: `${100 * share}%` }} />
              </span>
              <span class="class-share">{number(100 * share, 1)} %</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
  return (
    <div class="pair">
      {column(t.report.float, float, quantized)}
      {column(t.report.int8, quantized, float)}
    </div>
  );
}

interface Scored {
  index: number;
  share: number;
}

function top(values: Float32Array): Scored[] {
  const shares = probabilities(values);
  return [...shares]
    .map((share, index) => ({ index, share }))
    .sort((a, b) => b.share - a.share)
    .slice(0, shown);
}

/** As they are where they add up to one, else by softmax. */
function probabilities(values: Float32Array): Float32Array {
  const sum = values.reduce((total, value) => total + value, 0);
  if (values.every((value) => value >= 0) && Math.abs(sum - 1) < 0.02) return values;
  const highest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = values.map((value) => Math.exp(value - highest));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}
