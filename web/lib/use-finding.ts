// How images are preprocessed as far as the model itself tells: asked in a worker as soon as there
// is a model with images and nobody said it. Given up while a run goes on, which asks by itself.
import { findPreprocessInWorker, type PreprocessFinding } from 'onnx-ptq';
import { useEffect, useState } from 'preact/hooks';
import type { Engine } from './engine';

export interface FindingInputs {
  engine: Engine | null;
  model: File | null;
  externalData: Record<string, File>;
  samples: readonly File[];
  /** Whether there is something to be asked, and time for it. */
  isOpen: boolean;
}

export interface FindingState {
  isLooking: boolean;
  /** null: nothing was found out. */
  finding: PreprocessFinding | null;
}

const nothing: FindingState = { isLooking: false, finding: null };

export function useFinding(inputs: FindingInputs): FindingState {
  const { engine, model, externalData, samples, isOpen } = inputs;
  const [state, setState] = useState<FindingState & { of: readonly unknown[] }>({
    ...nothing,
    of: [],
  });
  const of = [model, externalData, samples];
  const isKnown = of.every((value, i) => value === state.of[i]);
  useEffect(() => {
    if (!isOpen || !engine || !model || isKnown) return;
    const looking = new AbortController();
    findPreprocessInWorker({
      ...engine.host,
      modelInput: model,
      externalData,
      calibrateDataset: { files: samples },
      signal: looking.signal,
    }).then(
      (finding) => setState({ isLooking: false, finding, of }),
      // What is wrong with the files is said when they are quantized.
      () => looking.signal.aborted || setState({ ...nothing, of }),
    );
    return () => looking.abort();
  }, [isOpen, isKnown, engine, ...of]);
  if (isKnown) return state;
  return { ...nothing, isLooking: isOpen && engine !== null && model !== null };
}
