// What somebody is asked once, as soon as it is shown: the answer, or why there is none.
import { useEffect, useState } from 'preact/hooks';

export type Answer<Value> =
  | { status: 'waiting' }
  | { status: 'there'; value: Value }
  | { status: 'failed'; error: Error };

/** `of`: what the question depends on. */
export function useAnswer<Value>(ask: () => Promise<Value>, of: readonly unknown[]): Answer<Value> {
  const [answer, setAnswer] = useState<Answer<Value>>({ status: 'waiting' });
  useEffect(() => {
    let isOld = false;
    setAnswer({ status: 'waiting' });
    ask().then(
      (value) => isOld || setAnswer({ status: 'there', value }),
      (error: Error) => isOld || setAnswer({ status: 'failed', error }),
    );
    return () => {
      isOld = true;
    };
  }, of);
  return answer;
}
