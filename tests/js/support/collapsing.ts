// A model that collapses when its weights have one scale, and samples for it.
import path from 'node:path';
import type { Feeds } from '#dist/base/types.js';
import { writeModel } from './onnx-writer.js';
import { noise, temporaryFolder } from './pipeline.js';

export const channels = 16;
/** Channels of the first layer are up to 4000 times apart, and those of the second undo it. */
export function collapsing(): string {
  const file = path.join(temporaryFolder(), 'collapsing.onnx');
  const scale = (channel: number) => 4000 ** (channel / channels);
  const first = noise(channels * channels, 1).map((w, i) => w * scale(Math.floor(i / channels)));
  const second = noise(channels * channels, 2).map((w, i) => w / scale(i % channels));
  const weight = (name: string, pattern: Float32Array) => ({
    name,
    dims: [channels, channels, 1, 1],
    pattern,
  });
  writeModel(file, {
    nodes: [
      { opType: 'Conv', name: 'first', inputs: ['x', 'w'], outputs: ['a'] },
      { opType: 'Relu', name: 'relu', inputs: ['a'], outputs: ['h'] },
      { opType: 'Conv', name: 'second', inputs: ['h', 'v'], outputs: ['y'] },
    ],
    weights: [weight('w', first), weight('v', second)],
    inputs: [{ name: 'x', dims: [1, channels, 4, 4] }],
    outputs: [{ name: 'y', dims: [1, channels, 4, 4] }],
  });
  return file;
}

export const samples = (count: number): Feeds[] =>
  Array.from({ length: count }, (_, i) => ({
    x: { type: 'float32', dims: [1, channels, 4, 4], data: noise(channels * 16, i + 1) },
  }));
