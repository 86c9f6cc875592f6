// What calibration shows about the samples themselves: preprocessing that is not that of training
// is the most common reason for bad results, and the ranges tell.

import { asMessage, say } from '../base/text.js';
import type {
  Diagnostic,
  ExpectedMagnitude,
  ModelSummary,
  TensorRanges,
  ValueSummary,
} from '../base/types.js';

/** A warning is given where values are so many times larger or smaller than in training. */
const farLarger = 8;
const farSmaller = 1 / 30;

/** `samples`: how many there were. */
export function checkSamples(
  model: ModelSummary,
  expected: ExpectedMagnitude | null,
  ranges: TensorRanges,
  samples: number,
): Diagnostic[] {
  return [
    ...model.inputs.filter(({ isRead }) => isRead === false).map(unusedInput),
    ...wrongScale(model, expected, ranges),
    ...(samples > 1 ? constantOutputs(model, ranges) : []),
  ];
}

/**
 * Says of NaN where it comes from: tensors are named in the order of the graph, so where the first
 * one is no input, the samples have none and the graph makes it.
 */
export function originOfNan(notes: Diagnostic[], { inputs }: ModelSummary): Diagnostic[] {
  return notes.map((note) => {
    if (note.code !== 'NAN_IN_TENSOR') return note;
    if (inputs.some(({ name }) => name === note.tensor)) return note;
    return {
      ...note,
      hint: 'no input holds NaN: the node that writes the tensor makes it (0 / 0, a root or logarithm of less than 0), which may be meant',
    };
  });
}

function unusedInput({ name }: ValueSummary): Diagnostic {
  return {
    severity: 'warning',
    code: 'INPUT_UNUSED',
    ...asMessage(say`no node reads input '${name}': what samples have for it is without effect`),
    tensor: name,
  };
}

function wrongScale(
  model: ModelSummary,
  expected: ExpectedMagnitude | null,
  ranges: TensorRanges,
): Diagnostic[] {
  const range = expected ? ranges[expected.tensor] : undefined;
  if (!expected || !range) return [];
  const observed = Math.max(Math.abs(range[0]), Math.abs(range[1]));
  const factor = observed / expected.largest;
  if (factor < farLarger && factor > farSmaller) return [];
  const times = factor > 1 ? `${round(factor)} times larger` : `${round(1 / factor)} times smaller`;
  const inputs = model.inputs
    .flatMap(({ name }) => (ranges[name] ? [`'${name}' has ${text(ranges[name])}`] : []))
    .slice(0, 2);
  return [
    {
      severity: 'warning',
      code: 'INPUT_SCALE',
      message:
        `values are ${times} than in training: "${expected.tensor}" reaches ${round(observed)}, its ` +
        `BatchNormalization promises ${round(expected.largest)}${inputs.length > 0 ? ` (${inputs.join(', ')})` : ''}`,
      tensor: expected.tensor,
      hint: 'the samples are probably not preprocessed as in training: 0 to 255 instead of 0 to 1, or the other way round',
    },
  ];
}

function constantOutputs(model: ModelSummary, ranges: TensorRanges): Diagnostic[] {
  return model.outputs.flatMap(({ name }) => {
    const range = ranges[name];
    if (!range || range[0] !== range[1]) return [];
    return [
      {
        severity: 'warning' as const,
        code: 'CONSTANT_OUTPUT',
        ...asMessage(say`output '${name}' is ${round(range[0])} for every sample`),
        tensor: name,
        hint: 'the samples are probably not what the model was trained on',
      },
    ];
  });
}

const round = (value: number) => String(Number(value.toPrecision(3)));
const text = ([low, high]: TensorRanges[string]) => `${round(low)} to ${round(high)}`;
