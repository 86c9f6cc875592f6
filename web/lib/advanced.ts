// The options that have no field of their own on the page, straight from the library's tables: what
// is shown for them, and what is made of what was entered. A field holds a boolean or text; absent:
// the default.
import {
  type CalibrationMethod,
  type ExtraOptionSpec,
  extraOptions,
  type OptionSpec,
  type QuantFormat,
  quantizeStaticDefaults,
  quantizeStaticOptions,
} from 'onnx-ptq';

export type AdvancedValues = Readonly<Record<string, boolean | string>>;

export interface AdvancedField {
  name: string;
  /** A key of extra_options, or a parameter of its own. */
  extra: boolean;
  spec: OptionSpec | ExtraOptionSpec;
}

const fields: readonly AdvancedField[] = [
  ...quantizeStaticOptions.map((spec) => ({ name: spec.name, extra: false, spec })),
  ...Object.entries(extraOptions).map(([name, spec]) => ({ name, extra: true, spec })),
].filter(({ spec }) => (spec as AdvancedField['spec']).for.includes('page'));

/** What the fields depend on and are filled with. */
export interface AdvancedSettings {
  quantFormat: QuantFormat;
  advanced: AdvancedValues;
}

/** Those that can be changed, and have an effect in the chosen format and calibration method. */
export function advancedFields({ quantFormat, advanced }: AdvancedSettings): AdvancedField[] {
  const { calibrate_method: usual } = quantizeStaticDefaults;
  const method = (advanced.calibrate_method ?? usual) as CalibrationMethod;
  const hasEffect = ({ format = quantFormat, methods }: AdvancedField['spec']) =>
    format === quantFormat && (!methods || methods.includes(method));
  return fields.filter(({ spec }) => !spec.later && hasEffect(spec));
}

export const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/**
 * What was entered as a value; what cannot be read is left as text, so that the library says what
 * is wrong.
 */
function parse(spec: AdvancedField['spec'], entered: boolean | string): unknown {
  if (typeof entered === 'boolean') return entered;
  if (spec.kind === 'strings') return lines(entered);
  try {
    return JSON.parse(entered);
  } catch {
    return entered;
  }
}

/** The reference's names and values of what differs from the defaults. */
export function advancedValues(settings: AdvancedSettings): {
  parameters: Record<string, unknown>;
  extraOptions: Record<string, unknown>;
} {
  const result = { parameters: {}, extraOptions: {} } as ReturnType<typeof advancedValues>;
  for (const { name, extra, spec } of advancedFields(settings)) {
    const entered = settings.advanced[name];
    if (entered === undefined || entered === '') continue;
    const value = parse(spec, entered);
    if (value === spec.default) continue;
    (extra ? result.extraOptions : result.parameters)[name] = value;
  }
  return result;
}
