// Samples that can be read more than once, as methods with two passes need. The first look at them
// and the first pass share one iterator, so that no sample is lost; later passes open the samples
// again, rewinding a reader that has rewind(). What can be read only once is kept in memory as it
// comes; of what files are decoded to, the first ones are, as far as there is room, so that later
// passes do not decode them again.

import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';
import type {
  CalibrationDataReader,
  Feeds,
  ModelSummary,
  SampleSlice,
  SamplesAbout,
} from '../base/types.js';
import type { OnUnusable } from '../samples/files/unusable.js';
import {
  checkSample,
  copySample,
  type OpenSamples,
  openSamples,
  type SampleInput,
  sampleBytes,
} from '../samples/samples.js';

/** Bytes of samples that are kept for a second pass before it is refused. */
const keptBytes = 1024 * 2 ** 20;

export class SamplePasses {
  readonly #input: SampleInput;
  readonly #model: ModelSummary;
  readonly #slice: SampleSlice;
  #opened: OpenSamples;
  #opens = 0;
  /** The first pass, its first sample taken; null before peek() and once the pass has begun. */
  #begun: AsyncGenerator<Feeds | null> | null = null;
  #first: Feeds | null = null;
  /** Samples before the first that were passed over. */
  #passedOver = 0;
  readonly #unusable: OnUnusable | undefined;
  /** Whether another pass may follow. */
  #again = true;
  /** Of input that can be read only once: what has come, in order. */
  readonly #kept: Feeds[] = [];
  #rest: AsyncIterator<Feeds | null> | null = null;
  /** What passes began with, of shipped sources, and the slice of the first of them. */
  readonly #held: (Feeds | null)[] = [];
  #heldSlice: SampleSlice | null = null;
  /** Bytes that may still be held. */
  #room = 0;
  /** The number after that of the last sample, once a pass has come to its end. */
  #end: number | null = null;

  /**
   * `slice`: that of the first pass. `unusable`: told of files that are passed over; without it
   * they are errors.
   */
  constructor(
    input: SampleInput,
    model: ModelSummary,
    slice: SampleSlice = { first: 0, step: 1 },
    unusable?: OnUnusable,
  ) {
    this.#unusable = unusable;
    this.#input = input;
    this.#model = model;
    this.#slice = slice;
    this.#opened = openSamples(input, model);
  }

  /** Number of samples of the whole set, where known. */
  get length(): number | undefined {
    return this.#opened.length;
  }

  /** Whether each sample has arrays of its own, as those of shipped sources have. */
  get areFresh(): boolean {
    return typeof (this.#input as { open?: unknown }).open === 'function';
  }

  /** After peek(): whether samples before the first were passed over. */
  get hasPassedOver(): boolean {
    return this.#passedOver > 0;
  }

  /** So many bytes may be held of samples that have arrays of their own, until the last pass. */
  holdUpTo(bytes: number): void {
    if (this.areFresh) this.#room = bytes;
  }

  describe(): string {
    return this.#opened.describe();
  }

  about(): SamplesAbout {
    return this.#opened.about();
  }

  /** The first sample of the first pass, for its shapes; the first of all where that has none. */
  async peek(): Promise<Feeds | null> {
    if (this.#begun) return this.#first;
    this.#begun = this.#read(this.#slice);
    const { first, passedOver } = await this.#look(this.#begun, this.#slice);
    this.#first = first;
    this.#passedOver = passedOver;
    if (this.#first || this.#slice.first === 0) return this.#first;
    const slice = { first: 0, step: 1 };
    const all = this.#read(slice);
    try {
      return (await this.#look(all, slice)).first;
    } finally {
      await all.return(undefined);
    }
  }

  async #look(samples: AsyncGenerator<Feeds | null>, slice: SampleSlice) {
    for (let passedOver = 0; ; passedOver++) {
      const next = await samples.next();
      if (next.done) return { first: null, passedOver };
      if (next.value === null) continue;
      checkSample(next.value, this.#model.inputs, slice.first + passedOver * slice.step);
      return { first: this.areFresh ? next.value : copySample(next.value), passedOver };
    }
  }

  /**
   * One pass over the samples of `slice`, checked against the model's inputs; `again`: another one
   * may follow. Throws INVALID_DATA for a sample that does not fit, READER_CANNOT_REWIND where
   * there are more or fewer samples than in the pass before. Null: one was passed over.
   */
  async *pass(slice: SampleSlice, again: boolean): AsyncGenerator<Feeds | null> {
    this.#again = again;
    let index = slice.first;
    if (this.#held.length === 0) this.#heldSlice = slice;
    const holds = again && this.#areHeldOf(slice);
    for await (const feeds of this.#samplesOf(slice)) {
      if (feeds) checkSample(feeds, this.#model.inputs, index);
      if (holds && index === slice.first + this.#held.length * slice.step) this.#hold(feeds);
      yield feeds;
      index += slice.step;
    }
    if (this.#end !== null && this.#end !== index) throw changed(slice, this.#end, index);
    this.#end = index;
  }

  async *#samplesOf(slice: SampleSlice): AsyncGenerator<Feeds | null> {
    if (this.#begun) {
      const samples = this.#begun;
      this.#begun = null;
      for (let i = 0; i < this.#passedOver; i++) yield null;
      if (this.#first) yield this.#first;
      return yield* samples;
    }
    const { first, step } = slice;
    const held = this.#areHeldOf(slice) ? this.#held.length : 0;
    for (let i = 0; i < held; i++) {
      const feeds = this.#held[i]!;
      // Whoever runs it may hand over its arrays.
      yield feeds && this.#again ? copySample(feeds) : feeds;
      if (!this.#again) this.#held[i] = null;
    }
    yield* this.#read({ first: first + held * step, step });
  }

  #areHeldOf({ first, step }: SampleSlice): boolean {
    return this.#heldSlice?.first === first && this.#heldSlice.step === step;
  }

  #hold(feeds: Feeds | null): void {
    this.#room -= feeds ? sampleBytes(feeds) : 0;
    if (this.#room >= 0) this.#held.push(feeds && copySample(feeds));
  }

  /** Ends what was begun and not read to its end. */
  async close(): Promise<void> {
    await this.#begun?.return(undefined);
    this.#begun = null;
  }

  async *#read(slice: SampleSlice): AsyncGenerator<Feeds | null> {
    if (!isReadOnce(this.#input)) {
      const { rewind } = this.#input as CalibrationDataReader;
      if (this.#opens++ > 0) await rewind?.call(this.#input);
      this.#opened = openSamples(this.#input, this.#model, slice, this.#unusable);
      yield* this.#opened.samples;
      return;
    }
    const wanted = (index: number) =>
      index >= slice.first && (index - slice.first) % slice.step === 0;
    let index = 0;
    for (; index < this.#kept.length; index++) if (wanted(index)) yield this.#kept[index]!;
    this.#rest ??= this.#opened.samples[Symbol.asyncIterator]();
    let bytes = this.#kept.reduce((sum, feeds) => sum + sampleBytes(feeds), 0);
    for (let next = await this.#rest.next(); !next.done; next = await this.#rest.next(), index++) {
      // Such input has no files that could be passed over.
      const feeds = next.value as Feeds;
      if (this.#again) {
        bytes += sampleBytes(feeds);
        if (bytes > keptBytes) throw readsOnce(bytes);
        this.#kept.push(copySample(feeds));
      }
      if (wanted(index)) yield feeds;
    }
  }
}

/** Iterators and generators, streams, and readers without rewind(). */
export function isReadOnce(input: SampleInput): boolean {
  const any = input as Partial<
    Record<'open' | 'getNext' | 'rewind' | 'next' | 'pipe' | 'getReader', unknown>
  >;
  if (typeof any.open === 'function') return false;
  if (typeof any.getNext === 'function') return typeof any.rewind !== 'function';
  return [any.next, any.pipe, any.getReader].some((method) => typeof method === 'function');
}

function changed({ first, step }: SampleSlice, before: number, now: number): QuantizeError {
  const count = (end: number) => (end - (first % step)) / step;
  return new QuantizeError(
    'READER_CANNOT_REWIND',
    say`the samples were read again, and there were ${count(now)} instead of ${count(before)}`,
    { hint: 'give the reader a rewind() method, or an iterable that can be iterated again' },
  );
}

function readsOnce(bytes: number): QuantizeError {
  const size = `${Math.round(bytes / 2 ** 20)} MiB`;
  return new QuantizeError(
    'READER_CANNOT_REWIND',
    say`this calibration method reads the samples twice, and the reader cannot: ${size} were kept for it`,
    { hint: 'give the reader a rewind() method, or an iterable that can be iterated again' },
  );
}

export function noSamples(): QuantizeError {
  return new QuantizeError('NO_SAMPLES', 'the calibration data reader gave no sample', {
    hint: 'one sample is enough; 100 typical ones are good',
  });
}
