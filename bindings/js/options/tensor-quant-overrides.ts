// extra_options.TensorQuantOverrides: quantization parameters by tensor name. This file checks the form, which is
// known without the model; whether a tensor exists, is an initializer and has the axis is checked against the
// model (config/model-overrides.ts, the core). Keys are the reference's. It stops checking after the first tensor;
// here every entry of every tensor is checked.
import { QuantizeError } from '../base/errors.js';
import { didYouMean } from '../base/near-matches.js';
import { type QuantType, quantTypes, zeroPointRange } from './quant-types.js';

/** One type for one tensor; what is left out is as without the override. */
export interface TensorParameters {
  quant_type?: QuantType;
  /** Only together with zero_point, and then without symmetric, reduce_range, rmin and rmax. */
  scale?: number;
  zero_point?: number;
  /** Mirror the range about 0. */
  symmetric?: boolean;
  /** Ends of the range, in place of the calibrated ones. */
  rmin?: number;
  rmax?: number;
}

export interface TensorQuantOverride extends TensorParameters {
  /** Per channel: the axis of the channels; negative ones count from the end. Initializers only. */
  axis?: number;
  /** Initializers only: one bit less. */
  reduce_range?: boolean;
  /** Activations only: a second type, into which the first is converted for the nodes in recv_nodes (absent: all). */
  convert?: TensorParameters & { quant_type: QuantType; recv_nodes?: string[] };
}

/** One object for the tensor (per tensor, or `axis` for all channels), or as many as it has channels. */
export type TensorQuantOverrides = Record<string, TensorQuantOverride[]>;

type Kind = 'type' | 'number' | 'integer' | 'boolean' | 'names' | 'convert';

const parameterKinds: Readonly<Record<string, Kind>> = {
  quant_type: 'type',
  scale: 'number',
  zero_point: 'integer',
  symmetric: 'boolean',
  rmin: 'number',
  rmax: 'number',
};
const overrideKinds: Readonly<Record<string, Kind>> = {
  ...parameterKinds,
  axis: 'integer',
  reduce_range: 'boolean',
  convert: 'convert',
};
const convertKinds: Readonly<Record<string, Kind>> = { ...parameterKinds, recv_nodes: 'names' };

const expected: Readonly<Record<Kind, string>> = {
  type: `one of ${quantTypes.join(', ')}`,
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  names: 'a list of names',
  convert: 'an object',
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isKind: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  type: (value) => typeof value === 'string' && (quantTypes as readonly string[]).includes(value),
  number: Number.isFinite,
  integer: Number.isSafeInteger,
  boolean: (value) => typeof value === 'boolean',
  names: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
  convert: isObject,
};

/** The error for an override of `tensor`. */
export function invalidOverride(tensor: string, message: string, hint?: string): QuantizeError {
  const details = hint ? { tensor, hint } : { tensor };
  return new QuantizeError(
    'INVALID_OPTION',
    `TensorQuantOverrides of "${tensor}": ${message}`,
    details,
  );
}

/**
 * Checks the form of the overrides; returns a copy without keys that are null. `activationType` is what an activation
 * has without an override. Throws INVALID_OPTION with the tensor.
 */
export function checkTensorQuantOverrides(
  value: unknown,
  activationType: QuantType,
): TensorQuantOverrides {
  if (!isObject(value)) {
    throw new QuantizeError(
      'INVALID_OPTION',
      'TensorQuantOverrides: expected an object of lists by tensor name',
      { hint: 'such as {"tensor": [{"quant_type": "QUInt16"}]}' },
    );
  }
  const checked = Object.entries(value).map(([tensor, list]): [string, TensorQuantOverride[]] => {
    if (!Array.isArray(list)) {
      throw invalidOverride(
        tensor,
        'expected a list of objects',
        'one object is a list of one: [{…}]',
      );
    }
    const entries = list.map(
      (entry) => checkEntry(tensor, 'an entry', entry, overrideKinds) as TensorQuantOverride,
    );
    if (entries.length > 1 || entries[0]?.axis !== undefined) checkChannels(tensor, entries);
    else if (entries[0]?.convert) checkConvert(tensor, entries[0], activationType);
    return [tensor, entries];
  });
  return Object.fromEntries(checked);
}

/** Keys, values, and which of them go together. */
function checkEntry(
  tensor: string,
  what: string,
  value: unknown,
  kinds: Readonly<Record<string, Kind>>,
): object {
  if (!isObject(value)) throw invalidOverride(tensor, `${what} is not an object`);
  const given = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
  for (const [key, item] of given) {
    const kind = Object.hasOwn(kinds, key) ? (kinds[key] as Kind) : null;
    if (kind === null) {
      const onlyOutside = Object.hasOwn(overrideKinds, key);
      throw invalidOverride(
        tensor,
        onlyOutside ? `${what} cannot have "${key}"` : `${what} has the unknown key "${key}"`,
        onlyOutside
          ? `"${key}" is for initializers, which are not converted`
          : didYouMean(key, Object.keys(kinds)) || `known are ${Object.keys(kinds).join(', ')}`,
      );
    }
    if (!isKind[kind](item)) {
      const near = kind === 'type' ? didYouMean(String(item), quantTypes) : '';
      throw invalidOverride(
        tensor,
        `${key}: expected ${expected[kind]} but received ${JSON.stringify(item)}`,
        near || undefined,
      );
    }
  }
  const entry = Object.fromEntries(given) as TensorQuantOverride;
  checkParameters(tensor, entry);
  return entry;
}

function checkParameters(tensor: string, entry: TensorQuantOverride): void {
  const { scale, zero_point: zeroPoint, quant_type: type, rmin, rmax } = entry;
  if ((scale === undefined) !== (zeroPoint === undefined)) {
    throw invalidOverride(tensor, "Must provide both 'scale' and 'zero_point', or neither");
  }
  if (scale !== undefined) {
    const clashing = (['symmetric', 'reduce_range', 'rmin', 'rmax'] as const).filter(
      (key) => entry[key] !== undefined,
    );
    if (clashing.length > 0) {
      throw invalidOverride(
        tensor,
        `option(s) [${clashing.join(', ')}] are invalid with 'scale' and 'zero_point'`,
        'scale and zero point say everything: leave the others out',
      );
    }
    if (scale <= 0)
      throw invalidOverride(tensor, `scale: expected more than 0 but received ${scale}`);
  }
  if (zeroPoint !== undefined && type !== undefined) {
    const [lowest, highest] = zeroPointRange(type);
    if (zeroPoint < lowest || zeroPoint > highest) {
      throw invalidOverride(
        tensor,
        `zero_point: ${zeroPoint} is not a ${type}, which goes from ${lowest} to ${highest}`,
      );
    }
  }
  if (rmin !== undefined && rmax !== undefined && rmin > rmax) {
    throw invalidOverride(tensor, `rmin ${rmin} is larger than rmax ${rmax}`);
  }
}

/** Per channel: the first object has the axis, and all of them say the same kind of thing. */
function checkChannels(tensor: string, entries: TensorQuantOverride[]): void {
  const first = entries[0] as TensorQuantOverride;
  if (first.axis === undefined) {
    throw invalidOverride(
      tensor,
      'several objects are one for each channel, but the first has no "axis"',
      'give "axis" in the first object',
    );
  }
  for (const [channel, entry] of entries.entries()) {
    if (entry.convert) {
      throw invalidOverride(
        tensor,
        '"convert" together with "axis"',
        'initializers are not converted',
      );
    }
    for (const key of ['quant_type', 'symmetric', 'reduce_range'] as const) {
      if (entry[key] !== undefined && entry[key] !== first[key]) {
        throw invalidOverride(
          tensor,
          `"${key}" of channel ${channel} differs from that of channel 0`,
        );
      }
    }
    // A negative axis of the first may be the same as a positive one: that depends on the rank.
    const sameSign = entry.axis !== undefined && entry.axis < 0 === first.axis < 0;
    if (sameSign && entry.axis !== first.axis) {
      throw invalidOverride(tensor, `"axis" of channel ${channel} differs from that of channel 0`);
    }
    if (first.scale !== undefined && entry.scale === undefined) {
      throw invalidOverride(
        tensor,
        `"scale" and "zero_point" of channel ${channel} are missing`,
        'where channel 0 has them, all channels have them',
      );
    }
    if ((entry.rmin === undefined) !== (entry.rmax === undefined)) {
      throw invalidOverride(
        tensor,
        `"rmin" or "rmax" of channel ${channel} is missing`,
        'per channel they go together: give both or none',
      );
    }
    if (first.rmin !== undefined && entry.rmin === undefined) {
      throw invalidOverride(
        tensor,
        `"rmin" and "rmax" of channel ${channel} are missing`,
        'where channel 0 has them, all channels have them',
      );
    }
  }
}

function checkConvert(tensor: string, entry: TensorQuantOverride, activationType: QuantType): void {
  const convert = checkEntry(tensor, '"convert"', entry.convert, convertKinds) as NonNullable<
    TensorQuantOverride['convert']
  >;
  entry.convert = convert;
  if (convert.quant_type === undefined) {
    throw invalidOverride(tensor, '"convert" has no "quant_type"', 'give the type to convert to');
  }
  const original = entry.quant_type ?? activationType;
  if (convert.quant_type === original) {
    throw invalidOverride(
      tensor,
      `"convert" is to ${original}, which the tensor has already`,
      'give another quant_type, or leave "convert" out',
    );
  }
}

/** Every type that the overrides name, those of `convert` too. */
export function overrideTypes(overrides: TensorQuantOverrides): Set<QuantType> {
  const types = new Set<QuantType>();
  for (const { quant_type: type, convert } of Object.values(overrides).flat()) {
    if (type !== undefined) types.add(type);
    if (convert) types.add(convert.quant_type);
  }
  return types;
}

/** The first tensor that has a `convert`; undefined where none has. */
export function convertedTensor(overrides: TensorQuantOverrides): string | undefined {
  return Object.keys(overrides).find((tensor) => overrides[tensor]?.some(({ convert }) => convert));
}
