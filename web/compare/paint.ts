// Outputs of [1, channels, height, width] as pixels: one or three channels as a picture, more as
// the colours of the class that is highest.
import type { ComparedOutput } from 'onnx-ptq';

export interface Painted {
  width: number;
  height: number;
  pixels: Uint8ClampedArray<ArrayBuffer>;
}

const enlarged = 8;

export function paint({ dims, float }: ComparedOutput, values: Float32Array): Painted {
  const { channels, width, height } = sizeOf(dims);
  const size = width * height;
  const pixels = new Uint8ClampedArray(size * 4);
  // Both models on the scale of the float one.
  const [lowest, highest] = endsOf(float);
  for (let i = 0; i < size; i++) {
    if (channels === 1 || channels === 3) {
      for (let c = 0; c < 3; c++) {
        const value = values[(channels === 3 ? c : 0) * size + i]!;
        pixels[4 * i + c] = (255 * (value - lowest)) / (highest - lowest || 1);
      }
    } else pixels.set(colourOf(highestClass(values, i, channels, size)), 4 * i);
    pixels[4 * i + 3] = 255;
  }
  return { width, height, pixels };
}

/** `agree`: the share of pixels with the same class; null where the output has no classes. */
export function paintDifference(output: ComparedOutput): Painted & { agree: number | null } {
  const { dims, float, quantized } = output;
  const { channels, width, height } = sizeOf(dims);
  const size = width * height;
  const pixels = new Uint8ClampedArray(size * 4);
  const isPicture = channels === 1 || channels === 3;
  const [lowest, highest] = endsOf(float);
  let same = 0;
  for (let i = 0; i < size; i++) {
    if (isPicture) {
      for (let c = 0; c < 3; c++) {
        const at = (channels === 3 ? c : 0) * size + i;
        const difference = Math.abs(float[at]! - quantized[at]!) / (highest - lowest || 1);
        pixels[4 * i + c] = 255 * enlarged * difference;
      }
    } else {
      const a = highestClass(float, i, channels, size);
      const isSame = a === highestClass(quantized, i, channels, size);
      if (isSame) same++;
      pixels.fill(isSame ? 0 : 255, 4 * i, 4 * i + 3);
    }
    pixels[4 * i + 3] = 255;
  }
  return { width, height, pixels, agree: isPicture ? null : same / size };
}

/** In dB, by the range of the float output; null where both are the same. */
export function psnr({ float, quantized }: ComparedOutput): number | null {
  let sum = 0;
  for (let i = 0; i < float.length; i++) sum += (float[i]! - quantized[i]!) ** 2;
  if (sum === 0) return null;
  const [lowest, highest] = endsOf(float);
  return 10 * Math.log10((highest - lowest) ** 2 / (sum / float.length));
}

function sizeOf(dims: readonly number[]) {
  const [channels = 1, height = 1, width = 1] = dims.slice(-3);
  return { channels, height, width };
}

function endsOf(values: Float32Array): [number, number] {
  let [lowest, highest] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return [lowest, highest];
}

function highestClass(values: Float32Array, i: number, channels: number, size: number): number {
  let index = 0;
  for (let c = 1; c < channels; c++) {
    if (values[c * size + i]! > values[index * size + i]!) index = c;
  }
  return index;
}

/** Far apart on the circle of hues for classes that follow each other; the first is dark. */
function colourOf(index: number): [number, number, number] {
  if (index === 0) return [24, 28, 27];
  const hue = (index * 137.5) % 360;
  const part = (shift: number) => {
    const k = (shift + hue / 30) % 12;
    return 255 * (0.55 - 0.35 * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [part(0), part(8), part(4)];
}
