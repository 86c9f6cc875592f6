// A session in the calling thread, top to bottom: the model is opened once and prepared once for
// each way to prepare it; statistics of the samples are collected as settings need them and kept;
// results are made from them.

import { type InputFiles, inputBytes, type ModelInput } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import { isLargeModel } from '../base/large-model.js';
import { Run, type RunOptions } from '../base/run.js';
import { say } from '../base/text.js';
import type {
  CalibratedTensor,
  Diagnostic,
  Feeds,
  GraphNode,
  ModelSummary,
  PrepareReport,
  TensorRanges,
} from '../base/types.js';
import { planCache } from '../calibration/cache-plan.js';
import { calibrate, firstSamples, howHeld, notesOnRanges } from '../calibration/calibrate.js';
import { type CalibrationState, parseState } from '../calibration/calibration-state.js';
import { formatCalibrationCache } from '../calibration/files/calibration-cache.js';
import { mostWorkers, observedOf, planMemory, runtimeCosts } from '../calibration/memory-plan.js';
import { learnTypes, writeTensorPass } from '../calibration/pass-model.js';
import { isReadOnce } from '../calibration/sample-passes.js';
import { CoreCalibration } from '../core/calibration.js';
import { ModelFiles } from '../core/host-files.js';
import { type Core, loadCore } from '../core/load.js';
import { formatRanges, parseRanges } from '../core/ranges.js';
import { CoreSession } from '../core/session.js';
import { ProbedModel } from '../diagnosis/probed-model.js';
import type { Diagnosis } from '../diagnosis/report.js';
import { type WeightChannels, weightChannels } from '../diagnosis/weight-channels.js';
import { settlePreprocess } from '../evidence/find-preprocess.js';
import { diagnoseOn } from '../jobs/diagnose.js';
import { fixDims } from '../jobs/fix-dims.js';
import { coreOf } from '../jobs/inspect-model.js';
import { type SaidOfSamples, writeResult } from '../jobs/write-result.js';
import { coreOptions, rangeOptions } from '../options/core-options.js';
import { usuallyHeld } from '../options/defaults.js';
import { type CalibrationMethod, calibrationMethods } from '../options/quant-types.js';
import { type CheckedStatic, quantizeStaticOptions } from '../options/quantize-static.js';
import { checkQuantizeStatic, readParameters } from '../options/validate.js';
import { exactRuntime } from '../platform/exact-runtime.js';
import type { Platform, Runtime } from '../platform/platform.js';
import { workersForSessions } from '../runtime/worker-sessions.js';
import { Workers } from '../runtime/workers.js';
import type { SampleInput } from '../samples/samples.js';
import { FloatModel, type FloatOutputs, loadAsGiven } from '../verify/float-model.js';
import type { QualityReport } from '../verify/report.js';
import { type VerifiedSamples, verifyResult } from '../verify/verify-result.js';
import { HistogramWatch, watchedTensors } from './histogram-watch.js';
import { observeTensor } from './observe-tensor.js';
import { blockedPlan, toPlan } from './plan.js';
import { ResultRunner } from './result-runner.js';
import { digestOf } from './sha256.js';
import { preparedDifferences, preparedKey, type Statistics, statisticsFor } from './statistics.js';
import type {
  CalibrationNeed,
  CalibrationSummary,
  Comparison,
  Latency,
  QuantizeSession,
  RunnableResult,
  SampleChoice,
  SessionCalibrateOptions,
  SessionDiagnoseOptions,
  SessionOptions,
  SessionPlan,
  SessionQuantizeOptions,
  SessionResult,
  SessionSettings,
  TensorObservation,
} from './types.js';

/** The float model, prepared in one way. */
interface PreparedModel {
  core: CoreSession;
  files: ModelFiles;
  summary: ModelSummary;
  /** Of preparing, and of asking the runtime for types. */
  learned: Diagnostic[];
  /** What it is set to while something runs: plan() leaves it so. */
  busy: { options: CheckedStatic; ranges: string } | null;
}

/** What passes over the samples collected. */
interface Collected {
  /** CoreCalibration.save() after the last pass, not ended. */
  state: string;
  tensors: readonly CalibratedTensor[];
  checked: CheckedStatic;
  samples: VerifiedSamples;
  said: SaidOfSamples;
  notes: Diagnostic[];
}

/** What follows from it for some range options. */
interface Finished {
  ranges: TensorRanges;
  statistics: Record<string, unknown> | null;
  /** JSON as of CoreCalibration.rangesForRepairs(), null with effort none. */
  rangesForRepairs: string | null;
  notes: Diagnostic[];
}

/** Calls of one queue wait for each other: results share a core, comparisons a loaded model. */
type Queue = 'results' | 'compare' | 'diagnose';

/** Whose operators onnxruntime has. */
const usualDomains = ['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft'];

/** So many ways to prepare the model are kept. */
const mostPrepared = 2;

/** So many workers run on for results: for a float model and one that is compared with it. */
const keptWorkers = 2;

export class Session<Model> implements QuantizeSession<Model> {
  readonly model: ModelSummary;
  readonly #platform: Platform<Model>;
  readonly #calibrationRuntime: Runtime;
  /** What everything else runs in: the same but for a GPU. */
  readonly #runtime: Runtime;
  /** Those that calibrated. */
  readonly #workers: Workers;
  readonly #input: InputFiles;
  readonly #options: SessionOptions;
  readonly #library: Core;
  readonly #runner: ResultRunner;
  readonly #isLarge: boolean;
  #reader: SampleInput | null = null;
  #holdOut: number;
  #isRead = false;
  /** What was found about the preprocessing of pictures; null: not yet asked. */
  #settled: Diagnostic[] | null = null;
  /** The last one used at the end. */
  readonly #prepared = new Map<string, PreparedModel>();
  readonly #collected = new Map<string, Collected>();
  /** Of what was cancelled. */
  readonly #begun = new Map<string, CalibrationState>();
  readonly #finished = new Map<string, Finished>();
  readonly #floatOutputs: FloatOutputs = new WeakMap();
  /** What is running or waits for its turn. */
  readonly #turns: Record<Queue, Promise<unknown>> = {
    results: Promise.resolve(),
    compare: Promise.resolve(),
    diagnose: Promise.resolve(),
  };
  #isDisposed = false;

  private constructor(
    platform: Platform<Model>,
    options: SessionOptions,
    opened: {
      input: InputFiles;
      summary: ModelSummary;
      calibrationRuntime: Runtime;
      runtime: Runtime;
      library: Core;
    },
  ) {
    this.#platform = platform;
    this.#options = options;
    this.#input = opened.input;
    this.#calibrationRuntime = opened.calibrationRuntime;
    this.#runtime = opened.runtime;
    this.#workers = new Workers(platform);
    this.#library = opened.library;
    this.model = opened.summary;
    this.#reader = options.calibrationDataReader ?? null;
    this.#holdOut = options.holdOut ?? usuallyHeld;
    this.#isLarge = isLargeModel(opened.input, opened.summary);
    this.#runner = new ResultRunner(opened.runtime, opened.input, opened.summary, !this.#isLarge);
  }

  static async open<Model>(
    platform: Platform<Model>,
    options: SessionOptions,
  ): Promise<Session<Model>> {
    const input = await platform.openInput(options.modelInput, options.externalData ?? {});
    let core: CoreSession | null = null;
    try {
      core = await CoreSession.create(new ModelFiles(input));
      const summary = core.open();
      const calibrationRuntime = await platform.loadRuntime({ kind: options.runtime ?? null });
      const runtime = await exactRuntime(platform, calibrationRuntime);
      const library = await loadCore();
      return new Session(platform, options, {
        input,
        summary,
        calibrationRuntime,
        runtime,
        library,
      });
    } catch (error) {
      input.close();
      throw error;
    } finally {
      core?.dispose();
    }
  }

  async setSamples(
    reader: SampleInput | null,
    { holdOut }: { holdOut?: number | undefined } = {},
  ): Promise<void> {
    await this.#inTurn(async () => {
      this.#reader = reader;
      if (holdOut !== undefined) this.#holdOut = holdOut;
      this.#isRead = false;
      this.#settled = null;
      this.#collected.clear();
      this.#begun.clear();
      this.#finished.clear();
    });
  }

  graph(): Promise<GraphNode[]> {
    this.#refuseIfDisposed();
    return coreOf(this.#input, (core) => {
      core.open();
      return core.structure().nodes;
    });
  }

  async plan(settings: SessionSettings = {}): Promise<SessionPlan> {
    this.#refuseIfDisposed();
    const bytesBefore = inputBytes(this.#input, this.model);
    try {
      const checked = this.#check(settings);
      let prepared = await this.#prepare(checked);
      // What a search for repairs has collected would be lost with other settings.
      if (prepared.busy) prepared = await this.#prepare(checked, 'beside');
      const cached = settings.calibrationCache !== undefined;
      const need = cached ? null : await this.#need(checked);
      const given = cached ? this.#cachedRanges(settings, checked) : null;
      const known = given ?? (need === null ? await this.#finish(checked, prepared) : null);
      const { core, summary } = prepared;
      // From here on nothing else runs, until the core is as it was.
      try {
        const report = core.reconfigure(coreOptions(checked));
        core.setRanges(known ? formatRanges(known.ranges) : '{}');
        return toPlan(report, core.plan(), {
          bytesBefore,
          memory: this.#memory(core, summary, checked),
          calibration: need,
        });
      } finally {
        this.#restore(prepared);
      }
    } catch (error) {
      if (!(error instanceof QuantizeError)) throw error;
      return blockedPlan(this.model, bytesBefore, error);
    }
  }

  calibrate(
    settings: SessionSettings = {},
    { methods, ...options }: SessionCalibrateOptions = {},
  ): Promise<CalibrationSummary> {
    return this.#inTurn(async () => {
      const run = new Run(options);
      const checked = this.#check(settings);
      const further = methods === 'all' ? calibrationMethods : (methods ?? []);
      let collected = await this.#collect(checked, run, options);
      for (const method of further) {
        const other = this.#withMethod(settings, method);
        if (other) collected = await this.#collect(other, run, options);
      }
      const { samples, said } = collected;
      return {
        samples: samples.samples,
        heldOut: samples.held.length,
        description: said.description,
        ...(said.found && { found: said.found }),
        methods: await this.#methodsDone(settings),
        diagnostics: run.diagnostics,
      };
    });
  }

  quantize(
    settings: SessionSettings = {},
    { quick = false, ...options }: SessionQuantizeOptions = {},
  ): Promise<SessionResult<Model>> {
    return this.#inTurn(async () => {
      const run = new Run(options);
      const checked = this.#check(settings);
      const cached = this.#cachedRanges(settings, checked);
      const quiet = new Run({ ...options, onDiagnostic: undefined }); // all of it is noted below
      const collected = cached ? null : await this.#collect(checked, quiet, {});
      const prepared = await this.#prepare(checked);
      const { core, files, summary } = prepared;
      const finished = cached ?? (await this.#finish(checked, prepared));
      const report: PrepareReport = core.reconfigure(coreOptions(checked));
      run.note(
        ...(this.#runtime.note ? [this.#runtime.note] : []),
        ...((!cached && this.#settled) || []),
        ...report.diagnostics,
        ...prepared.learned,
        ...finished.notes,
      );
      const samples = collected?.samples ?? {
        samples: 0,
        kept: this.#reader ? await this.#firstSamples(summary, run) : [],
        held: [],
        heldInRanges: false,
      };
      const ranges = formatRanges(finished.ranges);
      const { name = 'model.onnx' } = settings;
      const output = this.#platform.openOutput(undefined, `${name}.data`);
      files.writeTo(output);
      prepared.busy = { options: checked, ranges };
      try {
        const written = await writeResult({
          platform: this.#platform,
          run,
          runtime: { ...this.#runtime, workers: this.#workers },
          core,
          files,
          input: this.#input,
          output,
          summary,
          checked,
          recipe: null,
          prepared: report,
          source: cached ? 'cache' : 'data',
          ranges,
          calibrationCache: formatCalibrationCache({
            method: checked.calibrate_method,
            smoothQuant: false,
            ranges: finished.ranges,
          }),
          statistics: finished.statistics && JSON.stringify(finished.statistics),
          rangesForRepairs: finished.rangesForRepairs,
          samples,
          floatOutputs: this.#floatOutputs,
          amount: { isQuick: quick, isTimed: !quick },
          said: collected?.said ?? { description: '', done: '', assumed: [] },
          modelInput: null,
          modelOutput: null,
        });
        const { model, data } = output.commit();
        output.discard(); // what it held is in the result
        return {
          model,
          externalData: data === null ? null : { name: output.dataName, data },
          report: written,
          sha256: await this.sha256(model),
        };
      } finally {
        prepared.busy = null;
        output.discard();
      }
    });
  }

  verify(result: RunnableResult<Model>, options: RunOptions = {}): Promise<QualityReport> {
    return this.#inTurn(async () => {
      const collected = [...this.#collected.values()].at(-1)?.samples;
      const kept = collected?.kept ?? (await this.#samplesAtHand());
      const run = new Run(options);
      const float = new FloatModel(this.#runtime, this.#input, this.#summary, this.#floatOutputs);
      try {
        return await run.stage('verify', () =>
          verifyResult(
            run,
            float,
            (optimization) => this.#runner.load(result as RunnableResult<never>, optimization),
            this.#summary,
            collected ?? { samples: kept.length, kept, held: [], heldInRanges: false },
            { isQuick: false, isTimed: false },
          ),
        );
      } finally {
        await float.release();
      }
    });
  }

  compare(result: RunnableResult<Model>, sample: SampleChoice): Promise<Comparison> {
    return this.#inTurn(async () => {
      const feeds = await this.#choose(sample);
      return this.#runner.compare(result as RunnableResult<never>, feeds);
    }, 'compare');
  }

  diagnose(
    result: RunnableResult<Model>,
    { samples, aloneSamples, ...options }: SessionDiagnoseOptions = {},
  ): Promise<Diagnosis> {
    return this.#inTurn(
      async () =>
        diagnoseOn(this.#platform, {
          ...options,
          modelInput: this.#options.modelInput,
          externalData: this.#options.externalData,
          quantizedModel: result.model as ModelInput,
          quantizedExternalData: result.externalData
            ? { [result.externalData.name]: result.externalData.data as Uint8Array }
            : {},
          calibrationDataReader: await this.#atHand(),
          samples,
          aloneSamples,
          memoryBudget: this.#options.memoryBudget,
          runtime: this.#options.runtime,
        }),
      'diagnose',
    );
  }

  async channels(result: RunnableResult<Model>, node: string): Promise<WeightChannels | null> {
    this.#refuseIfDisposed();
    const { model, externalData } = result as RunnableResult<never>;
    const external = externalData ? { [externalData.name]: externalData.data } : {};
    const input = await this.#platform.openInput(model, external);
    let quantized: ProbedModel | null = null;
    try {
      quantized = await ProbedModel.open(input);
      return weightChannels(quantized, node);
    } finally {
      quantized?.dispose();
      input.close();
    }
  }

  observe(name: string, settings: SessionSettings = {}): Promise<TensorObservation> {
    return this.#inTurn(async () => {
      const { effort: _, calibrationCache: __, ...plain } = settings;
      const checked = this.#check(plain);
      const { core, files, summary } = await this.#prepare(checked);
      const samples = await this.#samplesAtHand();
      core.reconfigure(coreOptions(checked));
      const tensors = core.calibrationTensors();
      const number = tensors.findIndex((tensor) => tensor.name === name);
      if (number < 0) {
        throw new QuantizeError('INVALID_OPTION', say`tensor "${name}" is not calibrated`, {
          tensor: name,
        });
      }
      return observeTensor({
        runtime: this.#runtime,
        pass: writeTensorPass(core, files, this.#input, summary, tensors, [number]),
        tensor: tensors[number]!,
        samples,
        methods: calibrationMethods.flatMap((method) => {
          const own = isByItself(method) ? this.#withMethod(plain, method) : null;
          return own ? [[method, own] as const] : [];
        }),
      });
    });
  }

  latency(
    result: RunnableResult<Model>,
    options: { runs?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<Latency> {
    return this.#inTurn(async () => {
      const feeds = await this.#choose({ heldOut: 0 }, await this.#samplesAtHand());
      return this.#runner.latency(result as RunnableResult<never>, feeds, options);
    });
  }

  sha256(data: Model | Uint8Array | Blob): Promise<string> {
    return digestOf(this.#platform, data as string | Uint8Array | Blob);
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    // What is running ends first.
    const end = () => {
      for (const { core } of this.#prepared.values()) core.dispose();
      this.#prepared.clear();
      this.#workers.close();
      this.#input.close();
      return this.#runner.dispose();
    };
    void Promise.allSettled(Object.values(this.#turns)).then(end);
  }

  // --- The turns of calls ---

  #inTurn<T>(work: () => Promise<T>, queue: Queue = 'results'): Promise<T> {
    this.#refuseIfDisposed();
    const turn = this.#turns[queue].then(work);
    this.#turns[queue] = turn.catch(() => {});
    return turn;
  }

  #refuseIfDisposed(): void {
    if (this.#isDisposed) throw new QuantizeError('SESSION_CLOSED', 'the session is closed');
  }

  // --- Settings ---

  #check({ name: _, calibrationCache: __, ...settings }: SessionSettings): CheckedStatic {
    const given = readParameters(quantizeStaticOptions, settings, []);
    const { runtime, workers, memoryBudget, strict } = this.#options;
    const own = { runtime, workers, memory_budget: memoryBudget, strict, hold_out: this.#holdOut };
    return checkQuantizeStatic({ ...given, ...own }, this.#library);
  }

  /** null where these settings do not go with the method. */
  #withMethod(settings: SessionSettings, method: CalibrationMethod): CheckedStatic | null {
    try {
      return this.#check({ ...settings, calibrateMethod: method });
    } catch {
      if (settings.effort === 'none') return null;
      return this.#withMethod({ ...settings, effort: 'none' }, method);
    }
  }

  // --- The prepared model ---

  /** `place`: more than one of the same kind may be needed at a time. */
  async #prepare(checked: CheckedStatic, place: '' | 'beside' = ''): Promise<PreparedModel> {
    const key = place + preparedKey(checked);
    const known = this.#prepared.get(key);
    if (known) {
      this.#prepared.delete(key);
      this.#prepared.set(key, known);
      return known;
    }
    const files = new ModelFiles(this.#input);
    const core = await CoreSession.create(files);
    try {
      const summary = fixDims(core.open(), checked.fix_dim);
      core.configure(coreOptions(checked));
      core.prepare();
      // An operator that the runtime does not know stands in the way of everything.
      const learned = await learnTypes(this.#runtime, core, files, this.#input, summary, true);
      if (core.structure().nodes.some(({ domain }) => !usualDomains.includes(domain))) {
        // All its types may be known: then nothing was loaded to learn them.
        const session = await loadAsGiven(this.#runtime, this.#input, summary, 'disabled');
        await session.release();
      }
      const prepared: PreparedModel = { core, files, summary, learned, busy: null };
      this.#prepared.set(key, prepared);
    } catch (error) {
      core.dispose();
      throw error;
    }
    for (const [old, { core: unused, busy }] of this.#prepared) {
      if (this.#prepared.size <= mostPrepared) break;
      if (busy || old === key) continue;
      unused.dispose();
      this.#prepared.delete(old);
    }
    return this.#prepared.get(key)!;
  }

  /** Sets it to what is running, after a plan. */
  #restore({ core, busy }: PreparedModel): void {
    if (!busy) return;
    core.reconfigure(coreOptions(busy.options));
    core.setRanges(busy.ranges);
  }

  #memory(core: CoreSession, summary: ModelSummary, checked: CheckedStatic): number {
    const shapes = summary.inputs.map(({ name, shape }) => [
      name,
      (shape ?? []).map((dim) => (typeof dim === 'number' && dim > 0 ? dim : 1)),
    ]);
    const estimate = core.estimateMemory(Object.fromEntries(shapes));
    const budget = (checked.memory_budget ?? 2048) * 2 ** 20;
    const { kind } = this.#calibrationRuntime;
    const most = mostWorkers(this.#platform, kind, checked, estimate.weights);
    const cost = runtimeCosts[kind];
    const observed = observedOf(core.calibrationTensors());
    const needsTensors = checked.calibrate_method !== 'MinMax';
    return planMemory(estimate, budget, most, needsTensors, cost, 0, observed).peak;
  }

  // --- Statistics ---

  async #statistics(checked: CheckedStatic): Promise<Statistics> {
    const options = rangeOptions({ ...checked, effort: 'none' });
    const calibration = await CoreCalibration.create(options, []);
    try {
      return statisticsFor(checked, calibration);
    } finally {
      calibration.dispose();
    }
  }

  async #need(checked: CheckedStatic): Promise<CalibrationNeed | null> {
    const wanted = await this.#statistics(checked);
    const missing = [wanted, wanted.from, wanted.repairs].filter(
      (one) => one !== null && !this.#collected.has(one.key),
    );
    if (missing.length === 0 || (wanted.from && this.#collected.has(wanted.key))) return null;
    const done = this.#begun.get(wanted.key)?.done ?? 0;
    const need = { passes: missing.reduce((sum, one) => sum + one!.passes, 0), done };
    if (!this.#reader) return { ...need, why: 'NO_SAMPLES', names: [] };
    const before = [...this.#collected.values()].at(-1);
    if (!before) return { ...need, why: 'FIRST', names: [] };
    const differences = preparedDifferences(before.checked, checked);
    if (differences.length > 0) return { ...need, why: 'PREPARED', names: differences };
    const { calibrate_method: method } = before.checked;
    return method === checked.calibrate_method
      ? { ...need, why: 'SETTINGS', names: ['extra_options'] }
      : { ...need, why: 'METHOD', names: ['calibrate_method'] };
  }

  async #collect(
    checked: CheckedStatic,
    run: Run,
    options: SessionCalibrateOptions,
  ): Promise<Collected> {
    const wanted = await this.#statistics(checked);
    if (wanted.repairs) await this.#collectStatistics(wanted.repairs, run, options);
    return this.#collectStatistics(wanted, run, options);
  }

  async #collectStatistics(
    wanted: Statistics,
    run: Run,
    options: SessionCalibrateOptions,
  ): Promise<Collected> {
    const known = this.#collected.get(wanted.key);
    if (known) return known;
    const from = wanted.from && (await this.#collectStatistics(wanted.from, run, options));
    const { checked } = wanted;
    if (!this.#reader) {
      throw new QuantizeError('INVALID_OPTION', 'there is nothing to calibrate with', {
        hint: 'give the session samples: setSamples()',
      });
    }
    const prepared = await run.stage('prepare', () => this.#prepare(checked));
    const { core, files, summary } = prepared;
    const reader = this.#reader;
    await run.stage('load', () => this.#settle(prepared, run));
    await this.#rewind(reader);
    core.reconfigure(coreOptions(checked));
    core.setRanges('{}');
    prepared.busy = { options: checked, ranges: '{}' };
    const tensors = from?.tensors ?? core.calibrationTensors();
    const collecting = new Run({ ...run.options, onDiagnostic: undefined });
    // It has a session of its own.
    const watch =
      options.onHistograms && !this.#isLarge
        ? await this.#watch(prepared, checked, tensors, options.onHistograms)
        : undefined;
    const resume = this.#begun.get(wanted.key) ?? (from ? goOn(from, checked) : undefined);
    // Where the last pass was through when a call was cancelled, none is run now.
    let last: CalibrationState | undefined = resume;
    try {
      const result = await run.stage('calibrate', () =>
        calibrate({
          platform: this.#platform,
          runtime: this.#calibrationRuntime,
          core,
          files,
          input: this.#input,
          model: summary,
          reader,
          checked,
          run: collecting,
          workers: this.#workers,
          tensors,
          keep: from === null,
          forOthers: true,
          onSample: watch && ((feeds) => watch.look(feeds)),
          digest: () => '',
          resume,
          onPass: (state) => {
            last = state;
            this.#begun.set(wanted.key, state);
          },
          onCalibrationState: (text) =>
            this.#begun.set(wanted.key, parseState(text, 'the calibration state')),
        }),
      );
      const collected: Collected = {
        state: JSON.stringify(last!.collected),
        tensors,
        checked,
        samples: from?.samples ?? result,
        said: from?.said ?? { description: result.description, ...result.about },
        notes: collecting.diagnostics,
      };
      run.note(...collecting.diagnostics);
      this.#collected.set(wanted.key, collected);
      this.#begun.delete(wanted.key);
      return collected;
    } finally {
      prepared.busy = null;
      const worth = workersForSessions(this.#runtime, this.#isLarge);
      this.#workers.keep(Math.min(keptWorkers, worth));
      await watch?.release();
    }
  }

  #watch(
    { core, files, summary }: PreparedModel,
    { calibrate_method: method, extra_options: extra }: CheckedStatic,
    tensors: readonly CalibratedTensor[],
    show: NonNullable<SessionCalibrateOptions['onHistograms']>,
  ): Promise<HistogramWatch> {
    const watched = watchedTensors(tensors);
    const pass = writeTensorPass(core, files, this.#input, summary, tensors, watched);
    const percentile = method === 'Percentile' ? (extra.CalibPercentile ?? 99.999) : 100;
    const names = watched.map((number) => tensors[number]!.name);
    return HistogramWatch.start(this.#runtime, pass, names, (1 - percentile / 100) / 2, show);
  }

  /** Ranges and statistics of what `checked` needs and was collected. */
  async #finish(checked: CheckedStatic, prepared: PreparedModel): Promise<Finished> {
    const { core, summary } = prepared;
    const wanted = await this.#statistics(checked);
    const collected = this.#collected.get(wanted.key);
    if (!collected) throw new QuantizeError('INTERNAL', 'the statistics were not collected');
    const repairs = wanted.repairs && this.#collected.get(wanted.repairs.key)!;
    const options = rangeOptions({ ...checked, effort: 'none' });
    const key = JSON.stringify([options, checked.effort, preparedKey(checked), wanted.key]);
    const known = this.#finished.get(key);
    if (known) return known;
    const calibration = await CoreCalibration.create(options, collected.tensors);
    try {
      calibration.restore(collected.state);
      calibration.endPass();
      core.reconfigure(coreOptions(checked));
      const names = new Set(core.calibrationTensors().map(({ name }) => name));
      const only = <T>(all: Record<string, T>) =>
        Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)));
      const json = calibration.ranges();
      const { samples } = collected.samples;
      const finished: Finished = {
        ranges: only(parseRanges(json)),
        statistics:
          checked.effort === 'none'
            ? null
            : only(repairs ? await statisticsOf(repairs) : JSON.parse(calibration.statistics())),
        rangesForRepairs:
          checked.effort === 'none'
            ? null
            : formatRanges(only(parseRanges(calibration.rangesForRepairs()))),
        notes: [...collected.notes, ...notesOnRanges(calibration, core, summary, json, samples)],
      };
      this.#finished.set(key, finished);
      return finished;
    } finally {
      this.#restore(prepared);
      calibration.dispose();
    }
  }

  #cachedRanges(settings: SessionSettings, checked: CheckedStatic): Finished | null {
    const { calibrationCache } = settings;
    if (calibrationCache === undefined) return null;
    const source = {
      modelInput: this.#options.modelInput,
      calibrationDataReader: this.#reader,
      calibrationCache,
    };
    const { cached, diagnostics } = planCache(source, checked, this.#platform);
    return (
      cached && {
        ranges: cached.ranges,
        statistics: null,
        rangesForRepairs: null,
        notes: diagnostics,
      }
    );
  }

  async #methodsDone(settings: SessionSettings): Promise<CalibrationMethod[]> {
    const done: CalibrationMethod[] = [];
    for (const method of calibrationMethods) {
      const checked = this.#withMethod(settings, method);
      if (checked && (await this.#need(checked)) === null) done.push(method);
    }
    return done;
  }

  // --- Samples ---

  /** How pictures are preprocessed, once for these samples. */
  async #settle({ summary }: PreparedModel, run: Run): Promise<void> {
    if (this.#settled) return;
    // The model as given: what tells (a BatchNormalization, say) may be folded in the prepared one.
    const files = new ModelFiles(this.#input);
    const core = await CoreSession.create(files);
    const asking = new Run({ ...run.options, onDiagnostic: undefined });
    try {
      core.open();
      await settlePreprocess({
        platform: this.#platform,
        core,
        files,
        input: this.#input,
        model: summary,
        runtime: this.#runtime,
        reader: this.#reader,
        run: asking,
      });
    } finally {
      core.dispose();
    }
    run.note(...asking.diagnostics);
    this.#settled = asking.diagnostics;
  }

  /** Before the samples are read once more. */
  async #rewind(reader: SampleInput): Promise<void> {
    if (this.#isRead) {
      if (isReadOnce(reader)) {
        throw new QuantizeError(
          'READER_CANNOT_REWIND',
          'the session needs the samples again, and the reader cannot give them twice',
          { hint: 'give the reader a rewind() method, or an iterable that can be iterated again' },
        );
      }
      await (reader as { rewind?: () => unknown }).rewind?.();
    }
    this.#isRead = true;
  }

  async #firstSamples(summary: ModelSummary, run: Run): Promise<Feeds[]> {
    await this.#rewind(this.#reader!);
    return firstSamples(this.#reader!, summary, this.#options.strict === true, run);
  }

  /** The samples that were held out, and a few of the others. */
  async #atHand(): Promise<Feeds[]> {
    // Where they have to be read first, nothing else may read them.
    return this.#collected.size > 0
      ? this.#samplesAtHand()
      : this.#inTurn(() => this.#samplesAtHand());
  }

  async #samplesAtHand(): Promise<Feeds[]> {
    const collected = [...this.#collected.values()].at(-1)?.samples;
    if (collected) return [...collected.held, ...collected.kept];
    return this.#reader ? this.#firstSamples(this.#summary, new Run({})) : [];
  }

  get #summary(): ModelSummary {
    return [...this.#prepared.values()].at(-1)?.summary ?? this.model;
  }

  async #choose(sample: SampleChoice, atHand?: Feeds[]): Promise<Feeds> {
    if ('reader' in sample) {
      const [first] = await firstSamples(sample.reader, this.#summary, true, new Run({}));
      return first!;
    }
    const all = atHand ?? (await this.#atHand());
    const feeds = all[sample.heldOut];
    if (feeds) return feeds;
    throw new QuantizeError(
      'NO_SAMPLES',
      say`there is no sample ${sample.heldOut} to compare with`,
      {
        hint: say`there are ${all.length}`,
      },
    );
  }
}

/** What repairs are made from, of a finished pass. */
async function statisticsOf({ state, tensors, checked }: Collected) {
  const calibration = await CoreCalibration.create(rangeOptions(checked), tensors);
  try {
    calibration.restore(state);
    calibration.endPass();
    return JSON.parse(calibration.statistics()) as Record<string, unknown>;
  } finally {
    calibration.dispose();
  }
}

/** auto takes one of the others; Distribution is for float8, which has no ends to clip at. */
const isByItself = (method: CalibrationMethod) => method !== 'auto' && method !== 'Distribution';

/** A state from which the second pass of `checked` begins. */
function goOn({ state, tensors }: Collected, checked: CheckedStatic): CalibrationState {
  return {
    model: '',
    options: rangeOptions(checked),
    tensors: [...tensors],
    ...howHeld(checked),
    groups: null,
    group: 0,
    done: 0,
    complete: true,
    collected: JSON.parse(state),
  };
}
