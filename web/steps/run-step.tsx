// Step 5: the run itself, with its progress, and how it ended where it did not end well.
import type { Progress, Stage } from 'onnx-ptq';
import { useState } from 'preact/hooks';
import { LiveHistograms } from '../components/live-histograms';
import { ErrorNotice, Notice } from '../components/notice';
import { useText } from '../i18n';
import { weightedProgress } from '../lib/weighted-progress';
import type { Quantizer, Running } from '../state';
import { Step, type StepFrame } from './step';

const stages: Stage[] = ['load', 'prepare', 'calibrate', 'quantize', 'verify'];

export function RunStep({ quantizer, ...frame }: StepFrame & { quantizer: Quantizer }) {
  const { t, duration, number } = useText();
  const { running, blocker, error, stopped, shown } = quantizer;
  const isReady = blocker === null || running !== null || error !== null || shown !== null;
  const line = running
    ? t.run.stageNow[running.progress.stage]
    : error
      ? t.run.failed
      : stopped
        ? t.run.stopped
        : shown
          ? t.run.line(number(shown.result.report.calibration.samples), duration(shown.seconds))
          : blocker
            ? t.run[blocker]
            : t.run.whatHappens;
  return (
    <Step
      {...frame}
      id="run"
      title={t.run.title}
      isReady={isReady}
      isDone={shown !== null && !running && !error && !stopped}
      line={error ? <span class="bad">{line}</span> : line}
    >
      {running ? (
        <>
          <RunProgress running={running} />
          <LiveHistograms histograms={quantizer.histograms} />
        </>
      ) : error ? (
        <ErrorNotice error={error}>
          <button type="button" class="button" onClick={quantizer.dismiss}>
            {t.run.dismiss}
          </button>
        </ErrorNotice>
      ) : stopped ? (
        <Notice kind="info" title={t.run.stopped}>
          <button type="button" class="button" onClick={() => quantizer.start()}>
            {t.run.resume}
          </button>
        </Notice>
      ) : (
        <>
          <p>{t.run.whatHappens}</p>
          {shown && !blocker && (
            <button type="button" class="button" onClick={() => quantizer.start()}>
              {t.run.again}
            </button>
          )}
        </>
      )}
    </Step>
  );
}

export function useRunText() {
  const { t, duration } = useText();
  return ({ progress, left }: Running) => ({
    stage: t.run.stageNow[progress.stage],
    count: isCounted(progress) ? t.run.count(progress.done, progress.total) : '',
    left: left !== undefined && left > 0.5 ? t.run.left(duration(Math.ceil(left))) : '',
  });
}

const isCounted = ({ total }: Progress) => total !== undefined && total > 0;

function RunProgress({ running }: { running: Running }) {
  const { t } = useText();
  const text = useRunText()(running);
  const { progress } = running;
  const { stage, done, total = 0 } = progress;
  const at = stages.indexOf(stage);
  return (
    <div class="running stack-16">
      <ol class="stages">
        {stages.map((name, i) => {
          const state = i < at ? 'done' : i === at ? 'now' : 'later';
          return (
            <li key={name} data-state={state} aria-current={state === 'now' ? 'step' : undefined}>
              {t.run.stages[name]}
            </li>
          );
        })}
      </ol>
      <p class="now">
        <strong>{text.stage}</strong>
        <span class="numbers">{[text.count, text.left].filter(Boolean).join(' · ')}</span>
      </p>
      <progress aria-label={t.run.progress} max={1} value={weightedProgress(progress)} />
      <Announcement
        text={text.count ? `${text.stage}: ${text.count}` : text.stage}
        step={`${stage} ${total > 0 ? Math.floor((4 * done) / total) : ''}`}
      />
    </div>
  );
}

/** Spoken by screen readers: a stage, then every quarter of it; not each of a thousand samples. */
function Announcement({ text, step }: { text: string; step: string }) {
  const [spoken, setSpoken] = useState({ text, step });
  if (spoken.step !== step) setSpoken({ text, step });
  return (
    <span class="hidden" role="status">
      {spoken.text}
    </span>
  );
}
