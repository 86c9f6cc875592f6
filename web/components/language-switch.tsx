import { dictionaries, type Language, useText } from '../i18n';

export function LanguageSwitch(props: { language: Language; onChoose: (next: Language) => void }) {
  const { t } = useText();
  return (
    <fieldset class="languages">
      <legend class="hidden">{t.language}</legend>
      {(Object.keys(dictionaries) as Language[]).map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          aria-pressed={language === props.language}
          onClick={() => props.onChoose(language)}
        >
          {dictionaries[language].languageName}
        </button>
      ))}
    </fieldset>
  );
}
