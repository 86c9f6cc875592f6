// Samples that can be read more than once, as methods with two passes need: shipped sources and
// iterables are opened again; a reader with getNext() is rewound where it has rewind(), else its
// samples are kept in memory as they come.
import { QuantizeError } from '../base/errors.js';
import type { Feeds, ModelSummary, SampleSlice } from '../base/types.js';
import {
  checkSample,
  copySample,
  type OpenSamples,
  openSamples,
  type SampleInput,
  sampleBytes,
} from '../samples/samples.js';

/** What a reader's samples may take together before reading them twice is refused. */
const keptBytes = 1024 * 2 ** 20;

export class SamplePasses {
  readonly #input: SampleInput;
  readonly #model: ModelSummary;
  #opened: OpenSamples;
  #passes = 0;
  #kept: Feeds[] | null = null;

  constructor(input: SampleInput, model: ModelSummary) {
    this.#input = input;
    this.#model = model;
    this.#opened = openSamples(input, model);
    if (this.#readsOnce) this.#kept = [];
  }

  /** Number of samples of the whole set, where known. */
  get length(): number | undefined {
    return this.#opened.length;
  }

  /** Whether each sample has arrays of its own, as those of shipped sources have. */
  get areFresh(): boolean {
    return typeof (this.#input as { open?: unknown }).open === 'function';
  }

  describe(): string {
    return this.#opened.describe();
  }

  summarize(): string {
    return this.#opened.summarize();
  }

  /** The first sample, for its shapes. Throws NO_SAMPLES. */
  async peek(): Promise<Feeds> {
    if (this.#readsOnce) {
      const [first] = this.#kept!;
      if (first) return first;
      const next = await this.#iterator().next();
      if (next.done) throw noSamples();
      checkSample(next.value, this.#model.inputs, 0);
      this.#kept!.push(copySample(next.value));
      return next.value;
    }
    for await (const feeds of openSamples(this.#input, this.#model).samples) {
      checkSample(feeds, this.#model.inputs, 0);
      return feeds;
    }
    throw noSamples();
  }

  /**
   * One pass over the samples of `slice`, checked against the model's inputs; `again`: another one
   * may follow.
   */
  async *pass(slice: SampleSlice, again: boolean): AsyncGenerator<Feeds> {
    this.#passes++;
    let index = slice.first;
    for await (const feeds of this.#read(slice, again)) {
      checkSample(feeds, this.#model.inputs, index);
      yield feeds;
      index += slice.step;
    }
  }

  async *#read(slice: SampleSlice, again: boolean): AsyncGenerator<Feeds> {
    if (!this.#readsOnce) {
      const rewindable = this.#input as { rewind?: () => unknown };
      if (this.#passes > 1 && typeof rewindable.rewind === 'function') await rewindable.rewind();
      this.#opened = openSamples(this.#input, this.#model, slice);
      yield* this.#opened.samples;
      return;
    }
    const wanted = (index: number) =>
      index >= slice.first && (index - slice.first) % slice.step === 0;
    const kept = this.#kept!;
    let index = 0;
    for (; index < kept.length; index++) if (wanted(index)) yield kept[index]!;
    const iterator = this.#iterator();
    let bytes = kept.reduce((sum, feeds) => sum + sampleBytes(feeds), 0);
    for (let next = await iterator.next(); !next.done; next = await iterator.next(), index++) {
      if (again || this.#passes > 1) {
        bytes += sampleBytes(next.value);
        if (bytes > keptBytes) throw readsOnce(bytes);
        kept.push(copySample(next.value));
      }
      if (wanted(index)) yield next.value;
    }
  }

  #source: AsyncIterator<Feeds> | null = null;
  #iterator(): AsyncIterator<Feeds> {
    this.#source ??= this.#opened.samples[Symbol.asyncIterator]();
    return this.#source;
  }

  /** Generators, and readers without rewind(). */
  get #readsOnce(): boolean {
    const any = this.#input as {
      open?: unknown;
      getNext?: unknown;
      rewind?: unknown;
      next?: unknown;
    };
    if (typeof any.open === 'function') return false;
    if (typeof any.getNext === 'function') return typeof any.rewind !== 'function';
    return typeof any.next === 'function';
  }
}

function readsOnce(bytes: number): QuantizeError {
  const size = `${Math.round(bytes / 2 ** 20)} MiB`;
  return new QuantizeError(
    'READER_CANNOT_REWIND',
    `this calibration method reads the samples twice, and the reader cannot: ${size} were kept for it`,
    { hint: 'give the reader a rewind() method, or an iterable that can be iterated again' },
  );
}

export function noSamples(): QuantizeError {
  return new QuantizeError('NO_SAMPLES', 'the calibration data reader gave no sample', {
    hint: 'one sample is enough; 100 typical ones are good',
  });
}
