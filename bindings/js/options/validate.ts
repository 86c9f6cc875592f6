// Checks option values against schema.ts and fills in the defaults. Everything here is known without
// the model; names of nodes and tensors are checked by the core (Session.configure).
import { QuantizeError } from '../base/errors.js';
import { didYouMean } from '../base/near-matches.js';
import { type ProfileName, profiles } from './profiles.js';
import {
  type CalibrationMethod,
  is4Bit,
  is16Bit,
  type QuantFormat,
  type QuantType,
} from './quant-types.js';
import {
  calibrateArgs,
  calibrateOptions,
  camelCase,
  type ExtraOptionSpec,
  extraOptions,
  type OptionSpec,
  quantizeStaticOptions,
} from './schema.js';
import {
  checkTensorQuantOverrides,
  convertedTensor,
  overrideTypes,
  type TensorQuantOverrides,
} from './tensor-quant-overrides.js';

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

function unsupported(message: string, hint?: string): QuantizeError {
  return new QuantizeError('UNSUPPORTED_OPTION', message, hint ? { hint } : {});
}

const notYet = (what: string, hint?: string) => unsupported(`${what} is not available yet`, hint);

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
      if (spec.bare && value === spec.bare) return value;
      if (typeof value !== 'string' || value === '') throw expected('a path');
      return value;
    case 'number':
      if (!Number.isFinite(value) || (value as number) < (spec.min ?? -Infinity)) {
        throw expected(`a number${atLeast(spec)}`);
      }
      return value;
    case 'integer':
      if (!Number.isSafeInteger(value) || (value as number) < (spec.min ?? -Infinity)) {
        throw expected(`a whole number${atLeast(spec)}`);
      }
      return value;
    case 'extra_options':
    case 'calibrate_args':
    case 'overrides': // in detail: tensor-quant-overrides.ts
      if (!isObject(value)) throw expected('an object');
      return value;
    case 'axes':
      if (!isObject(value) || !Object.values(value).every(Number.isSafeInteger)) {
        throw expected('an object of whole numbers');
      }
      return value;
    case 'preprocess':
      if (typeof value !== 'string' && !isObject(value)) throw expected('a preset or an object');
      return value;
  }
}

const atLeast = ({ min }: OptionSpec) => (min === undefined ? '' : ` of at least ${min}`);

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

/** Which types and format the extra options go with. */
export interface OptionContext {
  format: QuantFormat;
  activationType: QuantType;
  method: CalibrationMethod;
}

/** Checks `extra_options`; returns those given, without those that are null. */
export function checkExtraOptions(
  given: Record<string, unknown>,
  { format, activationType, method }: OptionContext,
): Record<string, unknown> {
  const checked: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    checkKnown('extra option', key, Object.keys(extraOptions));
    const spec = extraOptions[key] as ExtraOptionSpec;
    if (value === null || value === undefined) continue;
    const result = checkExtraOption(key, spec, value, activationType);
    const isDefault = sameValue(result, spec.default);
    if (!isDefault && spec.later === 'SmoothQuant') {
      throw notYet('SmoothQuant', 'it belongs to a later release; leave its options out');
    }
    if (!isDefault && spec.later) throw notYet(`extra option ${key} = ${show(result)}`);
    if (!isDefault && spec.format && spec.format !== format) {
      throw unsupported(
        `extra option ${key} has no effect with quant_format ${format}`,
        `leave it out, or use quant_format ${spec.format}`,
      );
    }
    if (!isDefault && spec.methods && !spec.methods.includes(method)) {
      throw unsupported(
        `extra option ${key} has no effect with calibrate_method ${method}`,
        `leave it out, or use calibrate_method ${spec.methods.join(' or ')}`,
      );
    }
    checked[key] = result;
  }
  return checked;
}

/** Checks keys and values only, as for a configuration that is not run here; null stays. */
export function checkExtraValues(
  given: Record<string, unknown>,
  activationType: QuantType,
): Record<string, unknown> {
  const entries = Object.entries(given).map(([key, value]) => {
    checkKnown('extra option', key, Object.keys(extraOptions));
    const spec = extraOptions[key] as ExtraOptionSpec;
    return [key, value === null ? null : checkExtraOption(key, spec, value, activationType)];
  });
  return Object.fromEntries(entries);
}

/** Checks calibrate_args of get_qdq_config; returns them as extra options. */
export function checkCalibrateArgs(given: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(given).map(([key, value]) => {
    checkKnown('key of calibrate_args', key, Object.keys(calibrateArgs));
    const name = calibrateArgs[key as keyof typeof calibrateArgs];
    const spec = extraOptions[name] as ExtraOptionSpec;
    const isSet = value !== null && value !== undefined;
    return [name, isSet ? checkKind({ ...spec, name: key, group: '' }, value, key) : null];
  });
  return Object.fromEntries(entries);
}

function checkExtraOption(
  key: string,
  spec: ExtraOptionSpec,
  value: unknown,
  activationType: QuantType,
): unknown {
  if (spec.kind === 'overrides') return checkTensorQuantOverrides(value, activationType);
  return checkKind({ ...spec, name: key, group: '' }, value, key);
}

/** Checks values for a table of options; absent ones get their defaults. Keys not in the table are an error. */
export function checkOptions(table: readonly OptionSpec[], given: OptionValues): OptionValues {
  const byName = new Map(table.map((spec) => [spec.name, spec]));
  for (const name of Object.keys(given)) checkKnown('option', name, byName.keys());
  const checked: OptionValues = {};
  for (const spec of table) checked[spec.name] = checkValue(spec, given[spec.name]);
  return checked;
}

/** Checks all parameters of quantize_static, under the reference's names; a profile fills in what is not given. */
export function checkQuantizeStatic(given: OptionValues): OptionValues {
  return checkCombinations(checkOptions(quantizeStaticOptions, given), given);
}

/** The same for calibrate. */
export function checkCalibrate(given: OptionValues): OptionValues {
  return checkCombinations(checkOptions(calibrateOptions, given), given);
}

function checkCombinations(checked: OptionValues, given: OptionValues): OptionValues {
  if (checked.profile !== null) applyProfile(checked, given);
  refuseTypes(checked);
  checked.extra_options = checkExtraOptions(checked.extra_options as Record<string, unknown>, {
    format: checked.quant_format as QuantFormat,
    activationType: checked.activation_type as QuantType,
    method: checked.calibrate_method as CalibrationMethod,
  });
  refuseOverrides(checked);
  refuseProviders(checked.calibration_providers as string[]);
  return checked;
}

/** Fields of the profile that were not given; its extra options where they have an effect in the format. */
function applyProfile(checked: OptionValues, given: OptionValues): void {
  const { parameters, extra_options: extra } = profiles[checked.profile as ProfileName];
  const isGiven = (values: OptionValues, name: string) => (values[name] ?? null) !== null;
  for (const [name, { value }] of Object.entries(parameters)) {
    if (!isGiven(given, name)) checked[name] = value;
  }
  const own = checked.extra_options as OptionValues;
  const filled: OptionValues = { ...own };
  for (const [name, { value }] of Object.entries(extra)) {
    const format = extraOptions[name]?.format;
    if (!isGiven(own, name) && (!format || format === checked.quant_format)) filled[name] = value;
  }
  checked.extra_options = filled;
}

/** Types that no runtime, or no operator of the format, takes together. */
function refuseTypes(checked: OptionValues): void {
  const activation = checked.activation_type as QuantType;
  const weight = checked.weight_type as QuantType;
  if (activation === 'QInt8' && weight === 'QUInt8') {
    throw unsupported(
      'QInt8 activations with QUInt8 weights are supported by no runtime',
      'use weight_type QInt8',
    );
  }
  const float8 = [activation, weight].filter((type) => type === 'QFLOAT8E4M3FN');
  if (float8.length === 1) {
    throw unsupported(
      `activations of ${activation} with weights of ${weight} are supported by no runtime`,
      'use QFLOAT8E4M3FN for both activation_type and weight_type, or for neither',
    );
  }
  if (float8.length === 2 && checked.calibrate_method !== 'Distribution') {
    throw unsupported(
      `QFLOAT8E4M3FN does not go with calibrate_method ${checked.calibrate_method}`,
      'its scales come from the distribution of the values: use calibrate_method Distribution',
    );
  }
  if (checked.quant_format === 'QOperator') refuseNarrowOrWide([activation, weight]);
}

function refuseProviders(providers: readonly string[]): void {
  const other = providers.find((name) => name !== 'CPUExecutionProvider');
  if (other === undefined) return;
  throw unsupported(
    `calibration_providers: ${other} is not in the runtimes that are used here`,
    'leave it out; runtime webgpu calibrates on the GPU of a browser',
  );
}

function refuseNarrowOrWide(types: Iterable<QuantType>, tensor?: string): void {
  const odd = [...types].find((type) => is16Bit(type) || is4Bit(type));
  if (odd === undefined) return;
  throw unsupported(
    `${odd} with quant_format QOperator: the quantized operators take 8 bits only${tensor ? ` (${tensor})` : ''}`,
    'use quant_format QDQ',
  );
}

/** What tensor overrides cannot be combined with. */
function refuseOverrides(checked: OptionValues): void {
  const extra = checked.extra_options as Record<string, unknown>;
  const overrides = (extra.TensorQuantOverrides ?? {}) as TensorQuantOverrides;
  const converted = convertedTensor(overrides);
  if (converted !== undefined && extra.DedicatedQDQPair === true) {
    throw unsupported(
      `DedicatedQDQPair with "convert" in TensorQuantOverrides (tensor "${converted}")`,
      'leave one of them out',
    );
  }
  if (checked.quant_format !== 'QOperator') return;
  refuseNarrowOrWide(overrideTypes(overrides), 'TensorQuantOverrides');
  if (converted !== undefined) {
    throw unsupported(
      `"convert" in TensorQuantOverrides (tensor "${converted}") has no effect with quant_format QOperator`,
      'use quant_format QDQ',
    );
  }
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
  const own = ['model_input', 'model_output', 'calibrate_dataset', 'preprocess', 'sample_rate'];
  const files = ['use_external_data_format', 'calibration_cache_path'];
  const running = ['runtime', 'workers', 'memory_budget', 'calibration_providers', 'resume'];
  const ranges = ['ranges', 'tables', 'tensorrt_cache', 'shard', 'calibration_state'];
  const options = { ...checked };
  for (const name of [...own, 'profile', ...files, ...running, ...ranges]) delete options[name];
  // What is at its default need not be said; options of a later version are, or checkExtraOptions had thrown.
  const extra = Object.entries(checked.extra_options as Record<string, unknown>);
  options.extra_options = Object.fromEntries(
    extra.filter(([key, value]) => !sameValue(value, extraOptions[key]?.default)),
  );
  return options;
}
