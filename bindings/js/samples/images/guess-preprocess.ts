// How images are preprocessed where nothing was said: the model's input gives size, layout and
// channels. The normalization cannot be seen in an input: it is what running the model has told
// (evidence/), else assumed, and reported as such.

import { QuantizeError } from '../../base/errors.js';
import { fixedSize, nameInput } from '../../base/inputs.js';
import { say } from '../../base/text.js';
import type {
  Assumption,
  ModelSummary,
  PreprocessFinding,
  ValueSummary,
} from '../../base/types.js';
import {
  channelCount,
  describePreprocess,
  type PartialPreprocess,
  type PreprocessSpec,
  parsePreprocess,
  preprocessPresets,
  withAlpha,
} from './preprocess.js';

export interface ResolvedPreprocess {
  /** The input that takes the image. */
  input: ValueSummary;
  spec: PreprocessSpec;
  /** Shape of one sample's tensor: batch, then as the layout says; without a batch for rank 3. */
  dims: number[];
  /** What is done, for people. */
  done: string;
  assumed: Assumption[];
  found: PreprocessFinding | undefined;
  /** Both in one line, with how to change it. */
  statement: string;
}

/** By number of channels. */
const orders: Record<number, PreprocessSpec['order']> = { 1: 'Y', 3: 'RGB', 4: 'RGBA' };
const imageTypes = ['float32', 'float16', 'float64', 'uint8'];
// Where the model leaves its size open: that of most ImageNet classifiers.
const fallbackSide = 224;
// Inputs smaller than this (CIFAR, MNIST) are the whole picture, not a crop of it.
const leastCrop = 96;

interface ImageInput {
  input: ValueSummary;
  layout: PreprocessSpec['layout'];
  channels: number | null;
  height: number | null;
  width: number | null;
  batch: number | null;
  hasBatch: boolean;
}

/**
 * Reads an input as an image, null where it can't be one. `layout` settles what the shape leaves
 * open.
 */
function asImage(input: ValueSummary, layout?: PreprocessSpec['layout']): ImageInput | null {
  if (!imageTypes.includes(input.type)) return null;
  const shape = input.shape ?? [null, null, null, null];
  if (shape.length !== 4 && shape.length !== 3) return null;
  const hasBatch = shape.length === 4;
  const [first, second, third] = shape.slice(-3).map(fixedSize);
  const isCount = (channels: number | null | undefined) =>
    channels === 1 || channels === 3 || channels === 4;
  const isNhwc = layout ? layout === 'NHWC' : isCount(third) && !isCount(first);
  const channels = isNhwc ? third : first;
  if (channels !== null && !isCount(channels)) return null;
  return {
    input,
    layout: isNhwc ? 'NHWC' : 'NCHW',
    channels: channels ?? null,
    height: (isNhwc ? first : second) ?? null,
    width: (isNhwc ? second : third) ?? null,
    batch: hasBatch ? fixedSize(shape[0]) : null,
    hasBatch,
  };
}

function findImageInput(model: ModelSummary, layout?: PreprocessSpec['layout']): ImageInput {
  const hint = 'give the samples as .npz with one array per input, or write a reader';
  if (model.inputs.length !== 1) {
    const inputs = model.inputs.map(nameInput).join(', ');
    throw new QuantizeError(
      'INVALID_DATA',
      say`images fit only a model with one input; this one has ${model.inputs.length}: ${inputs}`,
      { hint },
    );
  }
  const input = model.inputs[0]!;
  const image = asImage(input, layout);
  if (image) return image;
  throw new QuantizeError(
    'INVALID_DATA',
    say`the model's input ${nameInput(input)} does not take images (1, 3 or 4 channels of float or uint8)`,
    { hint, tensor: input.name },
  );
}

/**
 * Completes `given` (see parsePreprocess) with what the model's input says, and the rest by
 * assumption: three channels are RGB in -1…1, four RGBA, one is luma in 0…1, uint8 is not
 * normalized; square inputs get a centre crop. `found`: what the model itself has told. Throws
 * INVALID_DATA for a model that takes no image, INVALID_OPTION where `given` contradicts the
 * input's shape.
 */
export function resolvePreprocess(
  model: ModelSummary,
  given: PartialPreprocess = {},
  found?: PreprocessFinding,
): ResolvedPreprocess {
  const image = findImageInput(model, given.layout);
  const { input, batch, hasBatch, layout } = image;
  // Presets speak of colours: with a fourth channel they are those of RGBA.
  const order =
    given.order === 'RGB' && image.channels === 4
      ? 'RGBA'
      : (given.order ?? orders[image.channels ?? 3]!);
  const channels = channelCount(order);
  const width = given.width ?? image.width ?? given.height ?? image.height ?? fallbackSide;
  const height = given.height ?? image.height ?? width;
  const small = Math.min(width, height) < leastCrop;
  const preset =
    input.type === 'uint8' ? 'zero-to-255' : channels === 1 ? 'zero-to-one' : 'minus-one-to-one';
  const { mean, std } = preprocessPresets[preset]!.spec;
  const colours: PreprocessSpec = {
    mode: width === height && !small ? 'center' : 'stretch',
    interpolation: 'bilinear',
    pad: 114,
    mean: mean!,
    std: std!,
    ...given,
    width,
    height,
    layout,
    order,
    ...(found && { order: found.chosen.order, mean: found.chosen.mean, std: found.chosen.std }),
  };
  const spec = order === 'RGBA' ? withAlpha(colours) : colours;
  if (input.type === 'uint8') checkBytes(spec, input);
  const sides = layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
  const dims = hasBatch ? [batch ?? 1, ...sides] : sides;
  checkShape(input, dims);

  const assumed = (
    [
      [
        given.mean === undefined &&
          given.std === undefined &&
          input.type !== 'uint8' &&
          !found?.decided.normalization,
        'normalization',
      ],
      [given.mode === undefined, 'fit'],
      [given.width === undefined && image.width === null, 'size'],
      [given.order === undefined && channels >= 3 && !found?.decided.order, 'channel order'],
    ] as const
  ).flatMap(([isAssumed, what]) => (isAssumed ? [what] : []));
  const done = describePreprocess(spec);
  const texts = assumed.map((what) => (what === 'size' ? `size ${width}x${height}` : what));
  const statement =
    done +
    (found ? `; ${found.why}` : '') +
    (texts.length > 0
      ? `; guessed for input ${nameInput(input)}: ${texts.join(', ')}; change with --preprocess`
      : '');
  return { input, spec, dims, done, assumed, found, statement };
}

/**
 * What is done with images: `given` (as the option `preprocess`), completed from the model's input
 * and by assumption. Throws INVALID_DATA for a model that takes no image, INVALID_OPTION for a bad
 * `given`.
 */
export function guessPreprocess(
  model: ModelSummary,
  given: string | PartialPreprocess = {},
): { spec: PreprocessSpec; statement: string } {
  const { spec, statement } = resolvePreprocess(model, parsePreprocess(given));
  return { spec, statement };
}

function checkShape(input: ValueSummary, dims: readonly number[]): void {
  const expected = (input.shape ?? dims).map(fixedSize);
  if (expected.every((dim, i) => dim === null || dim === dims[i])) return;
  throw new QuantizeError(
    'INVALID_OPTION',
    say`preprocess makes [${dims.join(',')}], the model's input is ${nameInput(input)}`,
    { tensor: input.name },
  );
}

function checkBytes(spec: PreprocessSpec, input: ValueSummary): void {
  if (
    [...spec.mean].every((v) => v === 0) &&
    spec.std.every((v) => v === 1) &&
    (spec.scale ?? 1) === 1
  ) {
    return;
  }
  throw new QuantizeError(
    'INVALID_OPTION',
    say`preprocess: input "${input.name}" is uint8, which cannot be normalized`,
    { hint: 'use zero-to-255', tensor: input.name },
  );
}
