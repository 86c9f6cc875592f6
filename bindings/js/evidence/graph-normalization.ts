// Nodes at the beginning that normalize: pictures have to be given as they expect them. A candidate
// fits where it and they together are one of the usual normalizations.

import type { InputFacts, PreprocessCandidate } from '../base/types.js';

/** Values from pixels: pixel × scale + offset, by channel. */
interface Affine {
  scale: number[];
  offset: number[];
}

const channels = [0, 1, 2];

const affineOf = ({ mean, std }: PreprocessCandidate): Affine => ({
  scale: channels.map((c) => 1 / std[c]!),
  offset: channels.map((c) => -mean[c]! / std[c]!),
});

function after(first: Affine, then: { scale: number[]; offset: number[] }): Affine {
  const at = (list: number[], c: number) => list[list.length === 1 ? 0 : c] ?? Number.NaN;
  return {
    scale: channels.map((c) => first.scale[c]! * at(then.scale, c)),
    offset: channels.map((c) => first.offset[c]! * at(then.scale, c) + at(then.offset, c)),
  };
}

/** Of the range that pixels take in the other one. */
const tolerance = 0.02;

const isClose = (a: Affine, b: Affine): boolean =>
  channels.every((c) => {
    const span = Math.abs(b.scale[c]! * 255) * tolerance;
    return (
      Math.abs(a.offset[c]! - b.offset[c]!) < span &&
      Math.abs((a.scale[c]! - b.scale[c]!) * 255) < span
    );
  });

const isNothing = ({ scale, offset }: Affine): boolean =>
  scale.every((value) => Math.abs(value - 1) < tolerance) &&
  offset.every((value) => Math.abs(value) < tolerance);

/** Those of the candidates that fit; all of them where none does. */
export function fittingCandidates(
  normalization: InputFacts['normalization'],
  candidates: readonly PreprocessCandidate[],
): PreprocessCandidate[] {
  if (!normalization || isNothing(normalization)) return [...candidates];
  const usual = candidates.filter(({ mean, std }) => !(mean[0] === 0 && std[0] === 1));
  const fitting = candidates.filter((candidate) => {
    const together = after(affineOf(candidate), normalization);
    return usual.some((one) => one.order === candidate.order && isClose(together, affineOf(one)));
  });
  return fitting.length > 0 ? fitting : [...candidates];
}
