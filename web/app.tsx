// The page from top to bottom: what goes in on the left, what happens and what comes out on the
// right.
import { useEffect, useState } from 'preact/hooks';
import { EngineStatus } from './components/engine-status';
import { LanguageSwitch } from './components/language-switch';
import { ModelCard } from './components/model-card';
import { PageDrop } from './components/page-drop';
import { RunCard } from './components/run-card';
import { SamplesCard } from './components/samples-card';
import { SettingsCard } from './components/settings-card';
import {
  dictionaries,
  initialLanguage,
  type Language,
  LanguageProvider,
  rememberLanguage,
} from './i18n';
import { useQuantizer } from './state';

export function App() {
  const [language, setLanguage] = useState<Language>(initialLanguage);
  const t = dictionaries[language];
  const quantizer = useQuantizer();

  useEffect(() => {
    document.documentElement.lang = language;
    document.title = `onnx-ptq: ${t.tagline}`;
  }, [language, t]);

  function choose(next: Language): void {
    rememberLanguage(next);
    setLanguage(next);
  }

  return (
    <LanguageProvider value={{ language, t }}>
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
        <LanguageSwitch language={language} onChoose={choose} />
      </header>
      <main id="content" tabIndex={-1}>
        <div class="column">
          <ModelCard quantizer={quantizer} />
          <SamplesCard quantizer={quantizer} />
          <SettingsCard quantizer={quantizer} />
        </div>
        <div class="column output">
          <RunCard quantizer={quantizer} />
          <EngineStatus engine={quantizer.engine} />
        </div>
      </main>
    </LanguageProvider>
  );
}

/** A curve and its quantization: also icon.svg. */
function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0f766e" />
      <path
        d="M6 24C13 24 19 8 26 8"
        fill="none"
        stroke="#99f6e4"
        stroke-width="2"
        stroke-linecap="round"
        opacity=".75"
      />
      <path
        d="M6 24h5v-5h5v-6h5V8h5"
        fill="none"
        stroke="#fff"
        stroke-width="2.6"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
