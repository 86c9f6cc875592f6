// The fields of a preprocessing as text, and back: what the form of step 3 shows.
import type { PartialPreprocess, PreprocessSpec } from 'onnx-ptq';

/** "123.7, 116.3, 103.5", or one number where all are the same. */
export function numbersText(values: readonly number[]): string {
  const isOne = values.every((value) => value === values[0]);
  return (isOne ? values.slice(0, 1) : values).map((value) => +value.toPrecision(6)).join(', ');
}

/** null: not one number, or three. */
export function parseNumbers(text: string): [number, number, number] | null {
  const values = text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map((part) => Number(part.replace('−', '-')));
  if (values.some((value) => !Number.isFinite(value))) return null;
  if (values.length === 1) return [values[0]!, values[0]!, values[0]!];
  return values.length === 3 ? (values as [number, number, number]) : null;
}

/** What the form says: all that it has fields for. */
export function customOf(spec: PreprocessSpec): PartialPreprocess {
  const { mode, width, height, resizeShorter, order, mean, std, scale, pad, align } = spec;
  return {
    mode,
    width,
    height,
    ...(mode === 'center' && resizeShorter !== undefined && { resizeShorter }),
    order,
    mean,
    std,
    ...(scale !== undefined && scale !== 1 && { scale }),
    ...(mode === 'letterbox' && { pad, ...(align && { align }) }),
  };
}
