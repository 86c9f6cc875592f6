// What a picture becomes under each of a few ways to preprocess it, made in a worker.
import type { ModelSummary } from 'onnx-ptq';
import { useEffect, useState } from 'preact/hooks';
import type { PreprocessOption, TensorViews } from '../worker/page-protocol';
import { askWorker } from './ask-worker';
import type { Engine } from './engine';

/** By option, in their order; null while they are made. */
export function useViews(
  engine: Engine | null,
  model: ModelSummary | null,
  picture: File | null,
  options: PreprocessOption[],
): TensorViews | null {
  const [views, setViews] = useState<{ key: string; of: File | null; views: TensorViews }>();
  const key = JSON.stringify(options.map((option) => option ?? null));
  useEffect(() => {
    if (!engine || !model || !picture) return;
    const making = new AbortController();
    // Fields change letter by letter: the last one counts.
    const timer = setTimeout(() => {
      askWorker(
        engine.host,
        { kind: 'page:views', files: [picture], options, model },
        making.signal,
      ).then(
        (made) => setViews({ key, of: picture, views: made }),
        () => {}, // aborted, or a picture that cannot be read, which step 2 names
      );
    }, 150);
    return () => {
      clearTimeout(timer);
      making.abort();
    };
  }, [engine, model, picture, key]);
  return views?.key === key && views.of === picture ? views.views : null;
}
