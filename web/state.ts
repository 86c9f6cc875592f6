// The page's state and what changes it: one hook, no globals. Components only show it.
import {
  type Diagnostic,
  inspectInWorker,
  type ModelSummary,
  type Progress,
  type QuantizationReport,
  QuantizeError,
  quantizeInWorker,
} from 'onnx-ptq';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Engine, loadEngine } from './lib/engine';
import { matchExternalFiles, mayHaveImages, quantizedName, sha256, sortFiles } from './lib/files';
import {
  defaultSettings,
  libraryOptions,
  preprocessOption,
  type Settings,
  sampleRate,
} from './lib/settings';
import { useFinding } from './lib/use-finding';

export type EngineState =
  | { status: 'loading'; bytes: number }
  | { status: 'ready'; engine: Engine }
  | { status: 'failed'; message: string };

export interface ModelState {
  file: File;
  /** null until the model was read. */
  summary: ModelSummary | null;
  error: QuantizeError | null;
}

export interface RunResult {
  name: string;
  model: Blob;
  externalData: { name: string; data: Blob } | null;
  report: QuantizationReport;
  sha256: string | null;
  /** What was chosen for this run, to see whether it still is. */
  inputs: RunInputs;
}

export interface RunInputs {
  model: File;
  samples: readonly File[];
  settings: Settings;
}

export type RunState =
  | { status: 'idle' }
  | { status: 'running'; progress: Progress; diagnostics: Diagnostic[] }
  /** `resume` goes on from what was calibrated, where there is something. */
  | { status: 'cancelled'; resume: (() => void) | null }
  | { status: 'failed'; error: QuantizeError }
  | { status: 'done'; result: RunResult };

export type Blocker = 'needsModel' | 'needsExternal' | 'needsSamples' | 'needsEngine' | 'reading';

export type Quantizer = ReturnType<typeof useQuantizer>;

export function useQuantizer() {
  const [engine, setEngine] = useState<EngineState>({ status: 'loading', bytes: 0 });
  const [model, setModel] = useState<ModelState | null>(null);
  const [others, setOthers] = useState<readonly File[]>([]);
  const [given, setGiven] = useState<readonly File[]>([]);
  const [settings, setSettings] = useState<Settings>(defaultSettings);
  const [run, setRun] = useState<RunState>({ status: 'idle' });
  const cancelling = useRef<AbortController | null>(null);

  useEffect(() => {
    loadEngine((bytes) => setEngine({ status: 'loading', bytes })).then(
      (loaded) => setEngine({ status: 'ready', engine: loaded }),
      (error: Error) => setEngine({ status: 'failed', message: error.message }),
    );
  }, []);

  // A model is read as soon as both it and the engine are there; a newer one replaces it.
  const file = model?.file;
  useEffect(() => {
    if (engine.status !== 'ready' || !file) return;
    const reading = new AbortController();
    inspectInWorker(file, { ...engine.engine.host, signal: reading.signal }).then(
      (summary) => setModel({ file, summary, error: null }),
      (error) => reading.signal.aborted || setModel({ file, summary: null, error: known(error) }),
    );
    return () => reading.abort();
  }, [engine.status, file]);

  const externalNames = model?.summary?.externalFiles;
  const external = useMemo(
    () => matchExternalFiles(externalNames ?? [], [...others, ...given]),
    [externalNames, others, given],
  );
  // A data file that was there before its model could pass for a sample.
  const samples = useMemo(() => {
    const data = Object.values(external.found);
    return data.some((file) => given.includes(file))
      ? given.filter((file) => !data.includes(file))
      : given;
  }, [external, given]);

  const dataFiles = useRef(externalNames);
  dataFiles.current = externalNames;
  const add = useCallback((files: readonly File[]) => {
    const sorted = sortFiles(files, dataFiles.current);
    if (sorted.model) {
      setModel({ file: sorted.model, summary: null, error: null });
      setSettings((old) => ({ ...old, nodesToExclude: '', opTypesToQuantize: [] }));
    }
    if (sorted.samples.length > 0) setGiven(sorted.samples);
    if (sorted.others.length > 0) setOthers((old) => [...sorted.others, ...old]);
    setRun((old) =>
      old.status === 'failed' || old.status === 'cancelled' ? { status: 'idle' } : old,
    );
  }, []);

  /** What was calibrated before is for the settings and samples of that run. */
  const forget = useCallback(
    () => setRun((old) => (old.status === 'cancelled' ? { status: 'idle' } : old)),
    [],
  );
  const change = useCallback(
    (part: Partial<Settings>) => {
      setSettings((old) => ({ ...old, ...part }));
      forget();
    },
    [forget],
  );

  const blocker: Blocker | null =
    !model || model.error
      ? 'needsModel'
      : samples.length === 0
        ? 'needsSamples'
        : external.missing.length > 0
          ? 'needsExternal'
          : engine.status !== 'ready'
            ? 'needsEngine'
            : !model.summary
              ? 'reading'
              : null;

  /** Quantizes; `changed` settings are kept. */
  async function start(changed: Partial<Settings> = {}, resume?: string): Promise<void> {
    if (blocker || engine.status !== 'ready' || !model) return;
    const chosen = { ...settings, ...changed };
    setSettings(chosen);
    const controller = new AbortController();
    cancelling.current = controller;
    const diagnostics: Diagnostic[] = [];
    let state: string | undefined;
    setRun({ status: 'running', progress: { stage: 'load', done: 0 }, diagnostics });
    const name = quantizedName(model.file.name);
    try {
      const result = await quantizeInWorker({
        ...engine.engine.host,
        ...libraryOptions(chosen),
        modelInput: model.file,
        modelOutput: name,
        externalData: external.found,
        calibrateDataset: {
          files: samples,
          preprocess: mayHaveImages(samples) ? preprocessOption(chosen) : undefined,
          sampleRate: sampleRate(chosen),
          limit: chosen.limit ?? undefined,
        },
        signal: controller.signal,
        resume,
        onCalibrationState: (text) => {
          state = text;
        },
        onProgress: (progress) => setRun({ status: 'running', progress, diagnostics }),
        onDiagnostic: (diagnostic) => diagnostics.push(diagnostic),
      });
      const inputs = { model: model.file, samples, settings: chosen };
      const digest = await sha256(result.model);
      setRun({ status: 'done', result: { name, ...result, sha256: digest, inputs } });
    } catch (error) {
      setRun(
        controller.signal.aborted
          ? { status: 'cancelled', resume: state ? () => start(changed, state) : null }
          : { status: 'failed', error: known(error) },
      );
    } finally {
      cancelling.current = null;
    }
  }

  const preprocess = useFinding({
    engine: engine.status === 'ready' ? engine.engine : null,
    model: model?.file ?? null,
    externalData: external.found,
    samples,
    limit: settings.limit,
    isOpen:
      blocker === null &&
      run.status !== 'running' &&
      preprocessOption(settings) === undefined &&
      mayHaveImages(samples),
  });

  return {
    engine,
    model,
    preprocess,
    samples,
    others: others.filter((other) => !Object.values(external.found).includes(other)),
    external,
    settings,
    run,
    blocker,
    add,
    change,
    start,
    cancel: () => cancelling.current?.abort(),
    clearSamples() {
      setGiven([]);
      forget();
    },
    resetSettings: () => change(defaultSettings),
    dismiss: () => setRun({ status: 'idle' }),
    useExample() {
      if (engine.status !== 'ready') return;
      add([engine.engine.example.model, ...engine.engine.example.images]);
      change({ preprocess: 'auto', limit: null });
    },
  };
}

function known(error: unknown): QuantizeError {
  if (error instanceof QuantizeError) return error;
  return new QuantizeError('INTERNAL', error instanceof Error ? error.message : String(error));
}
