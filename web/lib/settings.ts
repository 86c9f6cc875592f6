// What can be chosen on the page, as plain data: options of a session.
import {
  type CalibrationMethod,
  type EffortLevel,
  type ExtraOptions,
  type PartialPreprocess,
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
  /** Node names, one per line. */
  nodesToExclude: string;
  /** Empty: all. */
  opTypesToQuantize: string[];
  /** The other options, by the reference's name. */
  advanced: AdvancedValues;
  /** 'auto', 'custom', or the name of a preset. */
  preprocess: string;
  /** Where preprocess is 'custom'. */
  customPreprocess: PartialPreprocess;
}

/** The library's: exactly what Python does. */
export const libraryDefaults: Settings = {
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
  customPreprocess: {},
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
export type OfferedPreset = (typeof offeredPresets)[number];

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
  const { quantFormat, activationType, weightType, perChannel, reduceRange } = libraryDefaults;
  const open = { quantFormat, activationType, weightType, perChannel, reduceRange };
  if (profile === '') return { profile, ...open, advanced: { effort: 'none' } };
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

/**
 * What the page begins with: what runs well on the processors of browsers, desktops and servers.
 */
export const defaultSettings: Settings = { ...libraryDefaults, ...profileSettings('web-wasm') };

/** The option `preprocess`; undefined: found by running the model. */
export function preprocessOption(settings: Settings): string | PartialPreprocess | undefined {
  if (settings.preprocess === 'auto') return undefined;
  return settings.preprocess === 'custom' ? settings.customPreprocess : settings.preprocess;
}

/** Of .wav samples; undefined: the library's own. */
export const sampleRate = (settings: Settings) =>
  advancedValues(settings).parameters.sample_rate as number | undefined;

/** What a search for repairs is told. */
function searchOptions(parameters: Record<string, unknown>) {
  const number = (name: string) => parameters[name] as number | undefined;
  return {
    budget: number('budget'),
    targetSqnr: number('target_sqnr'),
    targetAgreement: number('target_agreement'),
    maxFloatNodes: number('max_float_nodes'),
    maxSize: number('max_size'),
  };
}

/** The same without a search for repairs. */
export const withoutRepairs = (settings: Settings): Settings => {
  const { budget, target_sqnr, target_agreement, max_float_nodes, max_size, ...others } =
    settings.advanced;
  return { ...settings, advanced: { ...others, effort: 'none' } };
};

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
    effort: parameters.effort as EffortLevel | undefined,
    ...searchOptions(parameters),
    extraOptions: extraOptions as ExtraOptions, // the library checks what was entered
  };
}

/** The settings under the reference's names, only what differs from its defaults. */
export function configuration(settings: Settings): Record<string, unknown> {
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
  const differs = ([name, value]: [string, unknown]) =>
    value !== undefined && JSON.stringify(value) !== JSON.stringify(usual[name]);
  return {
    ...Object.fromEntries(Object.entries(chosen).filter(differs)),
    ...(Object.keys(extraOptions).length > 0 && { extra_options: extraOptions }),
  };
}

/** Settings of a configuration file: that of the page, the command or an API call. */
export function settingsOf(config: Record<string, unknown>): Settings {
  const known = {
    quant_format: 'quantFormat',
    activation_type: 'activationType',
    weight_type: 'weightType',
    per_channel: 'perChannel',
    reduce_range: 'reduceRange',
    optimize_model: 'optimizeModel',
    op_types_to_quantize: 'opTypesToQuantize',
  } as const;
  const settings: Record<string, unknown> = { ...libraryDefaults };
  const advanced: Record<string, boolean | string> = {};
  const enter = (name: string, value: unknown) => {
    if (value === null || value === undefined) return;
    advanced[name] =
      typeof value === 'boolean' || typeof value === 'string' ? value : JSON.stringify(value);
  };
  for (const [name, value] of Object.entries(config)) {
    if (name in known) settings[known[name as keyof typeof known]] = value;
    else if (name === 'nodes_to_exclude') settings.nodesToExclude = [value].flat().join('\n');
    else if (name === 'extra_options') {
      for (const [key, option] of Object.entries(value as object)) enter(key, option);
    } else if (name === 'preprocess') {
      const isPreset = (offeredPresets as readonly unknown[]).includes(value);
      settings.preprocess = isPreset ? value : 'custom';
      if (!isPreset) settings.customPreprocess = value;
    } else enter(name, value);
  }
  return { ...(settings as unknown as Settings), advanced };
}
