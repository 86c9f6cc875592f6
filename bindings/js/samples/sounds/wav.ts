// Calibration samples from .wav files, for models that take the waveform: mono, at the model's
// sample rate, in -1…1. Models that take features (log-mel spectrograms) need the user's own
// reader.

import { QuantizeError } from '../../base/errors.js';
import { toFloat16 } from '../../base/float16.js';
import { describeInput, fixedSize, invalidData, onlyInput, reasonOf } from '../../base/inputs.js';
import { say } from '../../base/text.js';
import type {
  Feeds,
  ModelSummary,
  SampleSource,
  SampleTensor,
  ValueSummary,
} from '../../base/types.js';
import { extensions } from '../files/extensions.js';
import {
  type FileKind,
  type FileReaderOptions,
  openFiles,
  partsSource,
  placeOf,
} from '../files/file-source.js';
import type { FileInput, NamedBytes } from '../files/files.js';
import { highestRate, Resampler } from './resample.js';
import { readWavHeader, toMono, type WavHeader } from './wav-format.js';

export interface WavReaderOptions extends FileReaderOptions {
  /**
   * Sample rate that the model expects, in Hz; 16000 where absent, which most speech models expect.
   */
  sampleRate?: number | undefined;
}

const defaultRate = 16000;

/**
 * Reads .wav files (PCM of 8 to 32 bits, float; any channels) in the order of their names, each a
 * sample for a model with one float input [N], [1,N] or [1,1,N]. Where N is fixed, a sound is cut
 * to its first N values or filled up with silence. `source`: files, folders (with their
 * subfolders), a zip, Files or Blobs, or a list of these. Throws QuantizeError NO_SAMPLES,
 * FILE_NOT_FOUND, INVALID_OPTION at once; later INVALID_DATA.
 */
export function wavReader(source: FileInput, options: WavReaderOptions = {}): SampleSource {
  return openFiles(source, wavFiles, options);
}

export const wavFiles: FileKind<WavReaderOptions> = {
  name: '.wav files',
  extensions: extensions.wav,
  source(files, { sampleRate = defaultRate, ...options }) {
    if (!Number.isSafeInteger(sampleRate) || sampleRate < 1 || sampleRate > highestRate) {
      throw new QuantizeError('INVALID_OPTION', say`sampleRate ${sampleRate} is no rate in Hz`, {
        hint: say`give a whole number up to ${highestRate}, as 16000`,
      });
    }
    const resamplers = new Map<number, Resampler>(); // by the rate that they come from
    const resamplerFrom = (rate: number) => {
      const resampler = resamplers.get(rate) ?? new Resampler(rate, sampleRate);
      resamplers.set(rate, resampler);
      return resampler;
    };
    return partsSource(
      {
        place: `${placeOf(files, '.wav files')}, mono, ${sampleRate} Hz`,
        files,
        nameOf: (file) => file.name,
        parts: () => files,
        count: () => 1,
        async open(file, model) {
          return { count: 1, read: () => readSound(file, waveformInput(model), resamplerFrom) };
        },
      },
      options,
    );
  },
};

/** The one input, if it takes a waveform. */
function waveformInput(model: ModelSummary): ValueSummary {
  const input = onlyInput(model, '.wav files');
  const before = input.shape?.slice(0, -1) ?? [];
  const takes =
    ['float32', 'float16', 'float64'].includes(input.type) &&
    input.shape !== null &&
    input.shape.length >= 1 &&
    input.shape.length <= 3 &&
    before.every((dim) => (fixedSize(dim) ?? 1) === 1);
  if (takes) return input;
  throw new QuantizeError(
    'INVALID_DATA',
    say`the model's input "${input.name}" ${describeInput(input)} does not take sounds (float [N], [1,N] or [1,1,N])`,
    {
      tensor: input.name,
      hint: 'for features (a spectrogram) write a reader, or give them as .npy',
    },
  );
}

async function readSound(
  file: NamedBytes,
  input: ValueSummary,
  resamplerFrom: (rate: number) => Resampler,
): Promise<Feeds> {
  const header = await readWavHeader(file).catch((error: Error) => {
    if (error instanceof QuantizeError) throw error;
    const hint = say`ffmpeg -i in -c:a pcm_s16le out.wav makes one that can be read`;
    throw invalidData(file, reasonOf(error), input, hint);
  });
  const { shape, type } = input;
  if (header.frames === 0) throw invalidData(file, say`there is no sound in it`, input);
  if (header.sampleRate > highestRate) {
    throw invalidData(
      file,
      say`its sample rate is ${header.sampleRate} Hz, above ${highestRate}`,
      input,
    );
  }
  const resampler = resamplerFrom(header.sampleRate);
  const sound = await readMono(file, header, resampler, fixedSize(shape!.at(-1)));
  const dims = [...shape!.slice(0, -1).map(() => 1), sound.length];
  return { [input.name]: { type, dims, data: convert(sound, type) } };
}

/**
 * The sound, resampled; of exactly `wanted` values where that is given, and no more is read than
 * they take.
 */
async function readMono(
  file: NamedBytes,
  header: WavHeader,
  resampler: Resampler,
  wanted: number | null,
): Promise<Float64Array> {
  const frames =
    wanted === null ? header.frames : Math.min(header.frames, resampler.needed(wanted));
  const bytes = (frames * header.channels * header.bits) / 8;
  const values = toMono(await file.read(header.start, header.start + bytes), header);
  const length = resampler.lengthOf(header.frames);
  if (wanted === null) return resampler.run(values);
  const sound = new Float64Array(wanted);
  sound.set(resampler.run(values, Math.min(wanted, length)));
  return sound;
}

function convert(sound: Float64Array, type: string): SampleTensor['data'] {
  if (type === 'float64') return sound;
  const floats = Float32Array.from(sound);
  return type === 'float16' ? toFloat16(floats) : floats;
}
