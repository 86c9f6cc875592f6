// Checks option values against schema.ts and fills in the defaults. Everything here is known without
// the model; names of nodes and tensors are checked by the core (Session.configure).
import { QuantizeError } from './errors.js';
import { didYouMean } from './near-matches.js';
import {
  camelCase,
  type ExtraOptionSpec,
  extraOptions,
  type OptionSpec,
  quantizeStaticOptions,
} from './schema.js';

/** Option values under the reference's names. */
export type OptionValues = Record<string, unknown>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/** A value as an error text shows it. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? `"${value}"` : JSON.stringify(value);
  return text === undefined ? String(value) : text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function sameValue(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function invalid(message: string, hint?: string): QuantizeError {
  return new QuantizeError('INVALID_OPTION', message, hint ? { hint } : {});
}

function notYet(what: string): QuantizeError {
  return new QuantizeError('UNSUPPORTED_OPTION', `${what} is not available yet`);
}

/** Throws INVALID_OPTION with near matches for a key that is not in `known`. */
export function checkKnown(what: string, name: string, known: Iterable<string>): void {
  const names = [...known];
  if (names.includes(name)) return;
  throw invalid(`unknown ${what} "${name}"`, didYouMean(name, names) || undefined);
}

/** A checked value for one option; `label` is how the user spelled it. */
export function checkValue(spec: OptionSpec, given: unknown, label: string = spec.name): unknown {
  // None, null and an absent value are the default, as in the reference.
  if (given === null || given === undefined) return spec.default;
  const value = checkKind(spec, given, label);
  if (spec.later && !sameValue(value, spec.default)) throw notYet(`${label} = ${show(value)}`);
  return value;
}

function checkKind(spec: OptionSpec, value: unknown, label: string): unknown {
  const expected = (what: string) =>
    invalid(`${label}: expected ${what} but received ${show(value)}`);
  switch (spec.kind) {
    case 'boolean':
      if (typeof value !== 'boolean') throw expected('true or false');
      return value;
    case 'enum':
      return checkEnum(spec, value, label);
    case 'strings':
      if (!isStrings(value)) throw expected('a list of names');
      return value;
    case 'paths':
      if (typeof value === 'string' && value !== '') return value;
      if (isStrings(value)) return value.length > 0 ? value : spec.default; // []: the default
      throw expected('a path or a list of paths');
    case 'path':
    case 'string':
      if (typeof value !== 'string' || value === '') throw expected('a path');
      return value;
    case 'number':
      if (typeof value !== 'number' || !Number.isFinite(value)) throw expected('a number');
      return value;
    case 'integer':
      if (!Number.isSafeInteger(value)) throw expected('a whole number');
      return value;
    case 'object':
      if (!isObject(value)) throw expected('an object');
      return value;
    case 'preprocess':
      if (typeof value !== 'string' && !isObject(value)) throw expected('a preset or an object');
      return value;
  }
}

function checkEnum(spec: OptionSpec, value: unknown, label: string): string {
  const values = spec.values ?? [];
  // Lower case is what the reference's own command line takes: "qdq", "quint8".
  const found = values.find((known) => known.toLowerCase() === String(value).toLowerCase());
  if (typeof value !== 'string' || found === undefined) {
    const near = typeof value === 'string' ? didYouMean(value, values) : '';
    throw invalid(
      `${label}: expected one of ${values.join(', ')} but received ${show(value)}`,
      near || undefined,
    );
  }
  if (spec.available && !spec.available.includes(found)) throw notYet(`${label} = ${found}`);
  return found;
}

/** Checks `extra_options` for the format; returns those given, unchanged. */
export function checkExtraOptions(
  given: Record<string, unknown>,
  format: string,
): Record<string, unknown> {
  const checked: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    checkKnown('extra option', key, Object.keys(extraOptions));
    const spec = extraOptions[key] as ExtraOptionSpec;
    if (value === null || value === undefined) continue;
    const result = checkKind({ ...spec, name: key, group: '' }, value, key);
    const isDefault = sameValue(result, spec.default);
    if (!isDefault && spec.later) throw notYet(`extra option ${key} = ${show(result)}`);
    if (!isDefault && spec.format && spec.format !== format) {
      throw new QuantizeError(
        'UNSUPPORTED_OPTION',
        `extra option ${key} has no effect with quant_format ${format}`,
        { hint: `leave it out, or use quant_format ${spec.format}` },
      );
    }
    checked[key] = result;
  }
  return checked;
}

/** Checks values for a table of options; absent ones get their defaults. Keys not in the table are an error. */
export function checkOptions(table: readonly OptionSpec[], given: OptionValues): OptionValues {
  const byName = new Map(table.map((spec) => [spec.name, spec]));
  for (const name of Object.keys(given)) checkKnown('option', name, byName.keys());
  const checked: OptionValues = {};
  for (const spec of table) checked[spec.name] = checkValue(spec, given[spec.name]);
  return checked;
}

/** Checks all parameters of quantize_static, under the reference's names. */
export function checkQuantizeStatic(given: OptionValues): OptionValues {
  const checked = checkOptions(quantizeStaticOptions, given);
  checked.extra_options = checkExtraOptions(
    checked.extra_options as Record<string, unknown>,
    checked.quant_format as string,
  );
  return checked;
}

/** Keys of an options object of the JavaScript API → the reference's names. `own`: further keys that it may have. */
export function fromCamelCase(
  table: readonly OptionSpec[],
  given: object,
  own: readonly string[],
): OptionValues {
  const names = new Map(table.map((spec) => [camelCase(spec.name), spec.name]));
  const values: OptionValues = {};
  for (const [key, value] of Object.entries(given)) {
    if (own.includes(key) || value === undefined) continue;
    checkKnown('option', key, [...names.keys(), ...own]);
    values[names.get(key) as string] = value;
  }
  return values;
}

/** The subset of checked values that the core takes (src/quantization/config.h). */
export function coreOptions(checked: OptionValues): OptionValues {
  const own = ['model_input', 'model_output', 'calibrate_dataset', 'preprocess'];
  const ours = [...own, 'use_external_data_format', 'calibrate_method', 'calibration_cache_path'];
  const options = { ...checked };
  for (const name of [...ours, 'calibration_providers']) delete options[name];
  const extra = Object.entries(checked.extra_options as Record<string, unknown>);
  // Those of a later version are at their defaults, or checkExtraOptions had thrown.
  options.extra_options = Object.fromEntries(extra.filter(([key]) => !extraOptions[key]?.later));
  return options;
}
