// The page's state and what changes it: one hook, no globals. Components only show it.
import type { ExampleId } from 'virtual:example';
import {
  type Comparison,
  type Diagnosis,
  guessPreprocess,
  type Latency,
  type ModelInspection,
  type PartialPreprocess,
  type PreprocessFinding,
  type Progress,
  QuantizeError,
  type SessionPlan,
  type SessionSettings,
  type TensorHistogram,
  type TensorObservation,
  type WeightChannels,
  type WorkerSession,
} from 'onnx-ptq';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LibraryTexts } from './i18n';
import { askWorker } from './lib/ask-worker';
import { mergeFiles, splitSamples } from './lib/data-split';
import { type CoreHost, type Engine, loadEngine } from './lib/engine';
import {
  isImage,
  matchExternalFiles,
  mayHaveImages,
  quantizedName,
  sameExternalFiles,
  sortFiles,
} from './lib/files';
import { knownText } from './lib/known-json';
import { Latest } from './lib/latest';
import type { RunInputs, RunRecord } from './lib/run-record';
import {
  defaultSettings,
  libraryOptions,
  preprocessOption,
  type Settings,
  sampleRate,
  settingsOf,
  withoutRepairs,
} from './lib/settings';
import { TimeLeft } from './lib/time-left';
import { useFinding } from './lib/use-finding';
import { useSession } from './lib/use-session';
import { useStable } from './lib/use-stable';
import { judge } from './lib/verdict';
import type { Problem } from './worker/page-protocol';

export type EngineState =
  | { status: 'loading'; done: number; total: number }
  | { status: 'ready'; engine: Engine }
  | { status: 'failed'; message: string };

export interface ModelState {
  file: File;
  /** null until the model was read. */
  summary: ModelInspection | null;
  error: QuantizeError | null;
}

export interface Running {
  progress: Progress;
  /** Seconds for the rest of the stage. */
  left: number | undefined;
}

/** Repairs that are looked for, of a result that has its first verdict. */
export interface Search {
  /** Of the run. */
  id: number;
  tried: number;
}

export type Blocker =
  | 'needsModel'
  | 'needsExternal'
  | 'needsSamples'
  | 'needsEngine'
  | 'engineFailed'
  | 'reading'
  | 'samplesDoNotFit'
  | 'cannotRun';

export type Quantizer = ReturnType<typeof useQuantizer>;

/** Files to look through for pictures that cannot be read, before anything is run. */
const mostChecked = 300;

/** With fewer held-out samples the library looks for no repairs. */
const fewestHeld = 2;

export function useQuantizer() {
  const [engine, setEngine] = useState<EngineState>({ status: 'loading', done: 0, total: 1 });
  const [core, setCore] = useState<CoreHost | null>(null);
  const [texts, setTexts] = useState<Readonly<Record<string, LibraryTexts>>>({});
  const [model, setModel] = useState<ModelState | null>(null);
  const [others, setOthers] = useState<readonly File[]>([]);
  const [given, setGiven] = useState<readonly File[]>([]);
  const [leftOut, setLeftOut] = useState<ReadonlySet<string>>(new Set());
  const [bad, setBad] = useState<ReadonlyMap<string, Problem>>(new Map());
  const [held, setHeld] = useState<number | null>(null);
  const [limit, setLimit] = useState<number | null>(null);
  const [labels, setLabels] = useState<{ name: string; labels: string[] } | null>(null);
  const [ranges, setRanges] = useState<{ name: string; text: string } | null>(null);
  const [settings, setSettings] = useState<Settings>(rememberedSettings);
  const [running, setRunning] = useState<Running | null>(null);
  const [error, setError] = useState<QuantizeError | null>(null);
  const [stopped, setStopped] = useState(false);
  const [histograms, setHistograms] = useState<readonly TensorHistogram[]>([]);
  const [latencies, setLatencies] = useState<ReadonlyMap<number, Latency>>(new Map());
  const [diagnoses, setDiagnoses] = useState<ReadonlyMap<number, Diagnosis | QuantizeError>>(
    new Map(),
  );
  const [plan, setPlan] = useState<SessionPlan | null>(null);
  const [runs, setRuns] = useState<readonly RunRecord[]>([]);
  const [shownId, setShownId] = useState<number | null>(null);
  const [search, setSearch] = useState<Search | null>(null);
  const [saved, setSaved] = useState<ReadonlySet<number>>(new Set());
  const cancelling = useRef<AbortController | null>(null);
  const background = useRef<AbortController | null>(null);
  const searching = useRef<AbortController | null>(null);

  useEffect(() => {
    loadEngine({
      onProgress: (done, total) =>
        // What was under way when a file failed goes on for a while.
        setEngine((old) => (old.status === 'loading' ? { status: 'loading', done, total } : old)),
      onCore: setCore,
      onTexts: (language, loaded) => setTexts((old) => ({ ...old, [language]: loaded })),
    }).then(
      (loaded) => setEngine({ status: 'ready', engine: loaded }),
      (cause: Error) => setEngine({ status: 'failed', message: cause.message }),
    );
  }, []);

  useEffect(() => rememberSettings(settings), [settings]);

  // A model is read as soon as both it and the core are there; a newer one replaces it.
  const file = model?.file;
  useEffect(() => {
    if (!core || !file) return;
    const reading = new AbortController();
    askWorker(core, { kind: 'page:inspect', model: file }, reading.signal).then(
      (summary) => setModel({ file, summary, error: null }),
      (cause) => reading.signal.aborted || setModel({ file, summary: null, error: known(cause) }),
    );
    return () => reading.abort();
  }, [core, file]);

  const summary = model?.summary ?? null;
  const externalNames = summary?.externalFiles;
  const matched = useMemo(
    () => matchExternalFiles(externalNames ?? [], [...others, ...given]),
    [externalNames, others, given],
  );
  const external = useStable(matched, sameExternalFiles);
  // A data file that was there before its model could pass for a sample.
  const samples = useMemo(() => {
    const data = Object.values(external.found);
    return given.filter((sample) => !data.includes(sample));
  }, [external, given]);
  const split = useMemo(
    () => splitSamples(samples, { leftOut: new Set([...leftOut, ...bad.keys()]), held, limit }),
    [samples, leftOut, bad, held, limit],
  );

  // Pictures that cannot be read are found out before they cost a run.
  const checked = useRef(new Set<File>());
  const host = engine.status === 'ready' ? engine.engine.host : null;
  useEffect(() => {
    if (!host || !summary) return;
    const open = samples.filter((sample) => isImage(sample) && !checked.current.has(sample));
    const files = open.slice(0, mostChecked);
    if (files.length === 0) return;
    const checking = new AbortController();
    askWorker(host, { kind: 'page:check', files, model: summary }, checking.signal).then(
      (found) => {
        for (const sample of files) checked.current.add(sample);
        if (found.length === 0) return;
        setBad((old) => new Map([...old, ...found.map(({ name, why }) => [name, why] as const)]));
      },
      () => {}, // what is wrong with the model is said when it is quantized
    );
    return () => checking.abort();
  }, [host, summary, samples]);

  const dataFiles = useRef(externalNames);
  dataFiles.current = externalNames;
  const add = useCallback(async (files: readonly File[]) => {
    const sorted = sortFiles(files, dataFiles.current);
    setError(null);
    if (sorted.model) {
      setModel({ file: sorted.model, summary: null, error: null });
      setSettings((old) => ({ ...old, nodesToExclude: '', opTypesToQuantize: [] }));
      setRanges(null);
    }
    if (sorted.samples.length > 0) {
      const names = new Set(sorted.samples.map(({ name }) => name));
      setGiven((old) => mergeFiles(old, sorted.samples));
      setBad((old) => new Map([...old].filter(([name]) => !names.has(name))));
      setStopped(false);
    }
    const unknown: File[] = [];
    for (const other of sorted.others) {
      const text = await knownText(other);
      if (text?.kind === 'labels') setLabels({ name: other.name, labels: text.labels });
      else if (text?.kind === 'ranges') setRanges({ name: other.name, text: text.text });
      else if (text?.kind === 'configuration') setSettings(settingsOf(text.values));
      else unknown.push(other);
    }
    if (sorted.model || unknown.length > 0) {
      setOthers((old) => (sorted.model ? unknown : [...unknown, ...old]));
    }
  }, []);

  /** What was calibrated before is for the settings and samples of that run. */
  const forget = useCallback(() => setStopped(false), []);
  const change = useCallback(
    (part: Partial<Settings>) => {
      setSettings((old) => ({ ...old, ...part }));
      forget();
    },
    [forget],
  );

  const isWhole = external.missing.length === 0;
  const { session, error: sessionError } = useSession({
    engine: engine.status === 'ready' ? engine.engine : null,
    model: summary && isWhole ? (file ?? null) : null,
    externalData: external.found,
    workers: entered(settings, 'workers'),
    memoryBudget: entered(settings, 'memory_budget'),
  });

  // What the settings will make of the model, anew with every change of them.
  const planning = useMemo(() => new Latest(), [session]);
  useEffect(() => {
    if (!session) return setPlan(null);
    let isOld = false;
    const options = {
      ...libraryOptions(settings),
      ...(ranges && { calibrationCache: ranges.text }),
    };
    void planning.run(() =>
      session.plan(options).then(
        (made) => isOld || setPlan(made),
        () => isOld || setPlan(null), // the run will say what is wrong
      ),
    );
    return () => {
      isOld = true;
    };
  }, [session, settings, ranges, shownId]);

  // Whether pictures can be what this model takes; a zip is not looked into.
  const fit = useMemo(() => {
    if (!summary || !samples.some(isImage)) return null;
    try {
      guessPreprocess(summary, preprocessOption(settings));
      return null;
    } catch (cause) {
      return known(cause);
    }
  }, [summary, samples, settings]);

  const blocker: Blocker | null =
    !model || model.error
      ? 'needsModel'
      : plan?.blockers[0]?.code === 'RUNTIME_CANNOT_LOAD'
        ? 'cannotRun'
        : samples.length === 0 && !ranges
          ? 'needsSamples'
          : external.missing.length > 0
            ? 'needsExternal'
            : engine.status === 'failed'
              ? 'engineFailed'
              : !model.summary
                ? 'reading'
                : engine.status !== 'ready'
                  ? 'needsEngine'
                  : !session && !sessionError
                    ? 'reading'
                    : fit
                      ? 'samplesDoNotFit'
                      : null;

  /** Quantizes; `changed` settings are kept. What a cancelled run has collected is used. */
  async function start(changed: Partial<Settings> = {}): Promise<void> {
    if (blocker || !session || !model) return;
    const isChanged = Object.keys(changed).length > 0;
    const chosen = isChanged ? { ...settings, ...changed } : settings;
    setSettings(chosen);
    setError(null);
    setStopped(false);
    setHistograms([]);
    background.current?.abort();
    searching.current?.abort();
    const controller = new AbortController();
    cancelling.current = controller;
    const timeLeft = new TimeLeft();
    setRunning({ progress: { stage: 'load', done: 0 }, left: undefined });
    const began = performance.now();
    const name = quantizedName(model.file.name);
    const inputs: RunInputs = {
      model: model.file,
      externalData: external.found,
      samples: split.used,
      held: split.held,
      holdOut: split.holdOut,
      isWhole: split.used.length === samples.length,
      preprocess: found(preprocessOption(chosen), preprocess.finding),
      finding: preprocess.finding ?? undefined,
      settings: chosen,
    };
    const watch = {
      signal: controller.signal,
      onProgress(progress: Progress) {
        const { stage, done, total } = progress;
        setRunning({ progress, left: timeLeft.seen(stage, done, total, performance.now()) });
      },
    };
    const optionsOf = (of: Settings) => ({
      ...libraryOptions(of),
      name,
      ...(ranges && { calibrationCache: ranges.text }),
    });
    const options = optionsOf(chosen);
    try {
      await giveSamples(session, inputs);
      const calibrated = ranges
        ? null
        : await session.calibrate(options, { ...watch, onHistograms: setHistograms });
      const heldOut = calibrated?.heldOut ?? 0;
      // Repairs take many runs: the verdict without them comes first.
      const isSearched = heldOut >= fewestHeld && chosen.advanced.effort !== 'none';
      const plain = isSearched ? withoutRepairs(chosen) : chosen;
      const result = await session.quantize(optionsOf(plain), { ...watch, quick: true });
      const id = (runs.at(-1)?.id ?? 0) + 1;
      const seconds = (performance.now() - began) / 1000;
      const record: RunRecord = {
        isWhole: !isSearched && result.report.quality.samples >= heldOut,
        id,
        name,
        inputs: { ...inputs, settings: plain },
        asked: chosen,
        result,
        seconds,
        verdict: judge(result.report),
      };
      setRuns((old) => [...old, record]);
      setShownId(id);
      void measure(session, record, isSearched ? optionsOf(chosen) : null);
    } catch (cause) {
      if (controller.signal.aborted) setStopped(true);
      else setError(known(cause));
    } finally {
      cancelling.current = null;
      setRunning(null);
    }
  }

  /** What can wait until the verdict is there; given up for the next run. */
  async function measure(
    session: WorkerSession,
    first: RunRecord,
    repairing: SessionSettings | null,
  ): Promise<void> {
    const controller = new AbortController();
    background.current = controller;
    const { signal } = controller;
    const record = repairing ? await repair(session, first, repairing) : first;
    if (signal.aborted) return;
    await refine(session, record, signal);
    if (signal.aborted) return;
    try {
      const latency = await session.latency(record.result, { signal });
      setLatencies((old) => new Map([...old, [record.id, latency]]));
    } catch {
      // Not measured, then: a model that cannot be timed is said to be so by the run itself.
    }
    if (signal.aborted) return;
    if (record.inputs.samples.length === 0 || record.verdict.grade === 'identical') return;
    try {
      // With a few samples: the order of the layers is clear by then.
      const diagnosis = await session.diagnose(record.result, {
        samples: 8,
        aloneSamples: 2,
        signal,
      });
      setDiagnoses((old) => new Map([...old, [record.id, diagnosis]]));
    } catch (cause) {
      if (signal.aborted) return;
      setDiagnoses((old) => new Map([...old, [record.id, known(cause)]]));
    }
  }

  const replace = (record: RunRecord) =>
    setRuns((old) => old.map((one) => (one.id === record.id ? record : one)));

  /** Puts the best that effort finds in the place of a plain result, unless it is stopped. */
  async function repair(
    session: WorkerSession,
    record: RunRecord,
    options: SessionSettings,
  ): Promise<RunRecord> {
    const controller = new AbortController();
    searching.current = controller;
    const { signal } = controller;
    const { id, inputs, asked } = record;
    const began = performance.now();
    setSearch({ id, tried: 0 });
    const onProgress = ({ done, sqnr }: Progress) =>
      sqnr !== undefined && !signal.aborted && setSearch({ id, tried: done });
    let next: RunRecord;
    try {
      const result = await session.quantize(options, { signal, onProgress, quick: true });
      const seconds = record.seconds + (performance.now() - began) / 1000;
      const repaired = { ...inputs, settings: asked };
      next = { ...record, inputs: repaired, result, seconds, verdict: judge(result.report) };
      setSaved((old) => new Set([...old].filter((one) => one !== id)));
    } catch (cause) {
      const failure = known(cause);
      // Another model has another session.
      if (!signal.aborted && failure.code !== 'SESSION_CLOSED') setError(failure);
      // What there is, without repairs, is what was asked for then.
      setSettings((now) => (now === asked ? inputs.settings : now));
      next = { ...record, asked: inputs.settings };
    }
    setSearch((now) => (now?.id === id ? null : now));
    replace(next);
    return next;
  }

  /** The verdict came from a few samples: this one is from all that were held out. */
  async function refine(
    session: WorkerSession,
    record: RunRecord,
    signal: AbortSignal,
  ): Promise<void> {
    if (record.isWhole) return;
    try {
      const quality = await session.verify(record.result, { signal });
      const report = { ...record.result.report, quality };
      const result = { ...record.result, report };
      replace({ ...record, isWhole: true, result, verdict: judge(report) });
    } catch {
      // The verdict stays what the few samples gave, and says how many there were.
    }
  }

  /** Both models on a picture, or on one of the samples that were held out. */
  async function compare(record: RunRecord, sample: File | number): Promise<Comparison> {
    if (!session) throw new Error('the session is closed');
    const { preprocess: option, finding, settings: used } = record.inputs;
    if (typeof sample === 'number') return session.compare(record.result, { heldOut: sample });
    const dataset = { files: [sample], ...readerOptions([sample], option, finding, used) };
    return session.compare(record.result, { dataset });
  }

  /** What a tensor of the float model holds on the samples of the last run. */
  async function observe(tensor: string): Promise<TensorObservation> {
    if (!session) throw new Error('the session is closed');
    return session.observe(tensor, libraryOptions(settings));
  }

  /** Of the weight of a layer. */
  async function channels(record: RunRecord, node: string): Promise<WeightChannels | null> {
    if (!session) throw new Error('the session is closed');
    return session.channels(record.result, node);
  }

  // The session has the samples that it was given last.
  const givenTo = useRef<{ session: WorkerSession; key: readonly unknown[] } | null>(null);
  async function giveSamples(session: WorkerSession, inputs: RunInputs): Promise<void> {
    const { samples: files, holdOut, preprocess: option, finding, settings: used } = inputs;
    const options = readerOptions(files, option, finding, used);
    // Not what was found meanwhile: the session has found the same.
    const key = [files, holdOut, JSON.stringify([preprocessOption(used), sampleRate(used)])];
    const before = givenTo.current;
    if (before?.session === session && key.every((part, i) => part === before.key[i])) return;
    await session.setSamples(files.length > 0 ? { files, ...options } : null, { holdOut });
    givenTo.current = { session, key };
  }

  // A run that began before it was found has asked by itself.
  const foundByRun = runs.find(
    ({ inputs, result }) =>
      inputs.model === model?.file &&
      inputs.samples === split.used &&
      result.report.calibration.found,
  )?.result.report.calibration.found;
  const looking = useFinding({
    engine: engine.status === 'ready' ? engine.engine : null,
    model: model?.file ?? null,
    externalData: external.found,
    samples: split.used,
    isOpen:
      blocker === null &&
      running === null &&
      !foundByRun &&
      preprocessOption(settings) === undefined &&
      mayHaveImages(split.used),
  });
  const preprocess = foundByRun ? { isLooking: false, finding: foundByRun } : looking;

  const shown = runs.find(({ id }) => id === shownId) ?? null;
  const isStale =
    shown !== null &&
    (shown.inputs.model !== model?.file ||
      shown.inputs.samples !== split.used ||
      shown.asked !== settings);

  // What is not saved yet is gone when the page is.
  const isUnsaved = running !== null || runs.some(({ id }) => !saved.has(id));
  useEffect(() => {
    if (!isUnsaved) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isUnsaved]);

  return {
    engine,
    core,
    /** Components that show results; there before any result is. */
    results: engine.status === 'ready' ? engine.engine.results : null,
    texts,
    model,
    preprocess,
    samples,
    split,
    bad,
    leftOut,
    held,
    limit,
    labels,
    ranges,
    others: others.filter((other) => !Object.values(external.found).includes(other)),
    external,
    settings,
    running,
    search,
    error: error ?? sessionError,
    stopped,
    histograms,
    latencies,
    diagnoses,
    plan,
    session,
    compare,
    observe,
    channels,
    runs,
    shown,
    saved,
    isStale,
    blocker,
    fit,
    add,
    change,
    start,
    show: setShownId,
    markSaved: (id: number) => setSaved((old) => new Set([...old, id])),
    cancel: () => cancelling.current?.abort(),
    stopSearch: () => searching.current?.abort(),
    /** Leaves a sample out, or takes it back. */
    toggleSample(name: string) {
      const next = new Set(leftOut);
      if (!next.delete(name)) next.add(name);
      setLeftOut(next);
      forget();
    },
    setHeld(count: number | null) {
      setHeld(count);
      forget();
    },
    setLimit(count: number | null) {
      setLimit(count);
      forget();
    },
    clearSamples() {
      setGiven([]);
      setLeftOut(new Set());
      setBad(new Map());
      forget();
    },
    dropRanges: () => setRanges(null),
    dropOthers: () => setOthers([]),
    resetSettings: () => change(defaultSettings),
    dismiss: () => setError(null),
    useExample(id: ExampleId) {
      const example = engine.status === 'ready' && engine.engine.examples.get(id);
      if (!example) return;
      setGiven([]);
      void add([example.model, ...example.images]);
      change({ preprocess: 'auto' });
    },
  };
}

/** What the model itself told, where it was clear: it need not be asked again. */
function found(
  option: string | PartialPreprocess | undefined,
  finding: PreprocessFinding | null,
): string | PartialPreprocess | undefined {
  if (option !== undefined || !finding) return option;
  const { decided, chosen } = finding;
  if (!decided.normalization || !decided.order) return undefined;
  const { order, mean, std } = chosen;
  return { order, mean, std };
}

function readerOptions(
  files: readonly File[],
  preprocess: string | PartialPreprocess | undefined,
  finding: PreprocessFinding | undefined,
  settings: Settings,
) {
  const areImages = mayHaveImages(files);
  return {
    preprocess: areImages ? preprocess : undefined,
    preprocessFinding: areImages && preprocess === undefined ? finding : undefined,
    sampleRate: sampleRate(settings),
  };
}

/** A number that was entered among the advanced options. */
function entered({ advanced }: Settings, name: string): number | undefined {
  const value = Number(advanced[name]);
  return advanced[name] && value >= 1 ? Math.floor(value) : undefined;
}

function known(error: unknown): QuantizeError {
  if (error instanceof QuantizeError) return error;
  return new QuantizeError('INTERNAL', error instanceof Error ? error.message : String(error));
}

// Settings outlive a reload, not the tab.
const settingsKey = 'onnx-ptq.settings';

function rememberedSettings(): Settings {
  try {
    const text = sessionStorage.getItem(settingsKey);
    return text ? { ...defaultSettings, ...JSON.parse(text) } : defaultSettings;
  } catch {
    return defaultSettings;
  }
}

function rememberSettings(settings: Settings): void {
  try {
    const { nodesToExclude: _, opTypesToQuantize: _2, ...kept } = settings;
    sessionStorage.setItem(settingsKey, JSON.stringify(kept));
  } catch {
    // Storage may be forbidden: not remembered then.
  }
}
