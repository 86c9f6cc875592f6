// What the tests of whole runs share: fixture models, samples, a folder of their own, and the
// command run in this process with its output collected.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Feeds } from '#dist/base/types.js';
import { type CommandStreams, runCommand } from '#dist/cli/run.js';

const models = path.resolve('tests/fixtures/pipeline');
const images = path.resolve('tests/fixtures/image');

/** Path of a model of tests/fixtures/pipeline (make_pipeline_fixtures.py). */
export const model = (name: string): string => path.join(models, name);

export const temporaryFolder = (): string => fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-ptq-'));

/** A new folder with some of the images of tests/fixtures/image. */
export function imageFolder(...names: string[]): string {
  const folder = path.join(temporaryFolder(), 'images');
  fs.mkdirSync(folder);
  for (const name of names) fs.copyFileSync(path.join(images, name), path.join(folder, name));
  return folder;
}

/** Values that look random and are the same each time. */
export function noise(length: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Samples for classifier.onnx and its variants. */
export function imageSamples(count: number): Feeds[] {
  return Array.from({ length: count }, (_, i) => ({
    image: { type: 'float32', dims: [1, 3, 8, 8], data: noise(192, i + 1) },
  }));
}

/** Runs the command. */
export async function command(
  argv: string[],
  signal?: AbortSignal,
): Promise<{ code: number; out: string; err: string }> {
  const text = { out: '', err: '' };
  const collect = (to: 'out' | 'err') => ({
    write(piece: string) {
      text[to] += piece;
    },
  });
  const streams: CommandStreams = { out: collect('out'), err: collect('err') };
  const code = await runCommand(argv, streams, signal);
  return { code, ...text };
}
