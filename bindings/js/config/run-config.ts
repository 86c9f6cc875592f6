// quantize(): the reference's quantize(), which runs a configuration.
import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';
import { loadCore } from '../core/load.js';
import { type QuantizeResult, quantizeChecked } from '../jobs/quantize-static.js';
import { type QuantizeSource, quantizeSourceKeys } from '../options/api.js';
import { quantizeStaticOptions } from '../options/quantize-static.js';
import { type ConfigOf, without } from '../options/spec.js';
import { checkKnown, checkQuantizeStatic } from '../options/validate.js';
import type { Platform } from '../platform/platform.js';

/** What a configuration may have: no paths, which are the command's. */
const configOptions = without(quantizeStaticOptions, 'command');

/** Parameters of quantize_static under the reference's names; those left out have their default. */
export type QuantConfig = ConfigOf<typeof configOptions>;

/** What is not in the configuration: model, samples, and how the run is watched. */
export interface QuantizeOptions extends QuantizeSource {
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
  options.signal?.throwIfAborted();
  for (const name of Object.keys(options)) checkKnown(say`option`, name, quantizeSourceKeys);
  const known = configOptions.map(({ name }) => name);
  for (const name of Object.keys(quantConfig))
    checkKnown(say`option in ${'quantConfig'}`, name, known);
  return quantizeChecked(platform, options, checkQuantizeStatic(quantConfig, await loadCore()));
}
