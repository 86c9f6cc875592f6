// The WAVE format (RIFF; Microsoft's Multiple Channel Audio Data): a chunk "fmt " that says how the
// chunk "data" is to be read. PCM and floats; compressed forms are refused.
import { Reason } from '../../base/inputs.js';
import { say } from '../../base/text.js';
import type { NamedBytes } from '../files/files.js';

export interface WavHeader {
  sampleRate: number;
  channels: number;
  /** Of one value. */
  bits: number;
  isFloat: boolean;
  /** Of the values in the file. */
  start: number;
  /** Values of each channel. */
  frames: number;
}

const formats: Record<number, string> = {
  2: 'ADPCM',
  6: 'A-law',
  7: 'µ-law',
  17: 'IMA ADPCM',
  49: 'GSM',
  85: 'MP3',
};
const pcm = 1;
const float = 3;
const extensible = 0xfffe; // the format is in the first two bytes of its GUID
const unknownSize = 0xffffffff; // written by programs that could not go back to fill it in

/** Finds the chunks. Throws Reason. */
export async function readWavHeader(file: NamedBytes): Promise<WavHeader> {
  const view = async (start: number, count: number) => {
    const bytes = await file.read(start, start + count);
    if (bytes.length < count) throw new Reason(say`it ends early`);
    return new DataView(bytes.buffer, bytes.byteOffset, count);
  };
  const tag = (data: DataView, at: number) =>
    String.fromCharCode(...Array.from({ length: 4 }, (_, i) => data.getUint8(at + i)));
  const head = file.size >= 12 ? await view(0, 12) : null;
  if (!head || tag(head, 0) !== 'RIFF' || tag(head, 8) !== 'WAVE')
    throw new Reason(say`not a .wav file`);
  let format: Omit<WavHeader, 'start' | 'frames'> | null = null;
  for (let at = 12; at + 8 <= file.size; ) {
    const chunk = await view(at, 8);
    const size = chunk.getUint32(4, true);
    const name = tag(chunk, 0);
    at += 8;
    if (name === 'fmt ') {
      if (size < 16) throw new Reason(say`its chunk "fmt " is damaged`);
      format = readFormat(await view(at, Math.min(size, 40)));
    }
    if (name === 'data') {
      if (!format) throw new Reason(say`its chunk "fmt " is missing`);
      const bytes = size === unknownSize ? file.size - at : size;
      if (at + bytes > file.size) throw new Reason(say`it ends early`);
      const frames = Math.floor(bytes / ((format.channels * format.bits) / 8));
      return { ...format, start: at, frames };
    }
    at += size + (size % 2);
  }
  throw new Reason(say`its chunk "data" is missing`);
}

function readFormat(view: DataView): Omit<WavHeader, 'start' | 'frames'> {
  let format = view.getUint16(0, true);
  if (format === extensible && view.byteLength >= 26) format = view.getUint16(24, true);
  const channels = view.getUint16(2, true);
  const sampleRate = view.getUint32(4, true);
  const bits = view.getUint16(14, true);
  const isFloat = format === float;
  if (format !== pcm && !isFloat) {
    throw new Reason(say`its format ${formats[format] ?? format} is neither PCM nor float`);
  }
  if (!(isFloat ? [32, 64] : [8, 16, 24, 32]).includes(bits)) {
    throw new Reason(say`${isFloat ? 'float' : 'PCM'} of ${bits} bits is not known`);
  }
  if (channels === 0 || sampleRate === 0) throw new Reason(say`its chunk "fmt " is damaged`);
  return { sampleRate, channels, bits, isFloat };
}

/** Frames as values in -1…1, the channels mixed to one by their mean. */
export function toMono(bytes: Uint8Array, { channels, bits, isFloat }: WavHeader): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bits / 8;
  const value = valueReader(view, bits, isFloat);
  const mono = new Float64Array(Math.floor(bytes.length / (size * channels)));
  for (let i = 0, at = 0; i < mono.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++, at += size) sum += value(at);
    mono[i] = sum / channels;
  }
  return mono;
}

function valueReader(view: DataView, bits: number, isFloat: boolean): (at: number) => number {
  if (isFloat) {
    return bits === 32 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true);
  }
  switch (bits) {
    case 8: // the only unsigned one
      return (at) => (view.getUint8(at) - 128) / 128;
    case 16:
      return (at) => view.getInt16(at, true) / 2 ** 15;
    case 24:
      return (at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23;
    default:
      return (at) => view.getInt32(at, true) / 2 ** 31;
  }
}
