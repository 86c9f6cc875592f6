// The calibration loop, the same in Node and in the browser: each sample goes once through the float
// model, which reduces every tensor to its minimum and maximum itself, so that a few numbers come out
// and nothing grows with the number of samples. A few samples are kept for verify.ts.
import { QuantizeError } from './errors.js';
import type { Run } from './progress.js';
import type { OutputTensor, RuntimeSession } from './runtime.js';
import { checkSample, copySample, type OpenSamples, sampleBytes } from './samples.js';
import type { CalibrationModel, Feeds, ModelSummary } from './types.js';

/** How many samples are kept, and how many bytes they may take together (one is kept in any case). */
const keptSamples = 8;
const keptBytes = 128 * 2 ** 20;

export interface CalibrationResult {
  /** Number of samples that were run. */
  samples: number;
  kept: Feeds[];
}

export interface CalibrateInput {
  session: RuntimeSession;
  model: ModelSummary;
  calibration: CalibrationModel;
  open: OpenSamples;
  /** Takes one sample's reductions. */
  observe: (values: Float32Array) => void;
  run: Run;
}

/** Runs all samples. Throws INVALID_DATA for a sample that does not fit, NO_SAMPLES where there is none. */
export async function calibrate(input: CalibrateInput): Promise<CalibrationResult> {
  const { session, model, calibration, open, observe, run } = input;
  const total = open.length;
  const kept = new KeptSamples(total);
  const start = performance.now();
  let done = 0;
  for await (const feeds of open.samples) {
    checkSample(feeds, model.inputs, done);
    if (calibration.output) {
      const results = await runSample(session, feeds, [calibration.output], done);
      observe(results[calibration.output]?.data as Float32Array);
    }
    kept.offer(feeds, done);
    done++;
    run.samples('calibrate', done, total, performance.now() - start);
    await run.checkpoint();
  }
  if (done === 0) throw noSamples();
  return { samples: done, kept: kept.samples };
}

/** The samples to verify with, where none is needed for calibration. Reads no more than these. */
export async function firstSamples(open: OpenSamples, model: ModelSummary): Promise<Feeds[]> {
  const kept = new KeptSamples(undefined);
  let index = 0;
  for await (const feeds of open.samples) {
    checkSample(feeds, model.inputs, index);
    kept.offer(feeds, index++);
    if (kept.isFull) break;
  }
  if (index === 0) throw noSamples();
  return kept.samples;
}

/** Copies of a few samples, spread over the whole set where its size is known. */
class KeptSamples {
  readonly samples: Feeds[] = [];
  readonly #total: number | undefined;
  #bytes = 0;

  constructor(total: number | undefined) {
    this.#total = total;
  }

  get isFull(): boolean {
    return this.samples.length >= keptSamples || this.#bytes >= keptBytes;
  }

  offer(feeds: Feeds, index: number): void {
    const kept = this.samples.length;
    const total = this.#total;
    const due =
      total === undefined ||
      total <= keptSamples ||
      index >= Math.floor((kept * total) / keptSamples);
    const bytes = sampleBytes(feeds);
    if (!due || this.isFull || (kept > 0 && this.#bytes + bytes > keptBytes)) return;
    this.samples.push(copySample(feeds));
    this.#bytes += bytes;
  }
}

/** Runs one sample; errors name it. */
export async function runSample(
  session: RuntimeSession,
  feeds: Feeds,
  fetches: readonly string[],
  index: number,
): Promise<Record<string, OutputTensor>> {
  try {
    return await session.run(feeds, fetches);
  } catch (error) {
    if (!(error instanceof QuantizeError)) throw error;
    throw new QuantizeError(error.code, `sample ${index + 1}: ${error.message}`, { cause: error });
  }
}

function noSamples(): QuantizeError {
  return new QuantizeError('NO_SAMPLES', 'the calibration data reader gave no sample', {
    hint: 'one sample is enough; 100 typical ones are good',
  });
}
