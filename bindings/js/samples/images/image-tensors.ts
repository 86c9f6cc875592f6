// Decoded images to tensors by the core's preprocessImage(). Holds two buffers of the core's heap,
// which grow to the largest image and are used again for the next.

import { QuantizeError } from '../../base/errors.js';
import { type Core, callCore, loadCore } from '../../core/load.js';
import type { DecodedImage } from './decode.js';
import { channelCount, type PreprocessSpec } from './preprocess.js';

export class ImageTensors {
  readonly #core: Core;
  readonly spec: PreprocessSpec;
  readonly #spec: string;
  readonly #count: number;
  #pixels = { pointer: 0, bytes: 0 };
  #tensor = { pointer: 0, bytes: 0 };

  private constructor(core: Core, spec: PreprocessSpec) {
    this.#core = core;
    this.spec = spec;
    this.#spec = JSON.stringify(spec);
    this.#count = spec.width * spec.height * channelCount(spec.order);
  }

  static async create(spec: PreprocessSpec): Promise<ImageTensors> {
    return new ImageTensors(await loadCore(), spec);
  }

  /**
   * One image as spec.layout without the batch, written into `out`. Throws what the core throws.
   */
  convert(image: DecodedImage, out: Float32Array): void {
    const core = this.#core;
    this.#grow(this.#pixels, image.data.length);
    this.#grow(this.#tensor, this.#count * 4);
    core.HEAPU8.set(image.data, this.#pixels.pointer);
    const { width, height, channels } = image;
    callCore(core, () =>
      core.preprocessImage(
        this.#pixels.pointer,
        width,
        height,
        channels,
        this.#spec,
        this.#tensor.pointer,
        this.#count,
      ),
    );
    const start = this.#tensor.pointer / 4;
    out.set(core.HEAPF32.subarray(start, start + this.#count));
  }

  /** Gives the buffers back. */
  dispose(): void {
    for (const buffer of [this.#pixels, this.#tensor]) this.#release(buffer);
  }

  #grow(buffer: { pointer: number; bytes: number }, bytes: number): void {
    if (buffer.bytes >= bytes) return;
    this.#release(buffer);
    buffer.pointer = this.#core._malloc(bytes);
    if (!buffer.pointer) throw new QuantizeError('OUT_OF_MEMORY', 'the image is too large');
    buffer.bytes = bytes;
  }

  #release(buffer: { pointer: number; bytes: number }): void {
    if (buffer.pointer) this.#core._free(buffer.pointer);
    buffer.pointer = 0;
    buffer.bytes = 0;
  }
}
