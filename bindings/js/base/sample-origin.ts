// Where a sample came from, for errors that only running it brings up.
import type { Feeds } from './types.js';

/**
 * A picture, and where its pixels are in the model's input: x · scaleX + left, y · scaleY + top.
 */
export interface PlacedPicture {
  file: string;
  scaleX: number;
  scaleY: number;
  left: number;
  top: number;
}

export interface SampleOrigin {
  /** The file, as messages call it. */
  file: string;
  /** Of pictures: those of the rows of the batch, in order. */
  pictures?: readonly PlacedPicture[] | undefined;
  /** How it was read, and how else it could be, where that is not plain. */
  note?: string | undefined;
}

const origins = new WeakMap<Feeds, SampleOrigin>();

/** Returns the sample. */
export function withOrigin(feeds: Feeds, origin: SampleOrigin | undefined): Feeds {
  if (origin) origins.set(feeds, origin);
  return feeds;
}

/** Undefined for samples of the user's own readers. */
export const originOf = (feeds: Feeds): SampleOrigin | undefined => origins.get(feeds);
