// What the readers of files have in common: how they find their files, and how the samples of one
// file after the other become a SampleSource with its slices, its limit and its length.
import { QuantizeError } from '../../base/errors.js';
import type { Feeds, ModelSummary, SampleSlice, SampleSource } from '../../base/types.js';
import {
  describeOthers,
  type FileInput,
  type FileListing,
  listFiles,
  type NamedBytes,
  pickFiles,
} from './files.js';
import { checkSlice, nextInSlice } from './slice.js';
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
    describe: () => source?.describe() ?? listing.place,
    summarize: () => source?.summarize?.() ?? source?.describe() ?? listing.place,
  };
}

export function noSamples(message: string, others: ReadonlyMap<string, number>): QuantizeError {
  return new QuantizeError('NO_SAMPLES', message, {
    hint: others.has('zip') ? 'a .zip is opened where it is given itself, not in a folder' : '',
  });
}

/** "a, b and c" */
export function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** The samples of one part of a source: a file, or files that belong together. */
export interface OpenPart {
  count: number;
  /** The sample of this number; called with numbers that rise, not with all of them. */
  read(index: number): Promise<Feeds>;
}

export interface SourceParts<Part> {
  /** For describe(): "3 .npz files". */
  place: string;
  files: readonly NamedBytes[];
  parts(model: ModelSummary): readonly Part[];
  /** Number of samples in a part, where it is known without reading. */
  count?(part: Part, model: ModelSummary): number;
  /**
   * May leave a part unread that has one sample: it is opened whether or not the slice takes it.
   */
  open(part: Part, model: ModelSummary): Promise<OpenPart>;
}

/** A source of parts that are read one after the other, one sample at a time. */
export function partsSource<Part>(
  source: SourceParts<Part>,
  { limit = Number.POSITIVE_INFINITY }: FileReaderOptions,
): SampleSource {
  // Where the number is inside the files, it is known when all of them were opened once.
  let length: number | undefined;

  async function* read(parts: readonly Part[], model: ModelSummary, slice: SampleSlice) {
    let start = 0;
    for (const part of parts) {
      if (start >= limit) break;
      const { count, read: readSample } = await source.open(part, model);
      const end = Math.min(start + count, limit);
      for (let next = nextInSlice(slice, start); next < end; next += slice.step) {
        yield await readSample(next - start);
      }
      start = end;
    }
    if (start === 0) throw new QuantizeError('NO_SAMPLES', `no samples in ${source.place}`);
    length = start;
  }

  return {
    files: source.files,
    get length() {
      return length as number;
    },
    open(model, slice) {
      const checked = checkSlice(slice);
      const parts = source.parts(model);
      if (source.count) {
        const counts = parts.map((part) => source.count!(part, model));
        length = Math.min(
          limit,
          counts.reduce((sum, count) => sum + count, 0),
        );
      }
      return read(parts, model, checked);
    },
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
