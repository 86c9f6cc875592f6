// How an image becomes a model's input tensor: what can be said about it (PreprocessSpec), by name
// (presets) or in one line, and what is assumed where nothing is said. The work is in src/image.

import { QuantizeError } from '../../base/errors.js';
import { didYouMean } from '../../base/near-matches.js';
import { type Sentence, say } from '../../base/text.js';

export const fitModes = ['none', 'stretch', 'center', 'letterbox'] as const;
export const layouts = ['NCHW', 'NHWC'] as const;
export const channelOrders = ['RGB', 'BGR', 'RGBA', 'Y'] as const;
export const interpolations = [
  'nearest',
  'box',
  'bilinear',
  'hamming',
  'bicubic',
  'lanczos',
] as const;
export const alignments = ['top-left', 'center'] as const;

export type Triple = [number, number, number];
/** A number for each colour, and with order RGBA one for alpha, if it is given. */
export type ByChannel = Triple | [...Triple, number];

export interface PreprocessSpec {
  /**
   * none: the image must have the size already. stretch: resize. center: resize the shorter side to
   * `resizeShorter`, then crop the centre. letterbox: resize to fit inside, then pad.
   */
  mode: (typeof fitModes)[number];
  width: number;
  height: number;
  /**
   * center: pixels of the shorter side before the crop. Default: 256/224 of the crop (256 for 224).
   */
  resizeShorter?: number;
  layout: (typeof layouts)[number];
  /**
   * RGBA: four channels; images without alpha are opaque. Y: one channel, the luma of ITU-R 601
   * (Pillow's convert('L')).
   */
  order: (typeof channelOrders)[number];
  /**
   * (pixel × scale − mean) ÷ std with pixels 0…255, per channel in the order of `order`. Where
   * three differ and RGBA has no fourth, alpha is 0…1.
   */
  mean: ByChannel;
  std: ByChannel;
  scale?: number;
  /** Pillow's filters, antialiased (nearest apart). */
  interpolation: (typeof interpolations)[number];
  /** letterbox: the pixel value of the border, before normalizing. */
  pad: number;
  /** letterbox: where the image goes. */
  align?: (typeof alignments)[number];
}

/** A PreprocessSpec of which the rest is taken from the model's input. */
export type PartialPreprocess = Partial<PreprocessSpec>;

export interface PreprocessPreset {
  /** Which models want this. */
  readonly reason: string;
  readonly spec: PartialPreprocess;
}

const same = (value: number): Triple => [value, value, value];
const tensorflow: PartialPreprocess = { order: 'RGB', mean: same(127.5), std: same(127.5) };

/** Named preprocessing, as data. Size and layout come from the model's input. */
export const preprocessPresets: Readonly<Record<string, PreprocessPreset>> = {
  'minus-one-to-one': {
    reason: '(x - 127.5) / 127.5: MobileNet, Inception and EfficientNet of Keras and TensorFlow',
    spec: tensorflow,
  },
  tf: { reason: 'minus-one-to-one under the name that Keras gives it', spec: tensorflow },
  inception: { reason: 'minus-one-to-one, as Inception introduced it', spec: tensorflow },
  imagenet: {
    reason: 'mean and deviation of ImageNet: torchvision, timm, most models trained with PyTorch',
    spec: { order: 'RGB', mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
  },
  'zero-to-one': {
    reason: 'x / 255: models that normalize inside, YOLOv5 and later, super-resolution',
    spec: { mean: same(0), std: same(255) },
  },
  'zero-to-255': {
    reason: 'x as it is: models that normalize inside, style transfer',
    spec: { mean: same(0), std: same(1) },
  },
  'caffe-bgr': {
    reason: 'BGR less the mean: models that came from Caffe (SqueezeNet, AlexNet, VGG, R-CNN)',
    spec: { order: 'BGR', mean: [104, 117, 123], std: same(1) },
  },
  'efficientnet-lite': {
    reason: '(x - 127) / 128: EfficientNet-Lite, UltraFace',
    spec: { order: 'RGB', mean: same(127), std: same(128) },
  },
  yolox: {
    reason: 'YOLOX: letterbox at the top left, grey border, BGR 0 to 255',
    spec: {
      mode: 'letterbox',
      align: 'top-left',
      pad: 114,
      order: 'BGR',
      mean: same(0),
      std: same(1),
    },
  },
  yolo: {
    reason: 'YOLOv5, v8 and later (Ultralytics): letterbox in the middle, grey border, RGB 0 to 1',
    spec: {
      mode: 'letterbox',
      align: 'center',
      pad: 114,
      order: 'RGB',
      mean: same(0),
      std: same(255),
    },
  },
};

const invalid = (message: Sentence, hint?: Sentence) =>
  new QuantizeError('INVALID_OPTION', say`preprocess: ${message}`, { hint });

function oneOf<T extends string>(key: string, value: unknown, known: readonly T[]): T {
  const found = known.find((item) => item.toLowerCase() === String(value).toLowerCase());
  if (found !== undefined) return found;
  throw invalid(
    say`${key} must be one of ${known.join(', ')}, not ${JSON.stringify(value)}`,
    didYouMean(String(value), known),
  );
}

function number(key: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw invalid(say`${key} must be a number, not ${JSON.stringify(value)}`);
}

function pixels(key: string, value: unknown, least: number, most: number): number {
  const count = number(key, value);
  if (Number.isInteger(count) && count >= least && count <= most) return count;
  throw invalid(say`${key} must be a whole number from ${least} to ${most}, not ${count}`);
}

function byChannel(key: string, value: unknown): ByChannel {
  const list = Array.isArray(value) ? value : [value];
  if (list.length !== 1 && list.length !== 3 && list.length !== 4) {
    throw invalid(say`${key} needs one number or three (four with alpha), not ${list.length}`);
  }
  const numbers = list.map((item) => number(key, item));
  return numbers.length === 1 ? same(numbers[0]!) : (numbers as ByChannel);
}

/** Numbers in the tensor of a pixel. */
export const channelCount = (order: PreprocessSpec['order']): number =>
  order === 'Y' ? 1 : order === 'RGBA' ? 4 : 3;

/**
 * Mean and deviation of alpha, where only those of colours were given: theirs where all are the
 * same, else those with which alpha is 0…1.
 */
export function withAlpha(spec: PreprocessSpec): PreprocessSpec {
  const { mean, std, scale = 1 } = spec;
  if (mean.length === 4 && std.length === 4) return spec;
  const isOne = [mean, std].every((values) => values.every((value) => value === values[0]));
  const [m, s] = isOne ? [mean[0], std[0]] : [0, 255 * scale];
  return {
    ...spec,
    mean: [mean[0], mean[1], mean[2], mean[3] ?? m],
    std: [std[0], std[1], std[2], std[3] ?? s],
  };
}

// Sides above this are a slip of the keyboard (src/image/preprocess.cc has the same limit).
const maxSide = 16384;

/** One function per key: checks the value and puts it into the spec. */
const setters: Record<string, (spec: PartialPreprocess, value: unknown) => void> = {
  mode(spec, value) {
    spec.mode = oneOf('mode', value, fitModes);
  },
  width(spec, value) {
    spec.width = pixels('width', value, 1, maxSide);
  },
  height(spec, value) {
    spec.height = pixels('height', value, 1, maxSide);
  },
  /** "320x240" (width x height), or one number for a square. */
  size(spec, value) {
    const [, width, height] = /^(\d+)(?:x(\d+))?$/i.exec(String(value)) ?? [];
    if (width === undefined) throw invalid(say`size must look like 320x240, not ${value}`);
    spec.width = pixels('size', Number(width), 1, maxSide);
    spec.height = pixels('size', Number(height ?? width), 1, maxSide);
  },
  resizeShorter(spec, value) {
    spec.resizeShorter = pixels('resizeShorter', value, 1, maxSide);
  },
  layout(spec, value) {
    spec.layout = oneOf('layout', value, layouts);
  },
  order(spec, value) {
    const grey = /^(l|gray|grey)$/i.test(String(value));
    spec.order = grey ? 'Y' : oneOf('order', value, channelOrders);
  },
  mean(spec, value) {
    spec.mean = byChannel('mean', value);
  },
  std(spec, value) {
    spec.std = byChannel('std', value);
    if (spec.std.includes(0)) throw invalid(say`std must not be 0`);
  },
  scale(spec, value) {
    spec.scale = number('scale', value);
  },
  interpolation(spec, value) {
    spec.interpolation = oneOf('interpolation', value, interpolations);
  },
  pad(spec, value) {
    spec.pad = pixels('pad', value, 0, 255);
  },
  align(spec, value) {
    spec.align = oneOf('align', value, alignments);
  },
};

function setKey(spec: PartialPreprocess, key: string, value: unknown): void {
  const name = key.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
  if (!Object.hasOwn(setters, name)) {
    const known = [...Object.keys(setters), 'preset'];
    const near = didYouMean(key, known);
    throw invalid(say`unknown key "${key}"`, near ?? say`the keys are ${known.join(', ')}`);
  }
  setters[name]!(spec, value);
}

function preset(name: unknown): PartialPreprocess {
  const key = String(name).toLowerCase().replaceAll('_', '-');
  if (Object.hasOwn(preprocessPresets, key)) return preprocessPresets[key]!.spec;
  const known = Object.keys(preprocessPresets);
  const near = didYouMean(key, known);
  throw invalid(say`unknown preset "${name}"`, near ?? say`the presets are ${known.join(', ')}`);
}

/**
 * Reads the `preprocess` option: a preset's name ("imagenet"), one line of key=value pairs, which
 * may begin with a preset ("imagenet size=299x299 mode=stretch", "mean=127,127,127 std=128
 * order=BGR"), JSON, or an object of the same keys. Keys may be written resizeShorter,
 * resize_shorter or resize-shorter. Throws QuantizeError INVALID_OPTION with near matches.
 */
export function parsePreprocess(value: unknown): PartialPreprocess {
  if (typeof value === 'string') {
    const text = value.trim();
    if (text.startsWith('{')) return parsePreprocess(parseJson(text));
    return parseLine(text);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(
      say`expected a preset, key=value pairs or an object, not ${JSON.stringify(value)}`,
    );
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined && item !== null);
  const base = entries.find(([key]) => key === 'preset');
  const spec: PartialPreprocess = base ? { ...preset(base[1]) } : {};
  for (const [key, item] of entries) if (key !== 'preset') setKey(spec, key, item);
  return spec;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(say`not valid JSON: ${(cause as Error).message}`);
  }
}

function parseLine(text: string): PartialPreprocess {
  const spec: PartialPreprocess = {};
  const parts = text.split(/\s+/).filter((part) => part !== '');
  if (parts.length === 0) throw invalid(say`empty`);
  parts.forEach((part, index) => {
    const equals = part.indexOf('=');
    if (equals < 0) {
      if (index > 0) throw invalid(say`expected key=value, not "${part}"`);
      Object.assign(spec, preset(part));
      return;
    }
    const text = part.slice(equals + 1);
    const items = text
      .split(',')
      .map((item) => (item !== '' && !Number.isNaN(+item) ? +item : item));
    setKey(spec, part.slice(0, equals), items.length === 1 ? items[0] : items);
  });
  return spec;
}

/** The normalization as a formula: "(x - 127.5) / 127.5". */
function formula({ mean, std, scale = 1, order }: PreprocessSpec): string {
  const show = (values: ByChannel) => {
    const used = order === 'Y' ? values.slice(0, 1) : values;
    return used.every((value) => value === used[0]) ? `${used[0]}` : `[${used.join(', ')}]`;
  };
  let text = scale === 1 ? 'x' : `x * ${+scale.toPrecision(6)}`;
  if (show(mean) !== '0') text = `(${text} - ${show(mean)})`;
  if (show(std) !== '1') text += ` / ${show(std)}`;
  return text.replace(/^\((.*)\)$/, '$1');
}

/** One line for people: "224x224 (centre crop of 256), RGB, (x - 127.5) / 127.5". */
export function describePreprocess(spec: PreprocessSpec): string {
  const side = Math.min(spec.width, spec.height);
  const fit = {
    none: 'not resized',
    stretch: 'stretched',
    center: `centre crop, shorter side ${spec.resizeShorter ?? Math.round((side * 256) / 224)}`,
    letterbox: `letterbox, ${spec.align ?? 'top-left'}, border ${spec.pad}`,
  }[spec.mode];
  const filter =
    spec.interpolation === 'bilinear' || spec.mode === 'none' ? '' : `, ${spec.interpolation}`;
  const order = spec.order === 'Y' ? 'luma' : spec.order;
  return `${spec.width}x${spec.height} (${fit}${filter}), ${order}, ${formula(spec)}`;
}
