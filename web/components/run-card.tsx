// Start, progress, cancel; then the result or the error.
import type { Progress, Stage } from 'onnx-ptq';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useText } from '../i18n';
import type { Quantizer } from '../state';
import { Card } from './card';
import { ErrorNotice, Notice } from './notice';
import { Result } from './result';

const stages: Stage[] = ['load', 'prepare', 'calibrate', 'quantize', 'verify'];

export function RunCard({ quantizer }: { quantizer: Quantizer }) {
  const { t } = useText();
  const { run, blocker, start, dismiss } = quantizer;
  if (run.status === 'running') {
    return (
      <Card id="run" title={t.run.title}>
        <RunProgress progress={run.progress} onCancel={quantizer.cancel} />
      </Card>
    );
  }
  const done = run.status === 'done';
  return (
    <Card id="run" title={done ? t.result.title : t.run.title} done={done}>
      {run.status === 'failed' && (
        <ErrorNotice error={run.error}>
          <button type="button" class="button quiet" onClick={dismiss}>
            {t.run.dismiss}
          </button>
        </ErrorNotice>
      )}
      {run.status === 'cancelled' && (
        <Notice kind="info" title={run.resume ? t.run.stopped : t.run.cancelled}>
          {run.resume && (
            <button type="button" class="button" onClick={run.resume}>
              {t.run.resume}
            </button>
          )}
        </Notice>
      )}
      {done && <Result result={run.result} quantizer={quantizer} />}
      {!done && <p class="lead">{t.run.whatHappens}</p>}
      <div class={done ? 'start again' : 'start'}>
        <button
          type="button"
          class={done ? 'button' : 'button primary big'}
          disabled={blocker !== null}
          aria-describedby={blocker ? 'blocker' : undefined}
          onClick={() => start()}
        >
          {done ? t.run.again : t.run.start}
        </button>
        {blocker && (
          <p id="blocker" class="help">
            {t.run[blocker]}
          </p>
        )}
      </div>
      <span class="hidden" role="status">
        {done ? t.result.ready : ''}
      </span>
    </Card>
  );
}

function RunProgress({ progress, onCancel }: { progress: Progress; onCancel: () => void }) {
  const { t, duration } = useText();
  const { stage, done, total, secondsLeft } = progress;
  const cancel = useRef<HTMLButtonElement>(null);
  // The button that was pressed is gone: without this, a keyboard would begin at the top of the
  // page.
  useEffect(() => cancel.current?.focus(), []);
  const counted = total !== undefined && total > 0;
  const label = t.run.stageNow[stage];
  return (
    <div class="running">
      <ol class="stages">
        {stages.map((name, i) => {
          const at = stages.indexOf(stage);
          const state = i < at ? 'done' : i === at ? 'now' : 'later';
          return (
            <li key={name} data-state={state} aria-current={state === 'now' ? 'step' : undefined}>
              {t.run.stages[name]}
            </li>
          );
        })}
      </ol>
      <p class="now">
        <strong>{label}</strong>
        <span class="numbers">
          {counted && t.run.count(done, total)}
          {secondsLeft !== undefined && secondsLeft > 0.5 && (
            <> · {t.run.left(duration(Math.ceil(secondsLeft)))}</>
          )}
        </span>
      </p>
      <progress
        aria-label={t.run.progress}
        max={counted ? total : 1}
        {...(counted && { value: done })}
      />
      <button ref={cancel} type="button" class="button" onClick={onCancel}>
        {t.run.cancel}
      </button>
      <Announcement
        text={counted ? `${label}: ${t.run.count(done, total)}` : label}
        step={`${stage} ${counted ? Math.floor((4 * done) / total) : ''}`}
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
