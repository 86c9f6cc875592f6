// Step 7, open: both models on one picture, side by side: what was held out, or any picture that is
// given.
import type { Comparison, QualityReport } from 'onnx-ptq';
import { useEffect, useState } from 'preact/hooks';
import { cosine, Scatter } from '../charts/scatter';
import { BoxesView } from '../compare/boxes-view';
import { ClassesView } from '../compare/classes-view';
import { outputKind } from '../compare/output-kind';
import { PictureView } from '../compare/picture-view';
import { FileButton } from '../components/file-button';
import { Pixels } from '../components/pixels';
import { Said } from '../components/said';
import { useText } from '../i18n';
import { isImage } from '../lib/files';
import type { RunRecord } from '../lib/run-record';
import type { Quantizer } from '../state';
import type { Problem, TensorView } from '../worker/page-protocol';
import { tensorView } from '../worker/tensor-view';

interface Props {
  record: RunRecord;
  quantizer: Quantizer;
  onLine: (line: string) => void;
}

export function Compare({ record, quantizer, onLine }: Props) {
  const { t } = useText();
  const { held, samples } = record.inputs;
  const pictures = (held.length > 0 ? held : samples).filter(isImage);
  // There may be ranges and no samples.
  const arePictures = pictures.length > 0 || samples.length === 0;
  const [own, setOwn] = useState<readonly File[]>([]);
  const files = [...own, ...pictures];
  const count = files.length || record.inputs.holdOut;
  const [index, setIndex] = useState(0);
  const file = files[index] ?? null;
  const { comparison, error } = useComparison(record, quantizer, file, index);
  const step = (by: number) => setIndex((index + by + count) % count);
  useEffect(() => {
    if (comparison) onLine(`${comparison.file ?? t.compare.sample(index + 1)}`);
  }, [comparison]);
  return (
    <div class="stack-16">
      <div class="buttons">
        <button type="button" class="button" disabled={count < 2} onClick={() => step(-1)}>
          {arePictures ? t.preprocess.previous : t.compare.previous}
        </button>
        <button type="button" class="button" disabled={count < 2} onClick={() => step(1)}>
          {arePictures ? t.preprocess.next : t.compare.next}
        </button>
        {arePictures && (
          <FileButton
            label={t.compare.other}
            accept="image/*"
            multiple
            onFiles={(given) => {
              setOwn([...given.filter(isImage), ...own]);
              setIndex(0);
            }}
          />
        )}
        {arePictures && (
          <FileButton
            label={quantizer.labels ? t.compare.otherLabels : t.compare.labels}
            accept=".txt,.json,.names,.csv"
            onFiles={quantizer.add}
          />
        )}
      </div>
      <p class="help">
        {file?.name ?? t.compare.sample(index + 1)}
        {held.length > 0 && file && !own.includes(file) && ` · ${t.samples.states.held}`}
        {quantizer.labels && ` · ${t.compare.labelsOf(quantizer.labels.name)}`}
      </p>
      <p class="hidden" role="status">
        {comparison ? t.compare.compared : ''}
      </p>
      {error && (
        <p class="bad">
          <Said message={error.message} parts={error.messageText} />
        </p>
      )}
      {comparison ? (
        <View
          comparison={comparison}
          quality={record.result.report.quality}
          labels={quantizer.labels?.labels ?? null}
        />
      ) : (
        !error && <p class="help">{t.compare.running}</p>
      )}
    </div>
  );
}

function useComparison(
  record: RunRecord,
  quantizer: Quantizer,
  file: File | null,
  index: number,
): { comparison: Comparison | null; error: Problem | null } {
  const [state, setState] = useState<{
    of: unknown;
    comparison: Comparison | null;
    error: Problem | null;
  }>({ of: null, comparison: null, error: null });
  const of = file ?? index;
  const { compare } = quantizer;
  useEffect(() => {
    let isOld = false;
    compare(record, file ?? index).then(
      (comparison) => isOld || setState({ of, comparison, error: null }),
      (error: Problem) => isOld || setState({ of, comparison: null, error }),
    );
    return () => {
      isOld = true;
    };
  }, [record, of]);
  return state.of === of ? state : { comparison: null, error: null };
}

interface ViewProps {
  comparison: Comparison;
  /** Of the result, on all samples that it was compared on. */
  quality: QualityReport;
  labels: string[] | null;
}

function View({ comparison, quality: { samples, top1 }, labels }: ViewProps) {
  const { t, number, decibels } = useText();
  // What both give exactly, as an input that is handed through, tells nothing of the others.
  const differing = comparison.outputs.filter(
    ({ name }) => comparison.quality.find((one) => one.name === name)?.exact !== true,
  );
  const kind = outputKind(
    differing.length > 0 ? differing : comparison.outputs,
    (name) => samples === 0 || top1?.output === name,
  );
  const picture = pictureOf(comparison);
  if (!kind) return <p>{t.compare.nothing}</p>;
  const { output } = kind;
  const quality = comparison.quality.find(({ name }) => name === output.name);
  const similarity = cosine(output.float, output.quantized);
  return (
    <div class="stack-16">
      {kind.kind === 'classes' && (
        <div class="compare-classes">
          {picture && <Pixels {...picture.view} label={t.compare.picture} />}
          <ClassesView output={output} labels={labels} />
        </div>
      )}
      {kind.kind === 'boxes' && picture && (
        <BoxesView
          output={output}
          scores={kind.scores}
          picture={picture.view}
          size={picture.size}
          labels={labels}
        />
      )}
      {(kind.kind === 'picture' || kind.kind === 'mask') && (
        <PictureView output={output} input={picture?.view ?? null} />
      )}
      {(kind.kind === 'values' || (kind.kind === 'boxes' && !picture)) && (
        <Scatter
          label={t.compare.scatter}
          x={output.float}
          y={output.quantized}
          xLabel={t.report.float}
          yLabel={t.report.int8}
        />
      )}
      <p class="help">
        {output.name}: {quality?.exact ? t.report.exact : ''}
        {quality?.sqnr != null && decibels(quality.sqnr)} ·{' '}
        {t.compare.cosine(number(similarity, 4))}
      </p>
    </div>
  );
}

/** What both models were given, as a picture; null where it is none. */
function pictureOf({ feeds }: Comparison): { view: TensorView; size: [number, number] } | null {
  const [tensor, ...others] = Object.values(feeds);
  if (!tensor || others.length > 0 || tensor.dims.length < 3) return null;
  const [a = 0, b = 0, c = 0] = tensor.dims.slice(-3);
  if (a > 4 && c > 4) return null;
  const size: [number, number] = a > 4 ? [b, a] : [c, b];
  if (Math.min(...size) < 8) return null;
  return { view: tensorView(tensor), size };
}
