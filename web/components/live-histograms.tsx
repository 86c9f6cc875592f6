// What a few tensors have held until now, while samples run, with where their range will end.
import type { TensorHistogram } from 'onnx-ptq';
import { Histogram } from '../charts/histogram';
import { useText } from '../i18n';

export function LiveHistograms({ histograms }: { histograms: readonly TensorHistogram[] }) {
  const { t, number } = useText();
  if (histograms.length === 0) return null;
  const format = (value: number) => number(value, Math.abs(value) < 10 ? 2 : 1);
  return (
    <section aria-labelledby="histograms-title">
      <h3 id="histograms-title">{t.run.histograms}</h3>
      <ul class="multiples">
        {histograms.map(({ tensor, counts, lowest, highest, clip }) => (
          <li key={tensor}>
            <code>{tensor}</code>
            <Histogram
              label={tensor}
              curves={[{ key: 'only', counts }]}
              lowest={lowest}
              highest={highest}
              format={format}
              marks={clip.map((at, i) => ({ key: `${i}`, kind: 'chosen', at }))}
              log
            />
          </li>
        ))}
      </ul>
    </section>
  );
}
