// What a tensor holds, and the range that its 256 steps are spread over.
import type { TensorDiagnosis, TensorHistogram } from 'onnx-ptq';
import { Histogram } from '../charts/histogram';
import { useText } from '../i18n';

interface Props {
  tensor: TensorDiagnosis;
  histogram: TensorHistogram | undefined;
}

export function RangeChart({ tensor, histogram }: Props) {
  const { t, number } = useText();
  const [low, high] = tensor.range;
  const [seenLow, seenHigh] = tensor.observed!;
  const lowest = Math.min(low, seenLow, histogram?.lowest ?? low);
  const highest = Math.max(high, seenHigh, histogram?.highest ?? high);
  const format = (value: number) => number(value, Math.abs(value) < 10 ? 2 : 1);
  const steps = tensor.quantType.endsWith('16') ? 65536 : 256;
  const marks = [
    { key: 'clip-low', at: low, label: t.layers.range(format(low), format(high), steps) },
    { key: 'clip-high', at: high, label: '' },
  ];
  const span = highest - lowest || 1;
  if (histogram) {
    return (
      <Histogram
        label={t.layers.histogram(tensor.tensor)}
        curves={[{ key: 'only', counts: histogram.counts }]}
        {...{ lowest, highest, format, marks }}
        log
      />
    );
  }
  const bar = (from: number, to: number) => ({
    marginLeft: `${(100 * (from - lowest)) / span}%`,
    width: `${Math.max(0.5, (100 * (to - from)) / span)}%`,
  });
  return (
    <div class="ranges">
      <span>{t.layers.observed(format(seenLow), format(seenHigh))}</span>
      <span class="range-bar seen" style={bar(seenLow, seenHigh)} aria-hidden="true" />
      <span>{t.layers.range(format(low), format(high), steps)}</span>
      <span class="range-bar steps" style={bar(low, high)} aria-hidden="true" />
    </div>
  );
}
