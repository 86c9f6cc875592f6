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

/** An error as plain data, which keeps its properties when it is sent to another thread. */
export interface ErrorData {
  code: string;
  message: string;
  node?: string | undefined;
  tensor?: string | undefined;
  hint?: string | undefined;
  /** What was behind it, in words. */
  cause?: string | undefined;
}

export function errorToData(error: unknown): ErrorData {
  if (!(error instanceof QuantizeError)) return { code: 'INTERNAL', message: String(error) };
  const { code, message, node, tensor, hint, cause } = error;
  return { code, message, node, tensor, hint, cause: cause === undefined ? cause : String(cause) };
}

export function errorFromData({
  code,
  message,
  node,
  tensor,
  hint,
  cause,
}: ErrorData): QuantizeError {
  return new QuantizeError(code, message, {
    ...(node && { node }),
    ...(tensor && { tensor }),
    ...(hint && { hint }),
    ...(cause && { cause: new Error(cause) }),
  });
}
