// The same object as long as it says the same: what depends on it (a session, say) is not made
// anew.
import { useRef } from 'preact/hooks';

export function useStable<Value>(value: Value, isSame: (a: Value, b: Value) => boolean): Value {
  const kept = useRef(value);
  if (kept.current !== value && !isSame(kept.current, value)) kept.current = value;
  return kept.current;
}
