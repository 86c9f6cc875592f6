// The checked options that the core is sent: all that it takes, or only those that calibrated
// ranges depend on.
import type { OptionValues } from '../base/types.js';
import { sameValue } from '../base/values.js';
import { calibrateOptions } from './calibrate.js';
import { extraOptions } from './extra-options.js';
import type { Place } from './kinds.js';
import { quantizeStaticOptions } from './quantize-static.js';
import { isFor } from './spec.js';

// All rows that are for the core, of quantize_static and of calibrate.
const parameters = new Map(
  [...quantizeStaticOptions, ...calibrateOptions].map((spec) => [spec.name, spec]),
);

/** The options that the core takes (src/quantization/config.h), of those in `checked`. */
export function coreOptions(checked: OptionValues): OptionValues {
  return pick(checked, 'core');
}

/**
 * The options that ranges depend on, whatever else a run was given: a calibration state is of one
 * value of them, and goes on only with the same.
 */
export function rangeOptions(checked: OptionValues): OptionValues {
  const { activation_type } = checked;
  return {
    ...pick({ calib_per_channel: false, ...checked }, 'ranges'),
    // The ranges depend on neither; these go with any activation type and override.
    quant_format: 'QDQ',
    weight_type: activation_type === 'QFLOAT8E4M3FN' ? activation_type : 'QInt8',
  };
}

/** In the order of the tables; extra options at their default are left out. */
function pick(checked: OptionValues, place: Place): OptionValues {
  const options: OptionValues = {};
  for (const [name, spec] of parameters) {
    if (isFor(spec, place) && name in checked) options[name] = checked[name];
  }
  const given = checked.extra_options as OptionValues;
  const extra = Object.entries(extraOptions).filter(
    ([name, spec]) => isFor(spec, place) && name in given && !sameValue(given[name], spec.default),
  );
  options.extra_options = Object.fromEntries(extra.map(([name]) => [name, given[name]]));
  return options;
}
