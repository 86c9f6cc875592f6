// Step 8: the name of the result; what can be saved comes with the rest of results/.
import { useText } from '../i18n';
import type { RunRecord } from '../lib/run-record';
import { save } from '../lib/save';
import type { Quantizer } from '../state';
import { Step, type StepFrame } from './step';

export function DownloadStep({ quantizer, ...frame }: StepFrame & { quantizer: Quantizer }) {
  const { t, bytes } = useText();
  const { shown, results } = quantizer;
  return (
    <Step
      {...frame}
      id="download"
      title={t.download.title}
      isReady={shown !== null}
      isDone={shown !== null && quantizer.saved.has(shown.id)}
      line={
        shown
          ? [
              shown.name,
              bytes(shown.result.report.bytesAfter),
              `SHA-256 ${shown.result.sha256.slice(0, 8)}…`,
            ].join(' · ')
          : t.download.later
      }
    >
      {shown && results && <results.Download record={shown} quantizer={quantizer} />}
    </Step>
  );
}

/** The model, and its data file where it has one. */
export async function saveModel(record: RunRecord, quantizer: Quantizer): Promise<void> {
  const { name, result } = record;
  if (!(await save(result.model, name))) return;
  if (result.externalData) await save(result.externalData.data, result.externalData.name);
  quantizer.markSaved(record.id);
}
