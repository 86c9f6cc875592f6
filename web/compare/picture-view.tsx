// Two pictures under one slider, and what differs between them, enlarged.
import type { ComparedOutput } from 'onnx-ptq';
import { useMemo, useState } from 'preact/hooks';
import { Pixels } from '../components/pixels';
import { useText } from '../i18n';
import type { TensorView } from '../worker/page-protocol';
import { paint, paintDifference, psnr } from './paint';

interface Props {
  output: ComparedOutput;
  /** What both models were given, where it is a picture. */
  input: TensorView | null;
}

export function PictureView({ output, input }: Props) {
  const { t, number, decibels } = useText();
  const [place, setPlace] = useState(50);
  const painted = useMemo(
    () => ({
      float: paint(output, output.float),
      quantized: paint(output, output.quantized),
      difference: paintDifference(output),
      psnr: psnr(output),
    }),
    [output],
  );
  return (
    <div class="stack-16">
      <div class="pictures-3">
        {input && (
          <div class="stack-8">
            <Pixels {...input} label={t.compare.picture} />
            <p class="help">{t.compare.picture}</p>
          </div>
        )}
        <div class="stack-8">
          <div class="slider">
            <Pixels {...painted.quantized} label={t.report.int8} />
            <div class="slider-top" style={{ clipPath: `inset(0 ${100 - place}% 0 0)` }}>
              <Pixels {...painted.float} label={t.report.float} />
            </div>
            <span class="slider-line" style={{ left: `${place}%` }} aria-hidden="true" />
          </div>
          <label class="field">
            <span class="slider-labels">
              <span>{t.report.float}</span>
              <span>{t.report.int8}</span>
            </span>
            <input
              type="range"
              aria-label={t.compare.slider}
              min={0}
              max={100}
              value={place}
              onInput={({ currentTarget }) => setPlace(currentTarget.valueAsNumber)}
            />
          </label>
        </div>
        <div class="stack-8">
          <Pixels {...painted.difference} label={t.compare.difference} />
          <p class="help">
            {t.compare.difference}
            {painted.psnr === null ? '' : ` · PSNR ${decibels(painted.psnr)}`}
            {painted.difference.agree === null
              ? ''
              : ` · ${t.compare.pixelsAgree(number(100 * painted.difference.agree, 1))}`}
          </p>
        </div>
      </div>
    </div>
  );
}
