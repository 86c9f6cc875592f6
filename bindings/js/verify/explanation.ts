// Why a result is poor, and what was tried against it: what a quality warning is made of.

export interface Explanation {
  /**
   * The layer that does most harm, its share of it, and the cause; null where none is told apart.
   */
  worst: {
    node: string;
    tensor: string;
    share: number;
    cause: { tensor: string; text: string; remedy: string } | null;
  } | null;
  /** Settings as flags, and what came out: dB of the worst output, null where it did not run. */
  tried: TriedSetting[];
  /** The effort that repairs by itself, where it was not asked for. */
  effort: string | null;
}

export interface TriedSetting {
  flags: string;
  sqnr: number | null;
  /** Of one that is computed in float there: small, not fast. Milliseconds of a sample. */
  inFloat?: { milliseconds: number; float: number | null };
}
