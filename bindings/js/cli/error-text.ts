// Errors and diagnostics as lines of text.
import { QuantizeError } from '../base/errors.js';
import type { Diagnostic } from '../base/types.js';

export const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Message, place and hint in one line. */
export function describe({ message, node, tensor, hint }: Partial<Diagnostic>): string {
  const text = oneLine(message ?? '');
  const places = [
    node && !text.includes(node) ? `node "${node}"` : '',
    tensor && !text.includes(tensor) ? `tensor "${tensor}"` : '',
  ].filter(Boolean);
  const place = places.length > 0 ? ` (${places.join(', ')})` : '';
  return `${text}${place}${hint ? `; ${oneLine(hint)}` : ''}`;
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
