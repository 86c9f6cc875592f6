import './lib/close-webrtc';
import { render } from 'preact';
import { App } from './app';
import { dictionaryOf, initialLanguage, type Language } from './i18n';

async function begin(language: Language): Promise<void> {
  const t = await dictionaryOf(language);
  render(<App begin={{ language, t }} />, document.getElementById('app')!);
}

// English is there in any case.
begin(initialLanguage()).catch(() => begin('en'));
