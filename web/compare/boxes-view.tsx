// Boxes of both models on the picture: float as lines, quantized dashed, and how well they agree.
import type { ComparedOutput } from 'onnx-ptq';
import { Pixels } from '../components/pixels';
import { useText } from '../i18n';
import type { TensorView } from '../worker/page-protocol';
import { type Box, boxesOf, detections, overlap } from './boxes';

interface Props {
  output: ComparedOutput;
  scores: ComparedOutput | null;
  picture: TensorView;
  /** Of the model's input. */
  size: [width: number, height: number];
  labels: readonly string[] | null;
}

export function BoxesView({ output, scores, picture, size, labels }: Props) {
  const { t, number } = useText();
  const [width, height] = size;
  const of = (which: 'float' | 'quantized') =>
    boxesOf(detections(output, scores, which), width, height);
  const float = of('float');
  const quantized = of('quantized');
  const matches = float.map((box) => {
    const same = quantized.filter(({ label }) => label === box.label);
    return same.reduce((most, one) => Math.max(most, overlap(box, one)), 0);
  });
  const name = ({ label }: Box) => labels?.[label] ?? t.compare.classNumber(label);
  const rectangles = (boxes: Box[], kind: string) =>
    boxes.map((box, i) => (
      <rect
        key={`${kind}${i}`}
        class={`box ${kind}`}
        x={box.left}
        y={box.top}
        width={Math.max(0, box.right - box.left)}
        height={Math.max(0, box.bottom - box.top)}
      />
    ));
  return (
    <div class="pair">
      <div class="overlay">
        <Pixels {...picture} label={t.compare.picture} />
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
          {rectangles(float, 'float')}
          {rectangles(quantized, 'quantized')}
        </svg>
      </div>
      <div class="stack-8">
        <p>{t.compare.boxes(float.length, quantized.length)}</p>
        <ul class="legend">
          <li data-part="float">
            <span class="swatch" aria-hidden="true" />
            {t.report.float}
          </li>
          <li data-part="quantized">
            <span class="swatch" aria-hidden="true" />
            {t.report.int8}
          </li>
        </ul>
        <ul class="reasons">
          {float.map((box, i) => (
            <li key={i}>
              <b>{name(box)}</b> {t.compare.overlap(number(matches[i]!, 2))}
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
