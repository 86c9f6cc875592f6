// What a model's input takes, and how the readers say that a file does not fit it.

import { QuantizeError } from './errors.js';
import { type Sentence, say, sentence, type TextParts } from './text.js';
import type { ModelSummary, ValueSummary } from './types.js';

type Dims = readonly (number | string | null)[];

/** "float32 [N,3,224,224]" */
export function describeInput({ type, shape }: ValueSummary): string {
  return shape === null ? type : describeTensor(type, shape);
}

export function describeTensor(type: string, dims: Dims): string {
  return `${type} [${dims.map((dim) => dim ?? '?').join(',')}]`;
}

/** '"image" float32 [N,3,224,224]' */
export const nameInput = (input: ValueSummary): string => `"${input.name}" ${describeInput(input)}`;

/** A dimension's size, null where it is dynamic. */
export function fixedSize(dim: number | string | null | undefined): number | null {
  return typeof dim === 'number' && dim > 0 ? dim : null;
}

/**
 * Whether an input takes a tensor of these dimensions; named and unknown ones take any size, 0 is a
 * size.
 */
export function takesShape({ shape }: ValueSummary, dims: readonly number[]): boolean {
  if (shape === null) return true;
  if (dims.length !== shape.length) return false;
  return shape.every((dim, i) => typeof dim !== 'number' || dim === dims[i]);
}

/** Why something cannot be read, in words that can follow "<name>: ". */
export class Reason extends Error {
  readonly parts: TextParts;

  constructor({ message, parts }: Sentence) {
    super(message);
    this.parts = parts;
  }
}

export const reasonOf = (error: Error): Sentence =>
  sentence(error.message, error instanceof Reason ? error.parts : undefined);

export function invalidData(
  file: { name: string },
  message: Sentence,
  input?: { name: string },
  hint: string | Sentence = '',
): QuantizeError {
  return new QuantizeError('INVALID_DATA', say`${file.name}: ${message}`, {
    ...(input ? { tensor: input.name } : {}),
    hint,
  });
}

/** The input of a model that has only one. `what` can't say which input it is for: ".wav files". */
export function onlyInput(model: ModelSummary, what: string): ValueSummary {
  if (model.inputs.length === 1) return model.inputs[0]!;
  const inputs = model.inputs.map(nameInput).join(', ');
  throw new QuantizeError(
    'INVALID_DATA',
    say`${what} fit only a model with one input; this one has ${model.inputs.length}: ${inputs}`,
    { hint: 'give the samples as .npz with one array per input, or write a reader' },
  );
}
