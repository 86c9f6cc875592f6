// What a tensor holds, where each calibration method would cut it off, and the steps that its
// integers have.
import type { CalibrationMethod, TensorDiagnosis, TensorObservation } from 'onnx-ptq';
import { Histogram } from '../charts/histogram';
import { useText } from '../i18n';

interface Props {
  tensor: TensorDiagnosis;
  observation: TensorObservation;
  /** Gives the tensor the range of a method; null where that cannot be. */
  onChoose: ((method: CalibrationMethod) => void) | null;
}

export function RangeChart({ tensor, observation, onChoose }: Props) {
  const { t, number } = useText();
  const [low, high] = tensor.range;
  const ranges = Object.entries(observation.ranges) as [CalibrationMethod, [number, number]][];
  const lowest = Math.min(low, observation.lowest);
  const highest = Math.max(high, observation.highest);
  const format = (value: number) => number(value, Math.abs(value) < 10 ? 2 : 1);
  const bits = /16$/.test(tensor.quantType) ? 16 : /4$/.test(tensor.quantType) ? 4 : 8;
  return (
    <div class="stack-8">
      <Histogram
        label={t.layers.histogram(tensor.tensor)}
        curves={[
          {
            key: 'only',
            counts: observation.counts,
            ends: [observation.lowest, observation.highest],
          },
        ]}
        {...{ lowest, highest, format }}
        marks={ranges.flatMap(([method, ends]) =>
          ends.map((at, i) => ({ key: `${method} ${i}`, kind: method, at })),
        )}
        steps={{ from: low, to: high, count: 2 ** bits }}
        log
      />
      <p class="help">
        {t.layers.steps(
          number(2 ** bits),
          format(low),
          format(high),
          `${+tensor.scale.toPrecision(3)}`,
        )}
      </p>
      <table class="methods">
        <caption class="hidden">{t.layers.methods}</caption>
        <thead>
          <tr>
            <th scope="col">{t.settings.method}</th>
            <th scope="col">{t.layers.rangeOnly}</th>
            {onChoose && (
              <th scope="col">
                <span class="hidden">{t.layers.use}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {ranges.map(([method, ends]) => (
            <tr key={method}>
              <th scope="row">
                <span class="dash" data-mark={method} aria-hidden="true" />
                {method}
              </th>
              <td>{t.layers.fromTo(format(ends[0]), format(ends[1]))}</td>
              {onChoose && (
                <td>
                  <button
                    type="button"
                    class="button"
                    aria-label={`${t.layers.use}: ${method}`}
                    onClick={() => onChoose(method)}
                  >
                    {t.layers.use}
                  </button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="help">{t.layers.observedOn(number(observation.samples))}</p>
    </div>
  );
}
