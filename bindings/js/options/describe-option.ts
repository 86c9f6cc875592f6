// An option in words: for --help and for the generated pages in docs/.
import type { ExtraOptionSpec } from './extra-options.js';
import type { OptionSpec } from './spec.js';

const valueNames: Readonly<Record<OptionSpec['kind'], string>> = {
  boolean: '',
  enum: '',
  path: 'FILE',
  paths: 'PATH...',
  string: 'NAME',
  strings: 'NAME...',
  number: 'NUMBER',
  integer: 'NUMBER',
  extra_options: 'KEY=VALUE...',
  axes: 'NAME=NUMBER...',
  overrides: 'JSON',
  calibrate_args: 'KEY=VALUE...',
  preprocess: 'PRESET',
};

/** What is written after the flag; '' where nothing needs to be. */
export function valueText(spec: OptionSpec): string {
  return spec.values?.join('|') ?? valueNames[spec.kind];
}

/** The default; '' where the option is not set, or empty. */
export function defaultText({ default: value }: Pick<OptionSpec, 'default'>): string {
  return value === null || JSON.stringify(value)?.length === 2 ? '' : String(value);
}

/** Whether it is carried out. */
export const laterText = ({ later, refused }: Pick<OptionSpec, 'later' | 'refused'>): string =>
  later ? 'not available yet' : refused ? 'has no effect here' : '';

/** Meaning, default, format. */
export function sentence(spec: OptionSpec | ExtraOptionSpec): string {
  const value = defaultText(spec);
  const notes = [
    value && `default: ${value}`,
    spec.format ? `${spec.format} only` : '',
    laterText(spec),
  ].filter(Boolean);
  return spec.help + (notes.length > 0 ? ` (${notes.join('; ')})` : '');
}
