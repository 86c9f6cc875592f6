// A sample's tensor as a picture, with the histogram of each channel: what the model sees.
import type { SampleTensor } from 'onnx-ptq';
import type { ChannelView, TensorView } from './page-protocol';

const bins = 40;
/** Of the picture that is shown, in pixels; the figures are of all values. */
const mostSide = 192;

/** `tensor`: [N,] C, H, W or [N,] H, W, C of floats or bytes. */
export function tensorView(tensor: SampleTensor): TensorView {
  const dims = tensor.dims.slice(-3);
  const channelsLast = dims[2]! <= 4 && dims[0]! > 4;
  const [channels, height, width] = channelsLast
    ? [dims[2]!, dims[0]!, dims[1]!]
    : (dims as [number, number, number]);
  const values = tensor.type === 'float16' ? fromHalf(tensor.data) : (tensor.data as Float32Array);
  const at = (channel: number, y: number, x: number) =>
    values[
      channelsLast ? (y * width + x) * channels + channel : (channel * height + y) * width + x
    ]!;

  let lowest = Infinity;
  let highest = -Infinity;
  const size = channels * height * width;
  for (let i = 0; i < size; i++) {
    const value = values[i]!;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  const range = highest - lowest || 1;
  const views: ChannelView[] = Array.from({ length: channels }, () => ({
    mean: 0,
    histogram: new Array<number>(bins).fill(0),
  }));
  views.forEach((view, channel) => {
    let sum = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = at(channel, y, x);
        sum += value;
        view.histogram[Math.min(bins - 1, Math.floor((bins * (value - lowest)) / range))]!++;
      }
    }
    view.mean = sum / (height * width);
  });

  const scale = Math.min(1, mostSide / Math.max(width, height));
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const pixels = new Uint8ClampedArray(w * h * 4);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const from = [Math.floor((y * height) / h), Math.floor((x * width) / w)] as const;
      for (let channel = 0; channel < 3; channel++) {
        const value = at(channels >= 3 ? channel : 0, ...from);
        pixels[(y * w + x) * 4 + channel] = (255 * (value - lowest)) / range;
      }
      pixels[(y * w + x) * 4 + 3] = 255;
    }
  }
  return { width: w, height: h, pixels, channels: views, lowest, highest };
}

function fromHalf(data: SampleTensor['data']): Float32Array {
  const bits = data as Uint16Array;
  return Float32Array.from(bits, (half) => {
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const size =
      exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    return half & 0x8000 ? -size : size;
  });
}
