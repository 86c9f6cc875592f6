// The kinds of values that options take, and who an option is for.
import type { CalibrationMethod, QuantFormat } from './quant-types.js';
import type { TensorQuantOverrides } from './tensor-quant-overrides.js';

/** What a value of each kind is in TypeScript. */
export interface ValueKinds {
  boolean: boolean;
  enum: string; // one of the row's `values`
  strings: readonly string[]; // a list of names
  number: number;
  integer: number;
  axes: Readonly<Record<string, number>>; // an axis by operator type
  overrides: TensorQuantOverrides; // see tensor-quant-overrides.ts
}

/** Who an option is for: what is derived from its row. */
export type Place =
  /** The core: it is sent there. */
  | 'core'
  /** Calibration: ranges depend on it, so a calibration state is of one value of it. */
  | 'ranges'
  /** The library itself, which acts on it. */
  | 'run'
  /** A run that writes a quantized model: calibrate does not have it. */
  | 'quantize'
  /** The command line and its configuration file: the API has something else in its place. */
  | 'command'
  /** The page: a field among the further options. */
  | 'page';

/** What the rows of all tables say. */
export interface Row {
  /** null: not set, the rule in `help` decides. */
  readonly default: unknown;
  /** One line for --help. */
  readonly help: string;
  readonly for: readonly Place[];
  /** Known values of an enum. */
  readonly values?: readonly string[];
  /** The smallest number that is accepted. */
  readonly min?: number;
  /** Present where it has an effect in one format only. */
  readonly format?: QuantFormat;
  /** Present where only these calibration methods heed it. */
  readonly methods?: readonly CalibrationMethod[];
  /** Present where there is nothing for it to act on, with the reason: only its default goes. */
  readonly refused?: string;
  /** Present where it is known but not carried out yet: only its default is accepted. */
  readonly later?: true | 'SmoothQuant'; // the name of what it belongs to
}

/** The value of one option; null and undefined are its default. */
export type ValueOf<
  Spec extends { readonly kind: keyof Kinds },
  Kinds = ValueKinds,
> = Spec extends { readonly values: readonly (infer Value)[] } ? Value : Kinds[Spec['kind']];
