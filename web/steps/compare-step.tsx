// Step 7: both models on one picture, side by side; how, comes with the rest of results/.
import { useState } from 'preact/hooks';
import { useText } from '../i18n';
import type { Quantizer } from '../state';
import { Step, type StepFrame } from './step';

export function CompareStep({ quantizer, ...frame }: StepFrame & { quantizer: Quantizer }) {
  const { t } = useText();
  const { shown, session, results } = quantizer;
  const [line, setLine] = useState('');
  const isReady = shown !== null && session !== null;
  return (
    <Step
      {...frame}
      id="compare"
      title={t.compare.title}
      isReady={isReady}
      isDone={isReady && line !== ''}
      line={isReady ? line || t.compare.lead : t.compare.later}
    >
      {shown && results && (
        <results.Compare key={shown.id} record={shown} quantizer={quantizer} onLine={setLine} />
      )}
    </Step>
  );
}
