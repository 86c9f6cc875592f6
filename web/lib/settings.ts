// What can be chosen on the page, as plain data: options of quantizeInWorker(), and the same as a
// command line.
import {
  type CalibrationMethod,
  type ExtraOptions,
  type ProfileName,
  profiles,
  type QuantFormat,
  type QuantType,
  quantizeStaticDefaults,
} from 'onnx-ptq';
import { type AdvancedValues, advancedValues, lines } from './advanced';

export interface Settings {
  /**
   * The profile that was chosen last; its fields are in the other settings, where they can be
   * changed.
   */
  profile: ProfileName | '';
  quantFormat: QuantFormat;
  activationType: QuantType;
  weightType: QuantType;
  perChannel: boolean;
  reduceRange: boolean;
  optimizeModel: boolean;
  /** Node names, one a line. */
  nodesToExclude: string;
  /** Empty: all. */
  opTypesToQuantize: string[];
  /** The other options, by the reference's name. */
  advanced: AdvancedValues;
  /** 'auto', 'custom', or the name of a preset. */
  preprocess: string;
  /** Where preprocess is 'custom': a preset and key=value pairs. */
  customPreprocess: string;
  /** At most this many samples, the first by name; null: all. */
  limit: number | null;
}

/** The library's, and those of the page alone. */
export const defaultSettings: Settings = {
  profile: '',
  quantFormat: quantizeStaticDefaults.quant_format,
  activationType: quantizeStaticDefaults.activation_type,
  weightType: quantizeStaticDefaults.weight_type,
  perChannel: quantizeStaticDefaults.per_channel,
  reduceRange: quantizeStaticDefaults.reduce_range,
  optimizeModel: quantizeStaticDefaults.optimize_model,
  nodesToExclude: '',
  opTypesToQuantize: [],
  advanced: {},
  preprocess: 'auto',
  customPreprocess: 'imagenet mode=center resizeShorter=256',
  limit: null,
};

/** Presets that the page offers; the library has some of them under a second name. */
export const offeredPresets = [
  'minus-one-to-one',
  'imagenet',
  'zero-to-one',
  'zero-to-255',
  'caffe-bgr',
  'efficientnet-lite',
  'yolo',
  'yolox',
] as const;

/**
 * Types that a format can have; QFLOAT8E4M3FN needs a calibration method that the page does not
 * offer.
 */
export const offeredTypes: Readonly<Record<QuantFormat, readonly QuantType[]>> = {
  QOperator: ['QUInt8', 'QInt8'],
  QDQ: ['QUInt8', 'QInt8', 'QUInt16', 'QInt16', 'QUInt4', 'QInt4'],
};

/** What a profile sets, and the defaults of what it leaves open. */
export function profileSettings(profile: ProfileName | ''): Partial<Settings> {
  const { quantFormat, activationType, weightType, perChannel, reduceRange } = defaultSettings;
  const open = { quantFormat, activationType, weightType, perChannel, reduceRange };
  if (profile === '') return { profile, ...open, advanced: {} };
  const { parameters, extra_options: extra } = profiles[profile];
  const advanced = Object.entries(extra).map(([name, { value }]) => [
    name,
    typeof value === 'boolean' ? value : JSON.stringify(value),
  ]);
  return {
    profile,
    quantFormat: parameters.quant_format?.value ?? quantFormat,
    activationType: parameters.activation_type?.value ?? activationType,
    weightType: parameters.weight_type?.value ?? weightType,
    perChannel: parameters.per_channel?.value ?? perChannel,
    reduceRange: parameters.reduce_range?.value ?? reduceRange,
    advanced: Object.fromEntries(advanced),
  };
}

/** The option `preprocess`; undefined: guessed. */
export function preprocessOption(settings: Settings): string | undefined {
  if (settings.preprocess === 'auto') return undefined;
  return settings.preprocess === 'custom' ? settings.customPreprocess : settings.preprocess;
}

/** Of .wav samples; undefined: the library's own. */
export const sampleRate = (settings: Settings) =>
  advancedValues(settings).parameters.sample_rate as number | undefined;

/** The options as the library takes them. */
export function libraryOptions(settings: Settings) {
  const { quantFormat, activationType, weightType, perChannel, reduceRange } = settings;
  const { parameters, extraOptions } = advancedValues(settings);
  return {
    quantFormat,
    activationType,
    weightType,
    perChannel,
    reduceRange,
    optimizeModel: settings.optimizeModel,
    opTypesToQuantize: settings.opTypesToQuantize,
    nodesToExclude: lines(settings.nodesToExclude),
    nodesToQuantize: (parameters.nodes_to_quantize ?? []) as string[],
    useExternalDataFormat: parameters.use_external_data_format === true,
    calibrateMethod: parameters.calibrate_method as CalibrationMethod | undefined,
    workers: parameters.workers as number | undefined,
    memoryBudget: parameters.memory_budget as number | undefined,
    extraOptions: extraOptions as ExtraOptions, // the library checks what was entered
  };
}

/** The command that does the same; only what differs from the defaults is written out. */
export function commandLine(settings: Settings, model: string, output: string): string {
  const quote = (text: string) =>
    /^[\w./=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
  const words = ['npx', 'onnx-ptq', '--input_model', model, '--output_model', output];
  words.push('--calibrate_dataset', './samples/');
  const { parameters, extraOptions } = advancedValues(settings);
  const chosen: Record<string, unknown> = {
    preprocess: preprocessOption(settings),
    quant_format: settings.quantFormat,
    activation_type: settings.activationType,
    weight_type: settings.weightType,
    per_channel: settings.perChannel,
    reduce_range: settings.reduceRange,
    optimize_model: settings.optimizeModel,
    op_types_to_quantize: settings.opTypesToQuantize,
    nodes_to_exclude: lines(settings.nodesToExclude),
    ...parameters,
  };
  const usual: Readonly<Record<string, unknown>> = quantizeStaticDefaults;
  for (const [name, value] of Object.entries(chosen)) {
    if (value === undefined || JSON.stringify(value) === JSON.stringify(usual[name])) continue;
    words.push(`--${name}`, ...(value === true ? [] : [value].flat().map(String)));
  }
  const extra = Object.entries(extraOptions).map(
    ([key, value]) => `${key}=${JSON.stringify(value)}`,
  );
  if (extra.length > 0) words.push('--extra_options', ...extra);
  return words.map(quote).join(' ');
}
