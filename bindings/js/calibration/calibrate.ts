// Calibration, top to bottom: memory and workers are planned and stated; each pass that the method
// needs reads the samples once (several times where the memory budget is small); the ranges follow.
// A run that is stopped hands out what it has collected, so that another can go on from there.

import type { InputFiles } from '../base/bytes.js';
import { QuantizeError } from '../base/errors.js';
import type { Run } from '../base/run.js';
import { say } from '../base/text.js';
import type {
  CalibratedTensor,
  Diagnostic,
  Feeds,
  ModelSummary,
  RangesByChannel,
  SampleSlice,
  SamplesAbout,
} from '../base/types.js';
import { CoreCalibration } from '../core/calibration.js';
import type { ModelFiles } from '../core/host-files.js';
import { parseRanges } from '../core/ranges.js';
import type { CoreSession } from '../core/session.js';
import type { CheckedCalibrate } from '../options/calibrate.js';
import { rangeOptions } from '../options/core-options.js';
import { usuallyHeld } from '../options/defaults.js';
import type { CheckedStatic } from '../options/quantize-static.js';
import type { Platform, Runtime } from '../platform/platform.js';
import { Workers } from '../runtime/workers.js';
import { UnusableFiles } from '../samples/files/unusable.js';
import { type SampleInput, sampleBytes } from '../samples/samples.js';
import {
  type CalibrationState,
  checkSameRun,
  formatState,
  type Shard,
  type StateOwner,
} from './calibration-state.js';
import { checkSamples, originOfNan } from './check-samples.js';
import { chooseRuntime } from './choose-runtime.js';
import { HeldSamples } from './held-samples.js';
import { KeptSamples } from './kept-samples.js';
import {
  describePlan,
  leastMilliseconds,
  type MemoryPlan,
  mostWorkers,
  observedOf,
  planMemory,
  runtimeCosts,
  withHeld,
} from './memory-plan.js';
import { writeReductionPass, writeTensorPass } from './pass-model.js';
import { PassStopped, RunnerPool } from './runner-pool.js';
import { noSamples, SamplePasses } from './sample-passes.js';
import { WorkerGrowth } from './worker-growth.js';

/** Of the model that is calibrated, see model-digest.ts. */
type Digest = () => string | Promise<string>;

export interface CalibrateInput {
  platform: Platform<unknown>;
  runtime: Runtime;
  core: CoreSession;
  files: ModelFiles;
  input: InputFiles;
  model: ModelSummary;
  reader: SampleInput;
  checked: CheckedStatic | CheckedCalibrate;
  run: Run;
  /** Only these samples are run, and only the pass that is due. */
  shard?: Shard | undefined;
  /** Goes on from there. */
  resume?: CalibrationState | undefined;
  /** In place of the core's: those of the state that is gone on from. */
  tensors?: readonly CalibratedTensor[] | undefined;
  /** Those that are started run on, and are the caller's to close; absent: they end with this. */
  workers?: Workers | undefined;
  /** Whether samples are kept for verification, and those that are held out; else none are. */
  keep?: boolean | undefined;
  /** Whether ranges of other settings are to follow from what is collected, too. */
  forOthers?: boolean | undefined;
  /** What `resume` and the states that are handed out are of; absent: the model's digest. */
  digest?: Digest | undefined;
  /** Called with each sample before it is run. */
  onSample?: ((feeds: Feeds) => Promise<void>) | undefined;
  /** Called when a pass is through, with all that was collected. */
  onPass?: ((state: CalibrationState) => void) | undefined;
  /** Where the run is cancelled after its first sample: receives the text of what was collected. */
  onCalibrationState?: ((state: string) => void) | undefined;
}

export interface CalibrationResult {
  /** Number of samples that were run (of a resumed run: in all). */
  samples: number;
  /** A few of them. */
  kept: Feeds[];
  /** Those that were held out, or set aside. */
  held: Feeds[];
  /** Whether ranges are made from these, too: they were set aside from repairs only. */
  heldInRanges: boolean;
  /** JSON of the ranges, see CoreCalibration.ranges(); null after a shard. */
  ranges: string | null;
  /** What they tell about the samples. */
  notes: Diagnostic[];
  /** With an effort: JSON of what repairs are made from, see CoreCalibration.statistics(). */
  statistics: string | null;
  /** With an effort: see CoreCalibration.rangesForRepairs(). */
  rangesForRepairs: string | null;
  /** With calib_per_channel. */
  rangesByChannel: RangesByChannel | null;
  /** What a shard collected; null without one. */
  state: CalibrationState | null;
  description: string;
  about: SamplesAbout;
}

/** 2 GiB. */
const usualBudget = 2048;

/**
 * What repairs are made from is reduced in so many of the first samples: it costs a third more, and
 * more of them give no better repairs (docs/accuracy.md).
 */
const samplesForRepairs = 16;

/**
 * Throws INVALID_DATA for a sample that does not fit, NO_SAMPLES where there is none,
 * INVALID_CALIBRATION_STATE where `resume` belongs to another run.
 */
export async function calibrate(given: CalibrateInput): Promise<CalibrationResult> {
  const { core, run, reader, model, resume, shard } = given;
  const tensors = given.tensors ?? core.calibrationTensors();
  const options = rangeOptions(given.checked);
  if (options.calibrate_method === 'Percentile' && !given.forOthers) options.only_percentile = true;
  const calibration = await CoreCalibration.create(options, tensors);
  const workers = given.workers ?? new Workers(given.platform);
  let samples: SamplePasses | null = null;
  try {
    const about = { options, tensors: [...tensors], ...howHeld(given.checked) };
    const digest = given.digest ?? (() => digestOf(given.input, model.externalFiles));
    if (resume) {
      checkSameRun(resume, { ...about, model: await digest() }, 'the calibration state');
      checkShard(resume, shard);
      calibration.restore(JSON.stringify(resume.collected));
      if (resume.complete && !shard) calibration.endPass();
    }
    const unusable = new UnusableFiles();
    const slice = sliceFrom(shard, begunSamples(resume));
    samples = new SamplePasses(
      reader,
      model,
      slice,
      given.checked.strict ? undefined : unusable.add,
    );
    const runtime = await chosenRuntime(given, tensors, samples, calibration);
    const plan = await planRun({ ...given, runtime }, tensors, samples, calibration);
    const growth = given.checked.workers === null ? new WorkerGrowth(plan.workers) : undefined;
    const pool = new RunnerPool({
      runtime,
      calibration,
      seed: { options, tensors },
      workers,
      workerCount: plan.workers,
      growth,
      leastMilliseconds: leastMilliseconds(runtime.kind, plan.tensorBytes),
      ownSamples: samples.areFresh,
    });
    const calibrationRun = new CalibrationRun(
      given,
      about,
      digest,
      calibration,
      samples,
      plan,
      pool,
      unusable,
    );
    // A shard whose pass is through already has nothing left to do.
    while (calibration.pass !== '' && !(shard && resume?.complete)) {
      await calibrationRun.runPass();
      given.onPass?.(await calibrationRun.state());
      if (shard) break;
      calibration.endPass();
    }
    const { held } = calibrationRun;
    const again = resume && !shard && given.keep !== false;
    const kept = again ? await keepAgain(samples, held) : calibrationRun.kept;
    run.note(...unusable.notes());
    if (growth?.note) run.note(growth.note);
    const ranges = calibration.pass === '' ? calibration.ranges() : null;
    const forRepairs = options.effort !== 'none' && ranges !== null;
    return {
      samples: calibrationRun.samples,
      kept: kept.samples,
      held: held.samples,
      heldInRanges: about.heldInRanges,
      ranges,
      notes: ranges ? notesOnRanges(calibration, core, model, ranges, calibrationRun.samples) : [],
      statistics: forRepairs ? calibration.statistics() : null,
      rangesForRepairs: forRepairs ? calibration.rangesForRepairs() : null,
      rangesByChannel: options.calib_per_channel && ranges ? calibration.rangesByChannel() : null,
      state: shard ? (resume?.complete ? resume : await calibrationRun.state()) : null,
      description: samples.describe(),
      about: samples.about(),
    };
  } finally {
    if (!given.workers) workers.close();
    calibration.dispose();
    await samples?.close();
  }
}

/** Only states have it: most jobs do without what it takes. */
async function digestOf(input: InputFiles, names: readonly string[]): Promise<string> {
  const { modelDigest } = await import('./model-digest.js');
  return modelDigest(input, names);
}

/**
 * How many samples are held out at most. Where an effort needs some and none were asked for, they
 * are set aside from what repairs are made from only: ranges are those of all samples.
 */
export const howHeld = ({ hold_out, effort }: Pick<CheckedStatic, 'hold_out' | 'effort'>) => ({
  holdOut: hold_out ?? (effort === 'none' ? 0 : usuallyHeld),
  heldInRanges: hold_out === null && effort !== 'none',
});

/** What the ranges and what was collected for them tell about the samples. */
export function notesOnRanges(
  calibration: CoreCalibration,
  core: CoreSession,
  model: ModelSummary,
  ranges: string,
  samples: number,
): Diagnostic[] {
  return [
    ...originOfNan(calibration.notes(), model),
    ...checkSamples(model, core.expectedMagnitude(), parseRanges(ranges), samples),
  ];
}

/** Of a run that goes on from another: the samples that this one kept are read again. */
async function keepAgain(samples: SamplePasses, held: HeldSamples): Promise<KeptSamples> {
  const kept = new KeptSamples(samples.length);
  let index = 0;
  for await (const feeds of samples.pass({ first: 0, step: 1 }, false)) {
    if (feeds !== null && held.wants(index)) held.keep(feeds, index);
    else if (feeds !== null) kept.offer(feeds, index);
    index++;
  }
  return kept;
}

/**
 * The shard of a state must be the one that goes on from it; a state of all samples may be
 * continued by any.
 */
function checkShard(resume: CalibrationState, shard: Shard | undefined): void {
  const text = (one: Shard | undefined) =>
    one ? `shard ${one.index}/${one.count}` : 'all samples';
  const fits =
    resume.shard === undefined ? !shard || resume.done === 0 : text(resume.shard) === text(shard);
  if (fits) return;
  throw new QuantizeError(
    'INVALID_CALIBRATION_STATE',
    say`the calibration state is of ${text(resume.shard)}, and this run is of ${text(shard)}`,
    { hint: 'merge-ranges makes one state of all shards' },
  );
}

/** Plans workers and groups of tensors within the memory budget, and states the plan. */
async function planRun(
  { core, run, platform, runtime, checked, shard }: CalibrateInput,
  tensors: readonly CalibratedTensor[],
  samples: SamplePasses,
  calibration: CoreCalibration,
): Promise<MemoryPlan> {
  const first = await samples.peek();
  if (first === null && !shard && !samples.hasPassedOver) throw noSamples();
  const shapes = Object.entries(first ?? {}).map(([name, { dims }]) => [name, dims] as const);
  const estimate = core.estimateMemory(Object.fromEntries(shapes));
  const budget = (checked.memory_budget ?? usualBudget) * 2 ** 20;
  const needsTensors = takesTensors(calibration);
  const most = mostWorkers(platform, runtime.kind, checked, estimate.weights);
  const cost = runtimeCosts[runtime.kind];
  const sample = sampleBytes(first ?? {});
  const observed = observedOf(tensors);
  const least = planMemory(estimate, budget, most, needsTensors, cost, sample, observed);
  const again = calibration.passCount > 1 || least.groups.length > 1;
  const length = samples.length;
  const bytes = length === undefined ? Number.POSITIVE_INFINITY : length * sample;
  const { plan, held } = withHeld(least, budget, again ? bytes : 0);
  samples.holdUpTo(held);
  const passes = calibration.passCount - (calibration.isForRepairs ? 1 : 0);
  if (tensors.length > 0) run.note(describePlan(plan, estimate, passes, budget));
  return plan;
}

/** All passes but that of MinMax, which is the only one where there is one only. */
const takesTensors = (calibration: CoreCalibration) =>
  calibration.passCount > 1 || calibration.pass !== 'ranges';

/** The runtime that was asked for; WebAssembly in place of a GPU where that is better. */
async function chosenRuntime(
  { core, files, input, model, platform, runtime, checked, run }: CalibrateInput,
  tensors: readonly CalibratedTensor[],
  samples: SamplePasses,
  calibration: CoreCalibration,
): Promise<Runtime> {
  if (runtime.kind !== 'webgpu') return runtime;
  const wasm = await platform.loadRuntime({ kind: 'web' });
  if (takesTensors(calibration)) {
    run.note({
      severity: 'info',
      code: 'WEBGPU_NOT_USED',
      message:
        'this calibration method needs the tensors themselves, which come from a GPU slower than WebAssembly makes them: WebAssembly calibrates',
    });
    return wasm;
  }
  const feeds = await samples.peek();
  if (tensors.length === 0 || feeds === null) return wasm;
  const pass = writeReductionPass(core, files, input, model, tensors, true);
  const names = tensors.map(({ name }) => name);
  const workers = Math.max(1, checked.workers ?? platform.cores);
  const candidates = { gpu: runtime, wasm, workers };
  const choice = await chooseRuntime(candidates, pass, calibration, feeds, names);
  run.note(choice.note);
  return choice.runtime;
}

const allSamples: Shard = { index: 0, count: 1 };

/** What is left of a shard after its first `done` samples. */
const sliceFrom = ({ index, count }: Shard = allSamples, done = 0): SampleSlice => ({
  first: index + count * done,
  step: count,
});

/** Samples of the pass that a state was stopped in. */
const begunSamples = (resume: CalibrationState | undefined) =>
  resume && !resume.complete ? resume.done : 0;

/** The passes over the samples: which are run, how far, and the state to go on from. */
class CalibrationRun {
  readonly kept: KeptSamples;
  readonly held: HeldSamples;
  samples = 0;
  readonly #given: CalibrateInput;
  readonly #about: StateOwner;
  readonly #digest: Digest;
  readonly #calibration: CoreCalibration;
  readonly #source: SamplePasses;
  readonly #plan: MemoryPlan;
  readonly #pool: RunnerPool;
  readonly #unusable: UnusableFiles;
  /** Samples of this run that were passed over, of the pass that is run. */
  #passedOver = 0;
  #groups: number[][] | null = null;
  #group = 0;
  #done = 0;
  #complete = false;
  #passes = 0;

  constructor(
    given: CalibrateInput,
    about: StateOwner,
    digest: Digest,
    calibration: CoreCalibration,
    source: SamplePasses,
    plan: MemoryPlan,
    pool: RunnerPool,
    unusable: UnusableFiles,
  ) {
    this.#given = given;
    this.#unusable = unusable;
    this.#about = about;
    this.#digest = digest;
    this.#calibration = calibration;
    this.#source = source;
    this.#plan = plan;
    this.#pool = pool;
    this.kept = new KeptSamples(source.length);
    this.held = new HeldSamples(source.length, about.holdOut, about.heldInRanges);
    const { resume } = given;
    const begins = resume?.done === 0 && resume.group === 0;
    if (!resume || begins) return;
    if (resume.complete) {
      // Of its pass; where that was the last, nothing is run any more.
      this.#done = resume.done;
      this.samples = resume.done - this.#countHeld(given.shard ?? allSamples);
      return;
    }
    this.#groups = resume.groups;
    this.#group = resume.group;
    this.#done = resume.done;
    this.#passes = -1; // the pass goes on, none begins
  }

  /** Runs what is missing of the calibration's pass. */
  async runPass(): Promise<void> {
    if (this.#passes++ >= 0) {
      this.#groups = this.#calibration.pass === 'ranges' ? null : this.#neededGroups();
      this.#group = 0;
      this.#done = 0;
      this.#complete = false;
    }
    for (;;) {
      await this.#runGroup();
      if (++this.#group >= (this.#groups?.length ?? 1)) break;
      this.#done = 0;
    }
    this.#complete = true;
  }

  #neededGroups(): number[][] {
    const needed = (tensor: number) => this.#calibration.needs(tensor);
    return this.#plan.groups
      .map((group) => group.filter(needed))
      .filter((group) => group.length > 0);
  }

  /** What is collected up to now. */
  async state(): Promise<CalibrationState> {
    const { shard } = this.#given;
    return {
      model: await this.#digest(),
      ...this.#about,
      ...(shard && { shard }),
      groups: this.#groups,
      group: this.#group,
      done: this.#done,
      complete: this.#complete,
      collected: JSON.parse(this.#calibration.save()),
    };
  }

  async #runGroup(): Promise<void> {
    const { run, shard = allSamples, onCalibrationState } = this.#given;
    const before = this.#done;
    this.#passedOver = 0;
    const slice = sliceFrom(shard, before);
    const length = this.#source.length;
    const all = length === undefined ? undefined : Math.ceil((length - shard.index) / shard.count);
    const forRepairs = this.#forRepairs(shard);
    const { passCount, passIndex, mayAddPass, isForRepairs } = this.#calibration;
    const most = isForRepairs ? forRepairs : Number.POSITIVE_INFINITY;
    const start = performance.now();
    const isLastPass = passIndex + 1 === passCount && !mayAddPass;
    const isLast = isLastPass && this.#group + 1 >= (this.#groups?.length ?? 1);
    const share = all === undefined ? undefined : Math.min(all, most);
    const report = (done: number) =>
      run.samples('calibrate', done, share, performance.now() - start, {
        pass: passIndex + 1,
        passes: passCount,
      });
    const samples = this.#offered(this.#source.pass(slice, !isLast), slice);
    try {
      while (this.#done < most) {
        const next = await samples.next();
        if (next.done) break;
        const first = this.#done;
        const repairs = first < forRepairs;
        const end = repairs ? forRepairs : Number.POSITIVE_INFINITY;
        const ran = await this.#pool.runPass(
          this.#write(repairs),
          upTo(end - first, next.value, samples),
          share === undefined ? undefined : Math.min(share, end) - first,
          (done) => report(first + done),
          () => run.checkpoint(),
          (index) => !this.held.wants(shard.index + shard.count * (first + index)),
        );
        this.#done = first + ran;
      }
    } catch (error) {
      const stopped = error instanceof PassStopped;
      if (stopped) this.#done += error.done;
      const any = this.#done > 0 || this.#group > 0 || passIndex > 0;
      if (run.isCancelled && any) onCalibrationState?.(formatState(await this.state()));
      throw stopped ? error.cause : error;
    } finally {
      await samples.return(undefined);
    }
    if (!isForRepairs) {
      if (this.#done === 0 && shard.count === 1) throw noSamples();
      this.#unusable.check(this.#done - before, this.#passedOver);
    }
    this.samples = this.#done - this.#passedOver - this.#countHeld(shard);
  }

  /** The number of the first samples of a shard that are reduced for repairs, too. */
  #forRepairs({ index, count }: Shard): number {
    const { tensors } = this.#about;
    const any = this.#groups === null && tensors.some(({ means }) => means);
    return any ? Math.ceil(Math.max(0, samplesForRepairs - index) / count) : 0;
  }

  /** Of the samples that are done, those before this run included. */
  #countHeld({ index, count }: Shard): number {
    let held = 0;
    if (this.#about.heldInRanges) return held;
    for (let i = 0; i < this.#done; i++) if (this.held.wants(index + i * count)) held++;
    return held;
  }

  /**
   * Yields the samples, keeping a few for verification; null in the place of those that no range is
   * made from.
   */
  async *#offered(
    samples: AsyncIterable<Feeds | null>,
    slice: SampleSlice,
  ): AsyncGenerator<Feeds | null> {
    let index = slice.first;
    for await (const feeds of samples) {
      if (feeds === null) this.#passedOver++;
      else if (this.held.wants(index)) this.held.keep(feeds, index);
      else if (!this.kept.isFull) this.kept.offer(feeds, index);
      const isRun = feeds !== null && (this.#about.heldInRanges || !this.held.wants(index));
      if (isRun) await this.#given.onSample?.(feeds);
      yield isRun ? feeds : null;
      index += slice.step;
    }
  }

  #write(forRepairs: boolean) {
    const { core, files, input, model } = this.#given;
    const group = this.#groups?.[this.#group];
    return group
      ? writeTensorPass(core, files, input, model, this.#about.tensors, group)
      : writeReductionPass(core, files, input, model, this.#about.tensors, forRepairs);
  }
}

/** `first` and what follows it, `count` in all at most. */
async function* upTo<T>(count: number, first: T, rest: AsyncIterator<T>): AsyncGenerator<T> {
  yield first;
  for (let done = 1; done < count; done++) {
    const next = await rest.next();
    if (next.done) return;
    yield next.value;
  }
}

/** The samples to verify with where ranges come from a cache. Reads no more than these. */
export async function firstSamples(
  reader: SampleInput,
  model: ModelSummary,
  strict: boolean,
  run: Run,
): Promise<Feeds[]> {
  const kept = new KeptSamples(undefined);
  const unusable = new UnusableFiles();
  const all = { first: 0, step: 1 };
  const samples = new SamplePasses(reader, model, all, strict ? undefined : unusable.add);
  let index = 0;
  let passedOver = 0;
  for await (const feeds of samples.pass(all, false)) {
    if (feeds === null) passedOver++;
    else kept.offer(feeds, index);
    index++;
    if (kept.isFull) break;
  }
  if (index === 0) throw noSamples();
  unusable.check(index, passedOver);
  run.note(...unusable.notes());
  return kept.samples;
}
