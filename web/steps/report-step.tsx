// Step 6: the verdict in one line; the report itself comes with the rest of results/.
import { VerdictBadge } from '../components/verdict-badge';
import { useText } from '../i18n';
import type { RunRecord } from '../lib/run-record';
import type { Quantizer } from '../state';
import { Step, type StepFrame } from './step';

export function ReportStep({ quantizer, ...frame }: StepFrame & { quantizer: Quantizer }) {
  const { t } = useText();
  const { shown, results } = quantizer;
  return (
    <Step
      {...frame}
      id="report"
      title={t.report.title}
      isReady={shown !== null}
      isDone={shown !== null}
      line={shown ? <VerdictLine record={shown} /> : t.report.later}
      saysLine={shown !== null}
      runs={quantizer.runs.length}
    >
      {shown && results && <results.Report record={shown} quantizer={quantizer} />}
    </Step>
  );
}

/** "Good · 31.2 dB · 31 of 32 agree · 3.8× smaller" */
export function VerdictLine({ record }: { record: RunRecord }) {
  return (
    <span class="verdict-line">
      <VerdictBadge grade={record.verdict.grade} />
      <Headline record={record} />
    </span>
  );
}

export function Headline({ record }: { record: RunRecord }) {
  const { t, number, decibels } = useText();
  const { verdict, result } = record;
  const { bytesBefore, bytesAfter } = result.report;
  const { agreement } = verdict;
  // What is the same needs no figure for how close it is.
  const isIdentical = verdict.grade === 'identical';
  const figures = [
    isIdentical
      ? ''
      : verdict.sqnr !== null
        ? decibels(verdict.sqnr)
        : verdict.exact
          ? t.report.exact
          : '',
    agreement && !isIdentical ? t.report.agree(number(agreement.agree), number(agreement.of)) : '',
    bytesAfter < bytesBefore
      ? t.report.smaller(number(bytesBefore / bytesAfter, 1), percent(bytesBefore, bytesAfter))
      : t.report.notSmaller,
  ];
  return <span>{figures.filter(Boolean).join(' · ')}</span>;
}

const percent = (before: number, after: number) => Math.round(100 * (1 - after / before));
