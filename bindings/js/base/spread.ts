/** At most `count` of them, spread over all, each from the middle of its part. */
export function spread<T>(items: readonly T[], count: number): T[] {
  const parts = Math.min(count, items.length);
  const place = (part: number) => Math.floor(((part + 0.5) * items.length) / parts);
  return Array.from({ length: parts }, (_, part) => items[place(part)]!);
}
