// The same run elsewhere: as a command, in Node, in Python; and how the result is run in a page.
import type { PartialPreprocess } from 'onnx-ptq';
import { configuration, type Settings } from './settings';

export interface SameRun {
  settings: Settings;
  model: string;
  output: string;
  /** Names of the samples that calibrated; null: all of the folder. */
  samples: readonly string[] | null;
  /** The option hold_out. */
  holdOut: number;
}

const folder = './samples/';

const quote = (text: string) =>
  /^[\w./=,:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

const paths = (samples: readonly string[] | null) =>
  samples ? samples.map((name) => folder + name) : [folder];

/** What of the preprocessing is an object becomes key=value pairs. */
function preprocessText(value: unknown): string {
  if (typeof value === 'string') return value;
  return Object.entries(value as PartialPreprocess)
    .map(([key, item]) => `${key}=${[item].flat().join(',')}`)
    .join(' ');
}

/** `--runtime web`: what the page runs, so that ranges have the same bits. */
export function commandLine({ settings, model, output, samples, holdOut }: SameRun): string {
  const words = ['npx', 'onnx-ptq', '--input_model', model, '--output_model', output];
  words.push('--calibrate_dataset', ...paths(samples), '--runtime', 'web');
  words.push('--hold_out', String(holdOut));
  const { extra_options: extra = {}, ...parameters } = configuration(settings);
  for (const [name, value] of Object.entries(parameters)) {
    const text = name === 'preprocess' ? preprocessText(value) : value;
    words.push(`--${name}`, ...(text === true ? [] : [text].flat().map(String)));
  }
  const pairs = Object.entries(extra as object).map(
    ([key, value]) => `${key}=${JSON.stringify(value)}`,
  );
  if (pairs.length > 0) words.push('--extra_options', ...pairs);
  return words.map(quote).join(' ');
}

const camelCase = (name: string) =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

export function nodeCode({ settings, model, output, samples, holdOut }: SameRun): string {
  const { preprocess, sample_rate: rate, ...parameters } = configuration(settings);
  const reader = JSON.stringify({
    ...(preprocess !== undefined && { preprocess }),
    ...(rate !== undefined && { sampleRate: rate }),
  });
  const source = JSON.stringify(samples ? paths(samples) : folder);
  const options = Object.entries(parameters).map(
    ([name, value]) => `  ${camelCase(name)}: ${JSON.stringify(value)},`,
  );
  return [
    "import { datasetReader, quantizeStatic } from 'onnx-ptq';",
    '',
    'await quantizeStatic({',
    `  modelInput: ${JSON.stringify(model)},`,
    `  modelOutput: ${JSON.stringify(output)},`,
    `  calibrationDataReader: datasetReader(${source}${reader === '{}' ? '' : `, ${reader}`}),`,
    "  runtime: 'web',",
    `  holdOut: ${holdOut},`,
    ...options,
    '});',
  ].join('\n');
}

const enums: Record<string, string> = {
  quant_format: 'QuantFormat',
  activation_type: 'QuantType',
  weight_type: 'QuantType',
  calibrate_method: 'CalibrationMethod',
};
/** Parameters that Python's function does not have. */
const ours = new Set([
  'preprocess',
  'optimize_model',
  'effort',
  'hold_out',
  'workers',
  'memory_budget',
  'sample_rate',
]);

/** From the ranges that were downloaded: Python then calibrates nothing. */
export function pythonCode({ settings, model, output }: SameRun, ranges: string): string {
  const python = (value: unknown): string =>
    value === true
      ? 'True'
      : value === false
        ? 'False'
        : value === null
          ? 'None'
          : Array.isArray(value)
            ? `[${value.map(python).join(', ')}]`
            : typeof value === 'object'
              ? `{${Object.entries(value as object)
                  .map(([key, item]) => `${JSON.stringify(key)}: ${python(item)}`)
                  .join(', ')}}`
              : JSON.stringify(value);
  const explicit = { quant_format: settings.quantFormat, activation_type: settings.activationType };
  const given = { ...explicit, ...configuration(settings) };
  const options = Object.entries(given)
    .filter(([name]) => !ours.has(name))
    .map(([name, value]) => {
      const type = enums[name];
      return `    ${name}=${type ? `${type}.${value}` : python(value)},`;
    });
  return [
    'from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static',
    '',
    'quantize_static(',
    `    ${JSON.stringify(model)},`,
    `    ${JSON.stringify(output)},`,
    '    calibration_data_reader=None,',
    `    calibration_cache_path=${JSON.stringify(ranges)},`,
    ...options,
    ')',
  ].join('\n');
}

export function webCode(output: string, input: { name: string; shape: string }): string {
  return [
    "import * as ort from 'onnxruntime-web';",
    '',
    `const session = await ort.InferenceSession.create('./${output}');`,
    `// ${input.name}: ${input.shape}, preprocessed as above`,
    `const { [session.outputNames[0]]: result } = await session.run({ ${JSON.stringify(input.name)}: tensor });`,
  ].join('\n');
}
