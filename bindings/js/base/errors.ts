// The one error class of the library. Codes are stable and listed in docs/errors.md; those of the
// C++ core (src/base/error.h) cross unchanged.

import type { Sentence, TextParts } from './text.js';

export class QuantizeError extends Error {
  override readonly name = 'QuantizeError';
  readonly code: string;
  readonly node?: string;
  readonly tensor?: string;
  /** What to do about it. */
  readonly hint?: string;
  /** For translations, where a message has parameters. */
  readonly messageText?: TextParts;
  readonly hintText?: TextParts;

  constructor(
    code: string,
    message: string | Sentence,
    details: {
      node?: string;
      tensor?: string;
      hint?: string | Sentence | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(
      typeof message === 'string' ? message : message.message,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    if (typeof message !== 'string') this.messageText = message.parts;
    if (details.node) this.node = details.node;
    if (details.tensor) this.tensor = details.tensor;
    const { hint } = details;
    if (typeof hint === 'string' && hint) this.hint = hint;
    if (typeof hint !== 'object') return;
    this.hint = hint.message;
    this.hintText = hint.parts;
  }
}

/** An error as plain data, which keeps its properties when it is sent to another thread. */
export interface ErrorData {
  code: string;
  message: string;
  node?: string | undefined;
  tensor?: string | undefined;
  hint?: string | undefined;
  messageText?: TextParts | undefined;
  hintText?: TextParts | undefined;
  /** What was behind it, in words. */
  cause?: string | undefined;
}

export function errorToData(error: unknown): ErrorData {
  if (!(error instanceof QuantizeError)) return { code: 'INTERNAL', message: String(error) };
  const { code, message, node, tensor, hint, messageText, hintText, cause } = error;
  const why = cause === undefined ? cause : String(cause);
  return { code, message, node, tensor, hint, messageText, hintText, cause: why };
}

export function errorFromData({
  code,
  message,
  node,
  tensor,
  hint,
  messageText,
  hintText,
  cause,
}: ErrorData): QuantizeError {
  return new QuantizeError(code, withParts(message, messageText), {
    ...(node && { node }),
    ...(tensor && { tensor }),
    ...(hint && { hint: withParts(hint, hintText) }),
    ...(cause && { cause: new Error(cause) }),
  });
}

/** A sentence that came as data. */
const withParts = (message: string, parts: TextParts | undefined): string | Sentence =>
  parts ? { message, parts } : message;
