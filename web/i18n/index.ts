// The chosen language: remembered, else the browser's. A missing text is a compile error. What the
// library says comes as English with a form (translate() of onnx-ptq); a table has its Chinese.
import { type TextParts, translate } from 'onnx-ptq';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type Dictionary, en } from './en';
import zhLibraryUrl from './library.zh-CN.json?url';

/** By their own names. */
export const languages = { en: 'English', 'zh-CN': '简体中文' };
export type Language = keyof typeof languages;
export type { Dictionary };

/** The page's texts in a language; of others than the first they come when they are asked for. */
export async function dictionaryOf(language: Language): Promise<Dictionary> {
  return language === 'en' ? en : (await import('./zh-CN')).zhCN;
}

const key = 'onnx-ptq.language';

export function initialLanguage(): Language {
  try {
    const stored = localStorage.getItem(key);
    if (stored && Object.hasOwn(languages, stored)) return stored as Language;
  } catch {
    // Storage may be forbidden: the browser's language will do.
  }
  return /^zh\b/i.test(navigator.language) ? 'zh-CN' : 'en';
}

export function rememberLanguage(language: Language): void {
  try {
    localStorage.setItem(key, language);
  } catch {
    // Not remembered then.
  }
}

/** The library's texts in another language: sentences by their form, helps of options by name. */
export interface LibraryTexts {
  forms: Readonly<Record<string, string>>;
  options: Readonly<Record<string, string>>;
}

/** Addresses of the tables, by language; the library itself is English. */
export const libraryTexts: Partial<Record<Language, string>> = { 'zh-CN': zhLibraryUrl };

interface Texts {
  language: Language;
  t: Dictionary;
  /** null until it has come, and for English. */
  library: LibraryTexts | null;
}

const Context = createContext<Texts>({ language: 'en', t: en, library: null });
export const LanguageProvider = Context.Provider;

/** The texts of the current language, and formats that go with it. */
export function useText() {
  const { language, t, library } = useContext(Context);
  /** With so many decimals, always: 4.0 beside 3.8. The minus is a minus. */
  const number = (value: number, digits = 0) =>
    new Intl.NumberFormat(language, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    })
      .format(value)
      .replace('-', '−');
  return {
    language,
    t,
    number,
    list: t.list,
    /** "14.2 MB" */
    bytes(value: number): string {
      const unit = value < 1e3 ? 0 : value < 1e6 ? 1 : value < 1e9 ? 2 : 3;
      return `${number(value / 1e3 ** unit, unit < 2 ? 0 : 1)} ${['B', 'kB', 'MB', 'GB'][unit]}`;
    },
    /** "12.6 dB", "+3.1 dB" */
    decibels: (value: number, isDifference = false) =>
      `${isDifference && value > 0 ? '+' : ''}${number(value, 1)} dB`,
    /** "3.5 M" */
    count: (value: number) =>
      new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 }).format(
        value,
      ),
    duration(seconds: number): string {
      if (seconds < 0.9995) return t.units.milliseconds(number(seconds * 1000, 1));
      if (seconds < 10) return t.units.seconds(number(seconds, 1));
      if (seconds < 99.5) return t.units.seconds(number(Math.round(seconds)));
      const whole = Math.round(seconds);
      return t.units.minutes(Math.floor(whole / 60), whole % 60);
    },
    /** A line for a diagnostic's code, where there is one. */
    diagnosticTitle: (code: string) => (t.diagnostics as Record<string, string>)[code],
    /** A line for an error's code. */
    errorTitle: (code: string) => (t.errors as Record<string, string>)[code] ?? t.errors.OTHER,
    /** What a diagnosis found; undefined: the library's own words. */
    causeText: (code: string): { what?: string; remedy?: string } =>
      (t.causes as Record<string, { what: string; remedy: string }>)[code] ?? {},
    /** A sentence of the library; what has no translation is marked as English. */
    said(message: string, parts?: TextParts): { text: string; lang: 'en' | undefined } {
      const text = library ? translate(library.forms, message, parts) : message;
      return { text, lang: language !== 'en' && text === message ? 'en' : undefined };
    },
    /** Help of an option; undefined: the library's own words. */
    optionHelp: (name: string): string | undefined => library?.options[name],
  };
}
