// What a row of an option table says, and the types that follow from a table. Everything about an
// option is said once, in its row: validation (validate.ts), the command line (cli/args.ts), --help
// (cli/help.ts), the configuration file (config-file.ts), the types of the API (api.ts), what the
// core is sent, the page's fields and docs/options.md are made from the rows. Names and meaning are
// those of the reference, onnxruntime.quantization 1.32.
import type { PartialPreprocess } from '../samples/images/preprocess.js';
import type { CalibrateArgs, ExtraOptions } from './extra-options.js';
import type { Place, Row, ValueKinds, ValueOf } from './kinds.js';

/** The kinds of parameters: those of extra options, and more. */
interface ParameterKinds extends ValueKinds {
  path: string;
  paths: string | readonly string[]; // one path or several
  string: string;
  preprocess: string | PartialPreprocess; // a preset's name or an object, see preprocess.ts
  extra_options: ExtraOptions;
  calibrate_args: CalibrateArgs;
}

export type OptionKind = keyof ParameterKinds;

export interface OptionSpec extends Row {
  /** The reference's name: the key of a configuration file and the flag of the command line. */
  readonly name: string;
  readonly kind: OptionKind;
  readonly group: string;
  /** Further flags with the same meaning. */
  readonly aliases?: readonly string[];
  /** The words of a flag may be lists themselves, a,b: names in it have no commas. */
  readonly commas?: true;
  /** The value of a flag that has none. */
  readonly bare?: true;
  /** What the API has in place of an option of the command, as a hint. */
  readonly api?: string;
}

/** Headings of --help. */
export const groups = {
  files: 'Files',
  types: 'Format and types',
  scope: 'What is quantized',
  calibration: 'Calibration',
  effort: 'Effort',
  extra: 'Extra options',
  steps: 'Steps',
} as const;

type Table = readonly OptionSpec[];
type ParameterOf<Spec extends OptionSpec> = ValueOf<Spec, ParameterKinds>;

/** The options of a table under the reference's names, all of them optional. */
export type ConfigOf<Specs extends Table> = {
  [Spec in Specs[number] as Spec['name']]?: ParameterOf<Spec> | null | undefined;
};

/**
 * The options of a table as parameters of the API: camelCase, all of them optional, those of the
 * command left out.
 */
export type ParametersOf<Specs extends Table> = {
  [Spec in Without<Specs[number], 'command'> as CamelCase<Spec['name']>]?:
    | ParameterOf<Spec>
    | null
    | undefined;
};

/**
 * The options of a table after validation: each has a value; null only where null is its default.
 */
export type CheckedOf<Specs extends Table> = {
  [Spec in Specs[number] as Spec['name']]:
    | ParameterOf<Spec>
    | (Spec['default'] extends null ? null : never)
    | (Spec extends { readonly bare: true } ? true : never);
};

type Without<Spec extends Row, Left extends Place> = Spec extends unknown
  ? Left extends Spec['for'][number]
    ? never
    : Spec
  : never;

/** The rows of a table that are not for `place`. */
export function without<Spec extends OptionSpec, Left extends Place>(
  table: readonly Spec[],
  place: Left,
): readonly Without<Spec, Left>[] {
  return table.filter((spec): spec is Without<Spec, Left> => !isFor(spec, place));
}

export const isFor = (spec: Pick<Row, 'for'>, place: Place): boolean => spec.for.includes(place);

/** `calibration_cache_path` → `calibrationCachePath`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The same at the level of types. */
type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;
