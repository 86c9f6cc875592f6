// Checks option values against the rows of their table and fills in the defaults, so that what is
// returned has the types of the table. Which options go together is checked by the core
// (check-options.ts there), names of nodes and tensors when it has the model.

import { QuantizeError } from '../base/errors.js';
import { didYouMean } from '../base/near-matches.js';
import { type Sentence, say } from '../base/text.js';
import type { OptionValues } from '../base/types.js';
import { isObject, sameValue, show } from '../base/values.js';
import { checkOptionsInCore } from '../core/check-options.js';
import type { Core } from '../core/load.js';
import { type CheckedCalibrate, calibrateOptions } from './calibrate.js';
import { coreOptions } from './core-options.js';
import {
  calibrateArgs,
  type ExtraOptionSpec,
  type ExtraOptions,
  extraOptions,
} from './extra-options.js';
import { profiles } from './profiles.js';
import { type CheckedStatic, quantizeStaticOptions } from './quantize-static.js';
import { type CheckedOf, camelCase, isFor, type OptionSpec } from './spec.js';

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const invalid = (message: Sentence, hint?: Sentence) =>
  new QuantizeError('INVALID_OPTION', message, { hint });

const unsupported = (message: Sentence, hint?: Sentence) =>
  new QuantizeError('UNSUPPORTED_OPTION', message, { hint });

const notYet = (what: Sentence | string, hint?: Sentence) =>
  unsupported(say`${what} is not available yet`, hint);

/** Throws INVALID_OPTION with near matches for a key that is not in `known`. */
export function checkKnown(what: Sentence, name: string, known: Iterable<string>): void {
  const names = [...known];
  if (names.includes(name)) return;
  throw invalid(say`unknown ${what} "${name}"`, didYouMean(name, names));
}

/** What a value is checked against. */
type Checks = Pick<OptionSpec, 'kind' | 'default' | 'values' | 'min' | 'bare'>;

function checkKind(spec: Checks, value: unknown, label: string): unknown {
  const expected = (what: Sentence) =>
    invalid(say`${label}: expected ${what} but received ${show(value)}`);
  const { min } = spec;
  switch (spec.kind) {
    case 'boolean':
      if (typeof value !== 'boolean') throw expected(say`true or false`);
      return value;
    case 'enum':
      return checkEnum(spec, value, label);
    case 'strings':
      if (!isStrings(value)) throw expected(say`a list of names`);
      return value;
    case 'paths':
      if (typeof value === 'string' && value !== '') return value;
      if (isStrings(value)) return value.length > 0 ? value : spec.default; // []: the default
      throw expected(say`a path or a list of paths`);
    case 'path':
    case 'string':
      if (spec.bare && value === spec.bare) return value;
      if (typeof value !== 'string' || value === '') throw expected(say`a path`);
      return value;
    case 'number':
      if (!Number.isFinite(value) || (value as number) < (min ?? -Infinity)) {
        throw expected(min === undefined ? say`a number` : say`a number of at least ${min}`);
      }
      return value;
    case 'integer':
      if (!Number.isSafeInteger(value) || (value as number) < (min ?? -Infinity)) {
        throw expected(
          min === undefined ? say`a whole number` : say`a whole number of at least ${min}`,
        );
      }
      return value;
    case 'extra_options':
    case 'calibrate_args':
    case 'overrides': // their form: the core
      if (!isObject(value)) throw expected(say`an object`);
      return value;
    case 'axes':
      if (!isObject(value) || !Object.values(value).every(Number.isSafeInteger)) {
        throw expected(say`an object of whole numbers`);
      }
      return value;
    case 'preprocess':
      if (typeof value !== 'string' && !isObject(value)) throw expected(say`a preset or an object`);
      return value;
  }
}

function checkEnum({ values = [] }: Checks, value: unknown, label: string): string {
  // Lower case is what the reference's own command line takes: "qdq", "quint8".
  const found = values.find((known) => known.toLowerCase() === String(value).toLowerCase());
  if (typeof value === 'string' && found !== undefined) return found;
  throw invalid(
    say`${label}: expected one of ${values.join(', ')} but received ${show(value)}`,
    typeof value === 'string' ? didYouMean(value, values) : undefined,
  );
}

/**
 * A checked value of one parameter. None, null and an absent value are the default, as in the
 * reference.
 */
function checkValue(spec: OptionSpec, given: unknown): unknown {
  if (given === null || given === undefined) return spec.default;
  const value = checkKind(spec, given, spec.name);
  if (spec.refused && !sameValue(value, spec.default)) {
    throw unsupported(say`${spec.name} has no effect: ${spec.refused}`, say`leave it out`);
  }
  if (spec.later && !sameValue(value, spec.default)) throw notYet(`${spec.name} = ${show(value)}`);
  return value;
}

/**
 * Checks values for a table of options; absent ones get their defaults. Keys not in the table are
 * an error.
 */
export function checkOptions<Table extends readonly OptionSpec[]>(
  table: Table,
  given: OptionValues,
): CheckedOf<Table> {
  const byName = new Map(table.map((spec) => [spec.name, spec]));
  for (const name of Object.keys(given)) checkKnown(say`option`, name, byName.keys());
  const checked = table.map((spec) => [spec.name, checkValue(spec, given[spec.name])]);
  return Object.fromEntries(checked) as CheckedOf<Table>;
}

/**
 * Checks all parameters of quantize_static, under the reference's names; a profile fills in what is
 * not given. Throws INVALID_OPTION, UNSUPPORTED_OPTION.
 */
export function checkQuantizeStatic(given: OptionValues, core: Core): CheckedStatic {
  const checked = checkTogether(checkOptions(quantizeStaticOptions, given), given, core);
  checkEffort(checked);
  return checked;
}

/** What a search is told has an effect only where there is one. */
function checkEffort(checked: CheckedStatic): void {
  const { effort, target_agreement } = checked;
  const refuse = (name: keyof CheckedStatic, efforts: readonly string[]) => {
    if (checked[name] === null || efforts.includes(effort)) return;
    throw unsupported(
      say`${name} has no effect with effort ${effort}`,
      say`use effort ${efforts[0]}`,
    );
  };
  refuse('budget', ['max']);
  refuse('target_sqnr', ['normal', 'max']);
  refuse('target_agreement', ['normal', 'max']);
  refuse('max_float_nodes', ['normal', 'max', 'fast']);
  refuse('max_size', ['normal', 'max', 'fast']);
  refuse('save_recipe', ['normal', 'max', 'fast']);
  if (target_agreement !== null && target_agreement > 1) {
    throw invalid(say`${'target_agreement'}: expected a number from 0 to 1`);
  }
}

/** The same for calibrate. */
export function checkCalibrate(given: OptionValues, core: Core): CheckedCalibrate {
  return checkTogether(checkOptions(calibrateOptions, given), given, core);
}

/** What the parameters of a run have in common. */
type Common = Pick<
  CheckedStatic,
  'profile' | 'quant_format' | 'calibration_providers' | 'effort' | 'extra_options'
>;

function checkTogether<Options extends Common>(
  options: Options,
  given: OptionValues,
  core: Core,
): Options {
  const filled = options.profile === null ? options : applyProfile(options, given);
  const checked = settleEffort(
    { ...filled, extra_options: checkExtraOptions(filled.extra_options) },
    given,
  );
  checkOptionsInCore(core, coreOptions(checked));
  refuseProviders(checked.calibration_providers);
  return checked;
}

/** An effort that nobody asked for is none where repairs cannot be looked for. */
function settleEffort<Options extends Common>(options: Options, given: OptionValues): Options {
  const isAsked = (given.effort ?? null) !== null;
  if (isAsked || options.extra_options.EnableSubgraph !== true) return options;
  return { ...options, effort: 'none' };
}

/**
 * Fields of the profile that were not given; its extra options where they have an effect in the
 * format.
 */
function applyProfile<Options extends Common>(options: Options, given: OptionValues): Options {
  const { parameters, extra_options: extra } = profiles[options.profile!];
  const isGiven = (values: object, name: string) =>
    ((values as OptionValues)[name] ?? null) !== null;
  const fields = Object.entries(parameters).filter(([name]) => !isGiven(given, name));
  const filled = {
    ...options,
    ...Object.fromEntries(fields.map(([name, { value }]) => [name, value])),
  };
  const own = filled.extra_options;
  const further = Object.entries(extra).filter(([name]) => {
    const format = extraOptions[name]?.format;
    return !isGiven(own, name) && (!format || format === filled.quant_format);
  });
  const extras = Object.fromEntries(further.map(([name, { value }]) => [name, value]));
  return { ...filled, extra_options: { ...own, ...extras } };
}

/** Keys and values of `extra_options`; returns those given, without those that are null. */
function checkExtraOptions(given: ExtraOptions): ExtraOptions {
  const checked: OptionValues = {};
  for (const [key, value] of Object.entries(checkExtraValues(given))) {
    if (value === null || value === undefined) continue;
    const { later, default: usual } = extraOptions[key]!;
    if (later && !sameValue(value, usual)) {
      if (later === true) throw notYet(say`extra option ${key} = ${show(value)}`);
      throw notYet(later, say`it belongs to a later release; leave its options out`);
    }
    checked[key] = value;
  }
  return checked;
}

/** Keys and values only, as for a configuration that is not run here; null stays. */
export function checkExtraValues(given: ExtraOptions): ExtraOptions {
  const entries = Object.entries(given).map(([key, value]) => {
    checkKnown(say`extra option`, key, Object.keys(extraOptions));
    return [key, checkNullable(extraOptions[key]!, value, key)];
  });
  return Object.fromEntries(entries);
}

/** Checks calibrate_args of get_qdq_config; returns them as extra options. */
export function checkCalibrateArgs(given: object): ExtraOptions {
  const entries = Object.entries(given).map(([key, value]) => {
    checkKnown(say`key of ${'calibrate_args'}`, key, Object.keys(calibrateArgs));
    const name = calibrateArgs[key as keyof typeof calibrateArgs];
    return [name, checkNullable(extraOptions[name]!, value, key)];
  });
  return Object.fromEntries(entries);
}

function checkNullable(spec: ExtraOptionSpec, value: unknown, label: string): unknown {
  if (value === null || value === undefined) return null;
  return spec.kind === 'overrides' ? value : checkKind(spec, value, label); // overrides: the core
}

function refuseProviders(providers: readonly string[]): void {
  const other = providers.find((name) => name !== 'CPUExecutionProvider');
  if (other === undefined) return;
  throw unsupported(
    say`calibration_providers: ${other} is not in the runtimes that are used here`,
    say`leave it out; runtime webgpu calibrates on the GPU of a browser`,
  );
}

/**
 * The parameters of a table in an options object of the JavaScript API, under the reference's
 * names. `own`: further keys that the object may have. Throws INVALID_OPTION for unknown keys and
 * for options that only the command has.
 */
export function readParameters(
  table: readonly OptionSpec[],
  given: object,
  own: readonly string[],
): OptionValues {
  const specs = new Map(table.map((spec) => [camelCase(spec.name), spec]));
  const values: OptionValues = {};
  for (const [key, value] of Object.entries(given)) {
    if (own.includes(key) || value === undefined) continue;
    checkKnown(say`option`, key, [...specs.keys(), ...own]);
    const { name, api, ...spec } = specs.get(key)!;
    if (isFor(spec, 'command')) {
      throw invalid(
        say`"${key}" is an option of the command only`,
        api ? say`give ${api}` : undefined,
      );
    }
    values[name] = value;
  }
  return values;
}
