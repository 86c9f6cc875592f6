// What the readers of files have in common: how they find their files, and how the samples of one
// file after the other become a SampleSource with its slices, its limit and its length.

import { QuantizeError } from '../../base/errors.js';
import { withOrigin } from '../../base/sample-origin.js';
import { say } from '../../base/text.js';
import type {
  Feeds,
  ModelSummary,
  SampleSlice,
  SampleSource,
  SamplesAbout,
} from '../../base/types.js';
import {
  describeOthers,
  type FileInput,
  type FileListing,
  listFiles,
  type NamedBytes,
  pickFiles,
} from './files.js';
import { checkSlice, nextInSlice } from './slice.js';
import { type OnUnusable, passOver } from './unusable.js';
import { expandZips, hasZip } from './zip-files.js';

export interface FileReaderOptions {
  /** Reads at most this many samples, the first in order. */
  limit?: number | undefined;
}

/** A kind of files that has a reader. */
export interface FileKind<Options = FileReaderOptions> {
  /** For messages: "images", ".npz files". */
  name: string;
  /** Looked for in folders; a file that is named itself is taken whatever its name. */
  extensions: readonly string[];
  /** Files of this media type are taken too, whatever their extension. */
  mediaType?: string;
  source(files: readonly NamedBytes[], options: Options): SampleSource;
}

/** The reader of one kind of files. Throws NO_SAMPLES where there are none. */
export function openFiles<Options>(
  input: FileInput,
  kind: FileKind<Options>,
  options: Options,
): SampleSource {
  return withZips(listFiles(input, kind.mediaType), (listing) => {
    const { files, others, place } = pickFiles(listing, kind.extensions);
    if (files.length > 0) return kind.source(files, options);
    const wanted = `${listOf(kind.extensions.map((extension) => `.${extension}`))} files`;
    const looked = wanted === kind.name ? '' : `: looked for ${wanted}`;
    throw noSamples(`no ${kind.name} in ${place}${looked}${describeOthers(others)}`, others);
  });
}

/**
 * Makes the source of a listing: at once, or, where a zip has to be read for it, when it is opened.
 */
export function withZips(
  listing: FileListing,
  make: (listing: FileListing) => SampleSource,
): SampleSource {
  if (!hasZip(listing)) return make(listing);
  let source: SampleSource | null = null;
  return {
    files: listing.files.map(({ file }) => file),
    get length() {
      return source?.length as number;
    },
    async *open(model: ModelSummary, slice?: SampleSlice) {
      source ??= make(await expandZips(listing));
      yield* source.open(model, slice);
    },
    async *openUsable(model: ModelSummary, slice: SampleSlice, unusable: OnUnusable) {
      source ??= make(await expandZips(listing));
      yield* source.openUsable?.(model, slice, unusable) ?? source.open(model, slice);
    },
    openPreprocess: {
      // Asked first: a zip is opened for it.
      async known() {
        source ??= make(await expandZips(listing));
        return source.openPreprocess?.known?.();
      },
      async candidates(model) {
        source ??= make(await expandZips(listing));
        return (await source.openPreprocess?.candidates(model)) ?? [];
      },
      pictures: async (model, count) => source!.openPreprocess!.pictures(model, count),
      settle: (model, finding) => source?.openPreprocess?.settle(model, finding),
    },
    describe: () => source?.describe() ?? listing.place,
    about: () => (source ? aboutSamples(source) : { done: listing.place, assumed: [] }),
  };
}

export function noSamples(message: string, others: ReadonlyMap<string, number>): QuantizeError {
  return new QuantizeError('NO_SAMPLES', message, {
    hint: others.has('zip') ? 'a .zip is opened where it is given itself, not in a folder' : '',
  });
}

/** What a source says of its samples in parts. */
export const aboutSamples = (source: SampleSource): SamplesAbout =>
  source.about?.() ?? { done: source.describe(), assumed: [] };

/** "a, b and c" */
export function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** The samples of one part of a source: a file, or files that belong together. */
export interface OpenPart {
  count: number;
  /** The sample of this number; called with numbers that rise, not with all of them. */
  read(index: number): Promise<Feeds>;
  /** How samples were cut out of it, where that is not plain. */
  note?: string | undefined;
}

export interface SourceParts<Part> {
  /** For describe(): "3 .npz files". */
  place: string;
  files: readonly NamedBytes[];
  parts(model: ModelSummary): readonly Part[];
  /** What messages call a part. */
  nameOf(part: Part): string;
  /** Number of samples in a part, where it is known without reading. */
  count?(part: Part, model: ModelSummary): number;
  /**
   * May leave a part unread that has one sample: it is opened whether or not the slice takes it.
   */
  open(part: Part, model: ModelSummary): Promise<OpenPart>;
}

/**
 * A source of parts that are read one after the other, one sample at a time. A part that cannot be
 * opened counts as one sample.
 */
export function partsSource<Part>(
  source: SourceParts<Part>,
  { limit = Number.POSITIVE_INFINITY }: FileReaderOptions,
): SampleSource {
  // Where the number is inside the files, it is known when all of them were opened once.
  let length: number | undefined;

  async function* read(
    parts: readonly Part[],
    model: ModelSummary,
    slice: SampleSlice,
    unusable?: OnUnusable,
  ) {
    let start = 0;
    for (const part of parts) {
      if (start >= limit) break;
      const file = source.nameOf(part);
      const opened = await source
        .open(part, model)
        .catch((error: unknown) => passOver(file, error, unusable));
      const end = Math.min(start + (opened?.count ?? 1), limit);
      for (let next = nextInSlice(slice, start); next < end; next += slice.step) {
        const sample = await opened
          ?.read(next - start)
          .catch((error: unknown) => passOver(file, error, unusable));
        yield sample ? withOrigin(sample, { file, note: opened?.note }) : null;
      }
      start = end;
    }
    if (start === 0) throw new QuantizeError('NO_SAMPLES', say`no samples in ${source.place}`);
    length = start;
  }

  function open(model: ModelSummary, slice: SampleSlice | undefined, unusable?: OnUnusable) {
    const checked = checkSlice(slice);
    const parts = source.parts(model);
    if (source.count) {
      const count = (part: Part) => {
        try {
          return source.count!(part, model);
        } catch (error) {
          if (!unusable) throw error;
          return 1; // said when it is opened
        }
      };
      length = Math.min(
        limit,
        parts.reduce((sum, part) => sum + count(part), 0),
      );
    }
    return read(parts, model, checked, unusable);
  }

  return {
    files: source.files,
    get length() {
      return length as number;
    },
    // Without anybody to be told none is passed over.
    open: (model, slice) => open(model, slice) as AsyncIterable<Feeds>,
    openUsable: open,
    describe() {
      if (length === undefined) return source.place;
      return `${length} ${length === 1 ? 'sample' : 'samples'} of ${source.place}`;
    },
  };
}

/** "a.npz" or "3 .npz files" */
export function placeOf(files: readonly NamedBytes[], kind: string): string {
  return files.length === 1 ? files[0]!.name : `${files.length} ${kind}`;
}
