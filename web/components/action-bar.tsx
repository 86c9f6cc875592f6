// The bar at the foot: the verdict or what goes on, and the one next action.
import { useText } from '../i18n';
import { acceptedSamples } from '../lib/files';
import { mendsOf } from '../lib/mends';
import { weightedProgress } from '../lib/weighted-progress';
import type { Quantizer } from '../state';
import { saveModel } from '../steps/download-step';
import { VerdictLine } from '../steps/report-step';
import { useRunText } from '../steps/run-step';
import { FileButton } from './file-button';
import { useMendText } from './mend-text';

export function ActionBar({ quantizer }: { quantizer: Quantizer }) {
  const { t } = useText();
  const { running, shown, isStale } = quantizer;
  return (
    <footer class="bar">
      {running && (
        <progress aria-label={t.run.progress} max={1} value={weightedProgress(running.progress)} />
      )}
      <div class="bar-inner">
        <div class="bar-text">
          <State quantizer={quantizer} />
        </div>
        <Action quantizer={quantizer} />
      </div>
      <span class="hidden" role="status">
        {!running && shown && !isStale ? t.verdict[shown.verdict.grade] : ''}
      </span>
    </footer>
  );
}

function State({ quantizer }: { quantizer: Quantizer }) {
  const { t, bytes } = useText();
  const { running, error, stopped, shown, isStale, blocker, engine, search } = quantizer;
  const runText = useRunText();
  if (running) {
    const { stage, count, left } = runText(running);
    return <span>{[stage, count, left].filter(Boolean).join(' · ')}</span>;
  }
  if (error) return <span class="bad">{t.run.failed}</span>;
  if (stopped) return <span>{t.run.stoppedShort}</span>;
  if (shown && !isStale) {
    return (
      <>
        <VerdictLine record={shown} />
        {search?.id === shown.id && <span class="help">{t.report.searching(search.tried)}</span>}
      </>
    );
  }
  if (shown) return <span>{t.report.stale}</span>;
  if (engine.status === 'failed') return <span class="bad">{t.engine.failed}</span>;
  if (blocker === 'needsEngine' && engine.status === 'loading') {
    return <span>{t.engine.loading(bytes(engine.done), bytes(engine.total))}</span>;
  }
  return (
    <span class={blocker === 'cannotRun' ? 'bad' : ''}>
      {blocker ? t.run[blocker] : t.run.ready}
    </span>
  );
}

function Action({ quantizer }: { quantizer: Quantizer }) {
  const { t } = useText();
  const mendText = useMendText();
  const { running, blocker, stopped, shown, isStale, search, add, start } = quantizer;
  if (!running && (blocker === 'needsModel' || blocker === 'cannotRun')) {
    const label = blocker === 'needsModel' ? t.drop.chooseModel : t.model.change;
    return <FileButton label={label} primary onFiles={add} multiple />;
  }
  if (!running && blocker === 'needsExternal') {
    return <FileButton label={t.model.chooseData} primary onFiles={add} multiple />;
  }
  if (!running && blocker === 'needsSamples') {
    return (
      <FileButton
        label={t.drop.chooseSamples}
        primary
        accept={acceptedSamples}
        onFiles={add}
        multiple
      />
    );
  }
  const mend = shown && mendsOf(shown, quantizer.diagnoses.get(shown.id))[0];
  const action = running
    ? { label: t.run.cancel, isPrimary: false, run: quantizer.cancel }
    : stopped
      ? { label: t.run.resume, isPrimary: true, run: () => start() }
      : shown && !isStale && search?.id === shown.id
        ? { label: t.report.keepThis, isPrimary: false, run: quantizer.stopSearch }
        : shown && !isStale && shown.verdict.grade === 'unusable' && mend
          ? { label: mendText(mend).action, isPrimary: true, run: () => start(mend.change) }
          : shown && !isStale
            ? {
                label: t.download.model,
                isPrimary: shown.verdict.grade !== 'identical',
                run: () => void saveModel(shown, quantizer),
              }
            : { label: shown ? t.run.again : t.run.start, isPrimary: true, run: () => start() };
  const isOff = !running && blocker !== null && (!shown || isStale);
  // One button whatever it does: who pressed it stays in its place.
  return (
    <button
      type="button"
      id="next"
      class={action.isPrimary ? 'button primary' : 'button'}
      disabled={isOff}
      onClick={action.run}
    >
      {action.label}
    </button>
  );
}
