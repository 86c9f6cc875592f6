// The ways in which pictures may be preprocessed where nobody said it: the normalizations that
// presets stand for, each in both orders of the channels.
import type { PreprocessCandidate } from '../../base/types.js';
import type { ByChannel, PartialPreprocess, Triple } from './preprocess.js';
import { preprocessPresets } from './preprocess.js';

/**
 * In the order in which ties are broken. Left out: (x − 127) / 128, which no evidence can tell from
 * (x − 127.5) / 127.5 and no 8 bits either, and presets that differ from one of these in the fit.
 */
const tried = ['minus-one-to-one', 'imagenet', 'zero-to-one', 'zero-to-255', 'caffe-bgr'];
/** With one channel: the others are by colour. */
const triedWithLuma = ['zero-to-one', 'minus-one-to-one', 'zero-to-255'];

const kept = ([a, b, c]: ByChannel): Triple => [a, b, c];
const flipped = ([a, b, c]: ByChannel): Triple => [c, b, a];

/** Nothing where `given` says the normalization, and for pictures with alpha. */
export function candidatesFor(
  given: PartialPreprocess,
  channels: number,
  type: string,
): PreprocessCandidate[] {
  const isSaid = given.mean ?? given.std ?? given.scale;
  if (isSaid !== undefined || type === 'uint8' || channels > 3) return [];
  if (channels === 1) return triedWithLuma.map((preset) => candidate(preset, 'Y'));
  const orders = (['RGB', 'BGR'] as const).filter((order) => (given.order ?? order) === order);
  return tried.flatMap((preset) => orders.map((order) => candidate(preset, order)));
}

function candidate(preset: string, order: PreprocessCandidate['order']): PreprocessCandidate {
  const { spec } = preprocessPresets[preset]!;
  const turn = order !== 'Y' && order !== (spec.order ?? 'RGB') ? flipped : kept;
  const mean = turn(spec.mean!);
  const std = turn(spec.std!);
  const words = [preset];
  if (order !== 'Y' && spec.order !== order && (spec.order || order === 'BGR')) {
    words.push(`order=${order}`);
    if (mean[0] !== spec.mean![0]) words.push(`mean=${mean.join(',')}`);
    if (std[0] !== spec.std![0]) words.push(`std=${std.join(',')}`);
  }
  return { option: words.join(' '), preset, order, mean, std };
}
