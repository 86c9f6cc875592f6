// An option of schema.ts in words: for --help and for the generated pages in docs/.
import type { ExtraOptionSpec, OptionSpec } from './schema.js';

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
  axes: 'JSON',
  overrides: 'JSON',
  calibrate_args: 'KEY=VALUE...',
  preprocess: 'PRESET',
};

/** What is written after the flag; '' where nothing needs to be. */
export function valueText(spec: OptionSpec): string {
  return (spec.available ?? spec.values)?.join('|') ?? valueNames[spec.kind];
}

/** The default; '' where the option is not set, or empty. */
export function defaultText({ default: value }: Pick<OptionSpec, 'default'>): string {
  return value === null || JSON.stringify(value)?.length === 2 ? '' : String(value);
}

/** What is not carried out yet; '' where everything is. */
export function laterText(spec: Pick<OptionSpec, 'values' | 'available' | 'later'>): string {
  if (spec.later) return 'not available yet';
  const later = spec.values?.filter((item) => spec.available && !spec.available.includes(item));
  return later?.length ? `not available yet: ${later.join(', ')}` : '';
}

/** Meaning, default, format. */
export function sentence(spec: OptionSpec | ExtraOptionSpec): string {
  const value = defaultText(spec);
  const notes = [
    value && `default: ${value}`,
    'format' in spec && spec.format ? `${spec.format} only` : '',
    laterText(spec),
  ].filter(Boolean);
  return spec.help + (notes.length > 0 ? ` (${notes.join('; ')})` : '');
}
