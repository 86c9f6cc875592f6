// quantize(): the reference's quantize(), which runs a configuration.
import { QuantizeError } from '../base/errors.js';
import { type QuantizeResult, quantizeOn } from '../jobs/quantize-static.js';
import type { QuantizeStaticOptions } from '../options/api.js';
import { type ConfigOf, camelCase, quantizeStaticOptions } from '../options/schema.js';
import { checkKnown } from '../options/validate.js';
import type { Platform } from '../platform/platform.js';

type PathOptions = 'model_input' | 'model_output' | 'calibrate_dataset' | 'preprocess';

/** Parameters of quantize_static under the reference's names; those left out have their default. */
export type QuantConfig = Omit<ConfigOf<typeof quantizeStaticOptions>, PathOptions>;

/** What is not in the configuration: model, samples, and how the run is watched. */
export interface QuantizeOptions
  extends Pick<
    QuantizeStaticOptions,
    | 'modelInput'
    | 'modelOutput'
    | 'externalData'
    | 'calibrationDataReader'
    | 'calibrationCache'
    | 'signal'
    | 'onProgress'
    | 'onDiagnostic'
  > {
  /** As getQdqConfig() and getQnnQdqConfig() return it, or written by hand. */
  quantConfig: QuantConfig;
}

export async function runConfigOn<Model>(
  platform: Platform<Model>,
  { quantConfig, ...options }: QuantizeOptions,
): Promise<QuantizeResult<Model>> {
  if (typeof quantConfig !== 'object' || quantConfig === null) {
    throw new QuantizeError('INVALID_OPTION', 'quantConfig is missing', {
      hint: 'give what getQdqConfig() or getQnnQdqConfig() returns',
    });
  }
  const names = quantizeStaticOptions.map(({ name }) => name);
  const paths = ['model_input', 'model_output', 'calibrate_dataset', 'preprocess'];
  const known = names.filter((name) => !paths.includes(name));
  for (const name of Object.keys(quantConfig)) checkKnown('option in quantConfig', name, known);
  const parameters = Object.entries(quantConfig).map(([name, value]) => [camelCase(name), value]);
  return quantizeOn(platform, { ...Object.fromEntries(parameters), ...options });
}
