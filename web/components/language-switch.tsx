import { type Language, languages, useText } from '../i18n';

export function LanguageSwitch(props: { language: Language; onChoose: (next: Language) => void }) {
  const { t } = useText();
  return (
    <fieldset class="languages">
      <legend class="hidden">{t.language}</legend>
      {(Object.keys(languages) as Language[]).map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          aria-pressed={language === props.language}
          onClick={() => props.onChoose(language)}
        >
          {languages[language]}
        </button>
      ))}
    </fieldset>
  );
}
