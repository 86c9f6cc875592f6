// The one error class of the library. Codes are stable and listed in docs/errors.md; those of the
// C++ core (src/base/error.h) cross unchanged.

export class QuantizeError extends Error {
  override readonly name = 'QuantizeError';
  readonly code: string;
  readonly node?: string;
  readonly tensor?: string;
  /** What to do about it. */
  readonly hint?: string;

  constructor(
    code: string,
    message: string,
    details: { node?: string; tensor?: string; hint?: string; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.node) this.node = details.node;
    if (details.tensor) this.tensor = details.tensor;
    if (details.hint) this.hint = details.hint;
  }
}
