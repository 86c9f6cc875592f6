// Which statistics of the samples some settings need: what has to be collected for them, and what
// of it other settings share. Collected are whole passes (src/calibration/calibration.h): from
// those of one method the ranges of others follow, and of any tensors, as long as the float model
// is the same.

import { sameValue } from '../base/values.js';
import type { CoreCalibration } from '../core/calibration.js';
import { quantizeStaticDefaults } from '../options/defaults.js';
import type { ExtraOptions } from '../options/extra-options.js';
import type { CheckedStatic } from '../options/quantize-static.js';

/** Options that the float model is prepared by: its tensors depend on them. */
const preparing = ['optimize_model', 'disabled_passes', 'target_opset', 'fix_dim'] as const;
const preparingExtra = ['EnableSubgraph', 'DefaultTensorType'] as const;
/** Extra options that the lowest and highest values themselves depend on. */
const averaging = [
  'CalibMovingAverage',
  'CalibMovingAverageConstant',
  'CalibStridedMinMax',
] as const;
const binning = ['num_bins', 'num_quantized_bins', 'CalibTensorRangeSymmetric'] as const;

/** One thing to collect. */
export interface Statistics {
  /** Those of the same key are the same. */
  key: string;
  /** What to calibrate with. */
  checked: CheckedStatic;
  /** Those that have to be there first, and whose first pass is not repeated. */
  from: Statistics | null;
  /** Those that repairs are made from, where they do not come with these. */
  repairs: Statistics | null;
  /** Passes over the samples, without those of `from`. */
  passes: number;
}

const pickExtra = (extra: ExtraOptions, names: readonly (keyof ExtraOptions)[]): ExtraOptions =>
  Object.fromEntries(
    names.filter((name) => Object.hasOwn(extra, name)).map((name) => [name, extra[name]]),
  );

/** What the prepared model depends on. */
export function preparedKey(checked: CheckedStatic): string {
  return JSON.stringify([
    ...preparing.map((name) => checked[name]),
    ...preparingExtra.map((name) => checked.extra_options[name] ?? null),
  ]);
}

/** Options by which two settings prepare the model differently. */
export function preparedDifferences(a: CheckedStatic, b: CheckedStatic): string[] {
  return [
    ...preparing.filter((name) => !sameValue(a[name], b[name])),
    ...preparingExtra.filter(
      (name) => !sameValue(a.extra_options[name] ?? null, b.extra_options[name] ?? null),
    ),
  ];
}

/** `calibration`: one with the range options of `checked` and no effort, in its first pass. */
export function statisticsFor(checked: CheckedStatic, calibration: CoreCalibration): Statistics {
  const { pass, passCount } = calibration;
  const model = preparedKey(checked);
  const extra = pickExtra(checked.extra_options, preparingExtra);
  const plain = collecting(checked, extra);
  const own = {
    ...plain,
    effort: 'none' as const, // what repairs are made from comes with the ranges
    calibrate_method: checked.calibrate_method,
    extra_options: { ...extra, ...pickExtra(checked.extra_options, binning) },
  };
  const bins = checked.extra_options.num_bins ?? null;
  const repairs = checked.effort === 'none' ? null : rangeStatistics(checked, plain, model);
  if (pass === 'ranges') {
    const ranges = rangeStatistics(checked, plain, model);
    if (passCount === 1) return ranges;
    const key = JSON.stringify(['histograms', bins, ranges.key]);
    return { key, checked: own, from: ranges, repairs: null, passes: 1 };
  }
  if (pass === 'magnitudes') {
    const key = JSON.stringify(['magnitudes', bins, model]);
    return { key, checked: own, from: null, repairs, passes: passCount };
  }
  const key = JSON.stringify([pass, model]);
  return { key, checked: own, from: null, repairs, passes: passCount };
}

/** Lowest and highest values, with what repairs are made from. */
function rangeStatistics(checked: CheckedStatic, plain: CheckedStatic, model: string): Statistics {
  const averages = checked.extra_options.CalibMovingAverage === true;
  const averaged = averages ? pickExtra(checked.extra_options, averaging) : {};
  return {
    key: JSON.stringify(['ranges', averaged, model]),
    checked: { ...plain, extra_options: { ...plain.extra_options, ...averaged } },
    from: null,
    repairs: null,
    passes: 1,
  };
}

/** Settings that collect for all others with the same model: of every tensor, and for repairs. */
function collecting(checked: CheckedStatic, extra: ExtraOptions): CheckedStatic {
  const { fix_dim, optimize_model, disabled_passes, target_opset } = checked;
  const { hold_out, runtime, workers, memory_budget, strict } = checked;
  return {
    ...quantizeStaticDefaults,
    ...{ fix_dim, optimize_model, disabled_passes, target_opset },
    ...{ hold_out, runtime, workers, memory_budget, strict },
    quant_format: 'QDQ',
    weight_type: 'QInt8',
    effort: extra.EnableSubgraph === true ? 'none' : 'fast',
    extra_options: extra,
  };
}
