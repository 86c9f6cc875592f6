// The page from top to bottom: eight steps in one column, and the next action at its foot.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ActionBar } from './components/action-bar';
import { Facts } from './components/facts';
import { LanguageSwitch } from './components/language-switch';
import { Logo } from './components/logo';
import { ErrorNotice } from './components/notice';
import { PageDrop } from './components/page-drop';
import {
  type Dictionary,
  dictionaryOf,
  type Language,
  LanguageProvider,
  rememberLanguage,
} from './i18n';
import { isImage } from './lib/files';
import { useFocusKeeper } from './lib/focus-keeper';
import { weightedProgress } from './lib/weighted-progress';
import { type Quantizer, useQuantizer } from './state';
import { CompareStep } from './steps/compare-step';
import { DataStep } from './steps/data-step';
import { DownloadStep } from './steps/download-step';
import { ModelStep } from './steps/model-step';
import { PreprocessStep } from './steps/preprocess-step';
import { ReportStep } from './steps/report-step';
import { RunStep } from './steps/run-step';
import type { StepFrame, StepId } from './steps/step';
import { TargetStep } from './steps/target-step';

interface Texts {
  language: Language;
  t: Dictionary;
}

export function App({ begin }: { begin: Texts }) {
  const [{ language, t }, setTexts] = useState(begin);
  const quantizer = useQuantizer();
  const { running } = quantizer;

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useEffect(() => {
    const share = running ? `${Math.floor(100 * weightedProgress(running.progress))} % – ` : '';
    document.title = `${share}onnx-ptq: ${t.tagline}`;
  }, [running, t]);

  async function choose(next: Language): Promise<void> {
    rememberLanguage(next);
    setTexts({ language: next, t: await dictionaryOf(next) });
  }

  const { phase, frame } = useSteps(quantizer);
  useFocusKeeper(phase.open[0] ?? 'model');

  // Who pressed the button is led to what it does; the button in the bar stays where it is.
  const began = useRef(phase.name);
  useEffect(() => {
    if (began.current === phase.name) return;
    began.current = phase.name;
    if (phase.name === 'running' || phase.name.startsWith('done')) {
      document.getElementById(phase.open[0]!)?.scrollIntoView({ block: 'start' });
    }
  }, [phase]);

  return (
    <LanguageProvider value={{ language, t, library: quantizer.texts[language] ?? null }}>
      <a class="skip" href="#content">
        {t.skipToContent}
      </a>
      <PageDrop onFiles={quantizer.add} />
      <header class="top">
        <div class="brand">
          <Logo />
          <div>
            <h1>onnx-ptq</h1>
            <p>{t.tagline}</p>
          </div>
        </div>
        <div class="top-tools">
          <Facts engine={quantizer.engine} />
          <LanguageSwitch language={language} onChoose={choose} />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {quantizer.engine.status === 'failed' && (
          <ErrorNotice error={{ code: 'ENGINE', message: quantizer.engine.message }}>
            <button type="button" class="button" onClick={() => location.reload()}>
              {t.engine.reload}
            </button>
          </ErrorNotice>
        )}
        <ModelStep quantizer={quantizer} {...frame('model')} />
        <DataStep quantizer={quantizer} {...frame('data')} />
        <PreprocessStep quantizer={quantizer} {...frame('preprocess')} />
        <TargetStep quantizer={quantizer} {...frame('target')} />
        <RunStep quantizer={quantizer} {...frame('run')} />
        <ReportStep quantizer={quantizer} {...frame('report')} />
        <CompareStep quantizer={quantizer} {...frame('compare')} />
        <DownloadStep quantizer={quantizer} {...frame('download')} />
      </main>
      <ActionBar quantizer={quantizer} />
    </LanguageProvider>
  );
}

interface Phase {
  name: string;
  /** The steps that are open in it by themselves, the one that it is about first. */
  open: StepId[];
}

function phaseOf(quantizer: Quantizer): Phase {
  const { model, samples, external, running, error, stopped, shown, ranges } = quantizer;
  if (running) return { name: 'running', open: ['run'] };
  if (error || stopped) return { name: 'ended', open: ['run'] };
  if (shown) return { name: `done ${shown.id}`, open: ['report'] };
  if (!model?.summary || external.missing.length > 0) return { name: 'model', open: ['model'] };
  if (samples.length === 0 && !ranges) return { name: 'data', open: ['data', 'model'] };
  if (quantizer.fit) return { name: 'unfit', open: ['data'] };
  return samples.some(isImage)
    ? { name: 'ready', open: ['preprocess'] }
    : { name: 'ready arrays', open: ['target'] };
}

/** Which steps are open: those of the phase, until somebody opens or closes one. */
function useSteps(quantizer: Quantizer) {
  const phase = phaseOf(quantizer);
  const [toggled, setToggled] = useState<{ phase: string; open: Partial<Record<StepId, boolean>> }>(
    { phase: phase.name, open: {} },
  );
  const own = toggled.phase === phase.name ? toggled.open : {};
  const isOpen = (id: StepId) => own[id] ?? phase.open.includes(id);
  const frame = (id: StepId): StepFrame => ({
    isOpen: isOpen(id),
    onToggle: () => setToggled({ phase: phase.name, open: { ...own, [id]: !isOpen(id) } }),
  });
  return { phase, frame };
}
