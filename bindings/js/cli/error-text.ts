// Errors and diagnostics as lines of text.
import { QuantizeError } from '../base/errors.js';
import type { Diagnostic } from '../base/types.js';

/** Characters of a line: names in a model or a file may be of any length. */
const longest = 1200;

/**
 * What steers a terminal (C0, C1) or turns text around (bidi) as its code: names come from files.
 */
export function printable(text: string): string {
  const steering = /(?!\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
  return text.replace(
    steering,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** One line; of a long one its beginning and its end, where the facts are. */
export function oneLine(text: string): string {
  const line = printable(text.replace(/\s+/g, ' ').trim());
  if (line.length <= longest) return line;
  const part = (longest - 3) / 2;
  return `${line.slice(0, Math.ceil(part))}...${line.slice(-Math.floor(part))}`;
}

/** Message, place and hint in one line. */
export function describe({ message, node, tensor, hint }: Partial<Diagnostic>): string {
  const whole = message ?? '';
  const places = [
    node && !whole.includes(node) ? `node "${oneLine(node)}"` : '',
    tensor && !whole.includes(tensor) ? `tensor "${oneLine(tensor)}"` : '',
  ].filter(Boolean);
  const place = places.length > 0 ? ` (${places.join(', ')})` : '';
  return `${oneLine(whole)}${place}${hint ? `; ${oneLine(hint)}` : ''}`;
}

/** At most three lines; no stack but for a bug in this tool. */
export function errorText(error: unknown): string {
  if (error instanceof QuantizeError) {
    const { hint, ...rest } = { ...error, message: error.message };
    const text = `error: ${describe(rest)}\n`;
    return hint ? `${text}  ${oneLine(hint)}\n` : text;
  }
  const message = error instanceof Error ? error.message : String(error);
  const place = error instanceof Error ? (error.stack?.split('\n')[1]?.trim() ?? '') : '';
  return `error: ${oneLine(message)} ${place}\n  this is a bug in onnx-ptq: please report it\n`;
}
