// Samples from one .npy array, wherever it lies: the whole of it as one sample, or one sample after
// the other along its first axis. Read as a stream, so that only one sample is in memory.

import { QuantizeError } from '../../base/errors.js';
import {
  describeInput,
  describeTensor,
  fixedSize,
  invalidData,
  reasonOf,
  takesShape,
} from '../../base/inputs.js';
import { type Sentence, say } from '../../base/text.js';
import type { SampleTensor, ValueSummary } from '../../base/types.js';
import type { ByteStream, NamedBytes } from '../files/files.js';
import {
  type NpyHeader,
  readNpyHeader,
  swapBytes,
  toCOrder,
  toStrings,
  toTensorData,
} from './npy.js';

export class SampleArray {
  readonly input: ValueSummary;
  readonly count: number;
  /** How its first axis was read, where it could be meant otherwise. */
  readonly note: string | undefined;
  readonly #header: NpyHeader;
  readonly #stream: ByteStream;
  readonly #dims: readonly number[];
  #next = 0;
  /** The rest of a Fortran-ordered array, which can't be read sample by sample. */
  #rest: Uint8Array<ArrayBuffer> | null = null;

  private constructor(
    input: ValueSummary,
    header: NpyHeader,
    stream: ByteStream,
    hasSampleAxis: boolean,
  ) {
    this.input = input;
    this.#header = header;
    this.#stream = stream;
    this.count = hasSampleAxis ? header.shape[0]! : 1;
    this.#dims = hasSampleAxis ? header.shape.slice(1) : header.shape;
    const batch = hasSampleAxis ? 1 : (header.shape[0] ?? 1);
    if (batch > 1 && fixedSize(input.shape?.[0]) === null) {
      this.note = `"${input.name}" was read as one sample of batch ${batch}; for ${batch} samples save array[:, None]`;
    }
  }

  /**
   * Reads the header and checks it. Arrays of an .npz always have the sample axis (`axis`
   * "samples"); a .npy has it where it has one axis more than the input ("optional"). Throws
   * INVALID_DATA.
   */
  static async open(
    file: NamedBytes,
    stream: ByteStream,
    input: ValueSummary,
    axis: 'samples' | 'optional',
  ): Promise<SampleArray> {
    const header = await readNpyHeader((count) => stream.read(count)).catch((error: Error) => {
      if (error instanceof QuantizeError) throw error;
      throw invalidData(file, say`"${input.name}": ${reasonOf(error)}`, input);
    });
    const rank = header.shape.length;
    const hasSampleAxis = axis === 'samples' || rank === (input.shape?.length ?? rank) + 1;
    checkArray(file, input, header, stream.left, hasSampleAxis);
    return new SampleArray(input, header, stream, hasSampleAxis);
  }

  /** The sample of this number. Numbers may be left out, but not go back. */
  async read(index: number): Promise<SampleTensor> {
    const { type, itemSize, bigEndian } = this.#header;
    const size = this.#dims.reduce((product, dim) => product * dim, itemSize);
    const bytes = await this.#bytes(index, size);
    if (type === 'string') {
      const count = this.#dims.reduce((product, dim) => product * dim, 1);
      return { type, dims: this.#dims, data: toStrings(bytes, this.#header, count) };
    }
    if (bigEndian) swapBytes(bytes, itemSize);
    return { type, dims: this.#dims, data: toTensorData(bytes, type) };
  }

  async #bytes(index: number, size: number): Promise<Uint8Array<ArrayBuffer>> {
    const { fortranOrder, shape, itemSize } = this.#header;
    if (fortranOrder) {
      this.#rest ??= toCOrder(await this.#stream.read(this.#stream.left), shape, itemSize);
      return this.#rest.slice(index * size, (index + 1) * size);
    }
    if (index > this.#next) await this.#stream.skip((index - this.#next) * size);
    this.#next = index + 1;
    return this.#stream.read(size);
  }
}

/** Of one sample: each takes many times the bytes that it has in the file. */
const mostStrings = 2 ** 24;

function checkArray(
  file: NamedBytes,
  input: ValueSummary,
  header: NpyHeader,
  size: number,
  hasSampleAxis: boolean,
): void {
  const { shape, type, itemSize } = header;
  const received = describeTensor(type, shape);
  const expected = say`input "${input.name}" expects ${describeInput(input)} for each sample`;
  if (hasSampleAxis && shape.length === 0) {
    const hint = say`add an axis for the samples: array[None]`;
    throw invalidData(file, say`${expected}, the array is one value`, input, hint);
  }
  if (shape.reduce((product, dim) => product * dim, itemSize) !== size) {
    const message = say`"${input.name}" is said to be ${received}, which is not its size`;
    throw invalidData(file, message, input);
  }
  const one = (hasSampleAxis ? shape.slice(1) : shape).reduce((product, dim) => product * dim, 1);
  if (type === 'string' && one > mostStrings) {
    const message = say`"${input.name}" has ${one} strings a sample, and at most ${mostStrings} are read`;
    throw invalidData(file, message, input);
  }
  if (type !== input.type) {
    const python = input.type === 'string' ? 'str' : `"${input.type}"`;
    const hint = say`convert it: array.astype(${python})`;
    throw invalidData(file, say`${expected}, the array is ${received}`, input, hint);
  }
  if (takesShape(input, hasSampleAxis ? shape.slice(1) : shape)) return;
  throw invalidData(
    file,
    say`${expected}, the array is ${received}`,
    input,
    axisHint(input, shape),
  );
}

/** What a missing axis was probably meant to be. */
function axisHint({ shape }: ValueSummary, received: readonly number[]): Sentence | undefined {
  if (shape === null) return undefined;
  if (received.length === shape.length) {
    return say`the first axis counts the samples; each sample keeps its own batch axis: array[:, None]`;
  }
  return received.length === shape.length - 1 ? say`add the batch axis: array[None]` : undefined;
}
