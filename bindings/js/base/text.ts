// Sentences for people with their parameters apart, so that a page can say them in another
// language: the form, which has {0}, {1}, … in the places of the parameters, is the key of its
// translation.

/** What stands in the place of a parameter: a name, a number, or a sentence of its own. */
export type TextParam = string | number | TextParts;

export interface TextParts {
  form: string;
  params: readonly TextParam[];
}

/** A sentence in English, and its parts. */
export interface Sentence {
  readonly message: string;
  readonly parts: TextParts;
}

/** A template whose literals are the form: say`${count} samples were skipped`. */
export function say(literals: TemplateStringsArray, ...values: unknown[]): Sentence {
  const params = values.map(toParam);
  const join = (show: (i: number) => string, literal: (part: string) => string) =>
    literals.map((part, i) => (i === 0 ? '' : show(i - 1)) + literal(part)).join('');
  const form = join((i) => `{${i}}`, escaped);
  const message = join(
    (i) => inEnglish(params[i]!),
    (part) => part,
  );
  return { message, parts: { form, params } };
}

/** One that came as data, as a part of another. */
export const sentence = (message: string, parts?: TextParts): Sentence => ({
  message,
  parts: parts ?? { form: escaped(message), params: [] },
});

/** A sentence as the message of a diagnostic, and as its hint. */
export const asMessage = ({ message, parts }: Sentence) => ({ message, messageText: parts });
export const asHint = ({ message, parts }: Sentence) => ({ hint: message, hintText: parts });

function toParam(value: unknown): TextParam {
  if (typeof value === 'number') return value;
  if (isSentence(value)) return value.parts;
  return String(value);
}

const isSentence = (value: unknown): value is Sentence =>
  typeof value === 'object' && value !== null && 'parts' in value && 'message' in value;

/** Braces of its own are doubled in a form. */
export const escaped = (literal: string): string => literal.replace(/[{}]/g, '$&$&');

/** What replaces the English of a sentence; `forms`: translations by form. */
export type Translations = Readonly<Record<string, string>>;

/**
 * A sentence in the language of `forms`: the message itself where it has no translation. Parameters
 * that are sentences are translated, too.
 */
export function translate(forms: Translations, message: string, parts?: TextParts): string {
  const form = parts?.form ?? escaped(message);
  const translated = Object.hasOwn(forms, form) ? forms[form]! : hasNoWords(form) ? form : null;
  if (translated === null) return message;
  return fill(translated, parts?.params ?? [], (param) =>
    typeof param === 'object' ? translate(forms, inEnglish(param), param) : String(param),
  );
}

/** "{0}: {1}" is the same in every language; its parameters may be sentences. */
const hasNoWords = (form: string) => !/\p{L}/u.test(form);

function inEnglish(param: TextParam): string {
  return typeof param === 'object' ? fill(param.form, param.params, inEnglish) : String(param);
}

function fill(
  form: string,
  params: readonly TextParam[],
  show: (param: TextParam) => string,
): string {
  return form.replace(/\{\{|\}\}|\{(\d+)\}/g, (found, index?: string) => {
    if (index === undefined) return found[0]!;
    const param = params[Number(index)];
    return param === undefined ? found : show(param);
  });
}
