// The reference's enums, by member name: QuantType, QuantFormat, CalibrationMethod.

export const quantTypes = [
  'QInt8',
  'QUInt8',
  'QFLOAT8E4M3FN',
  'QInt16',
  'QUInt16',
  'QInt4',
  'QUInt4',
] as const;
export type QuantType = (typeof quantTypes)[number];

export const quantFormats = ['QOperator', 'QDQ'] as const;
export type QuantFormat = (typeof quantFormats)[number];

/** The reference's four; MSE and auto are ours. */
export const calibrationMethods = [
  'MinMax',
  'Entropy',
  'Percentile',
  'Distribution',
  'MSE',
  'auto',
] as const;
export type CalibrationMethod = (typeof calibrationMethods)[number];

/** What is done beyond the reference for the quality of the result. */
export const effortLevels = ['none', 'fast', 'normal', 'max'] as const;
export type EffortLevel = (typeof effortLevels)[number];

const bits: Readonly<Record<QuantType, number>> = {
  QInt8: 8,
  QUInt8: 8,
  QFLOAT8E4M3FN: 8,
  QInt16: 16,
  QUInt16: 16,
  QInt4: 4,
  QUInt4: 4,
};

export const is16Bit = (type: QuantType | undefined) => type !== undefined && bits[type] === 16;
export const is4Bit = (type: QuantType | undefined) => type !== undefined && bits[type] === 4;
/** QInt8 and QUInt8; QFLOAT8E4M3FN is no integer. */
export const isInteger8Bit = (type: QuantType | undefined) => type === 'QInt8' || type === 'QUInt8';

/** Smallest and largest zero point of a type. */
export function zeroPointRange(type: QuantType): readonly [number, number] {
  if (type === 'QFLOAT8E4M3FN') return [0, 0];
  const count = 2 ** bits[type];
  return type.startsWith('QU') ? [0, count - 1] : [-count / 2, count / 2 - 1];
}
