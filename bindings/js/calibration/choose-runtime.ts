// Whether a GPU calibrates, where it was asked for: it must be able to run the model, give what
// WebAssembly gives, and be faster. One sample goes through the float model on both; every tensor's
// lowest and highest value must be the same but for rounding (kernels for GPUs have been wrong
// before), and then it runs once more, for the time.

import { asMessage, type Sentence, say } from '../base/text.js';
import type { Diagnostic, Feeds } from '../base/types.js';
import type { CoreCalibration } from '../core/calibration.js';
import type { Runtime } from '../platform/platform.js';
import { type PassModel, Runner } from './runner.js';

/**
 * Largest difference, as a share of the tensor's largest magnitude: GPUs add up in other orders,
 * some in less precision.
 */
const tolerance = 1e-3;

export interface Candidates {
  gpu: Runtime;
  wasm: Runtime;
  /** Samples that WebAssembly runs at the same time. */
  workers: number;
}

export interface Choice {
  runtime: Runtime;
  note: Diagnostic;
}

/** `pass`: with reductions of the tensors `names`. `feeds`: a sample. */
export async function chooseRuntime(
  { gpu, wasm, workers }: Candidates,
  pass: PassModel,
  calibration: CoreCalibration,
  feeds: Feeds,
  names: readonly string[],
): Promise<Choice> {
  const measured = async (runtime: Runtime) => {
    const runner = await Runner.start(runtime, pass, calibration);
    try {
      const reductions = await runner.run(feeds, 0);
      const start = performance.now(); // the first run compiles shaders and takes memory
      await runner.run(feeds, 0);
      return { reductions, ms: performance.now() - start };
    } finally {
      await runner.release();
    }
  };
  const fallBack = (code: string, why: Sentence): Choice => ({
    runtime: wasm,
    note: { severity: 'warning', code, ...asMessage(why) },
  });
  const expected = await measured(wasm);
  let received: typeof expected;
  try {
    received = await measured(gpu);
  } catch (error) {
    const { message } = error as Error;
    return fallBack(
      'WEBGPU_CANNOT_RUN',
      say`WebGPU cannot run the model, WebAssembly is used instead: ${message}`,
    );
  }
  const why = difference(expected.reductions, received.reductions, names);
  if (why !== null) {
    return fallBack(
      'WEBGPU_DIFFERS',
      say`WebGPU gives other results than WebAssembly, which is used instead: ${why}`,
    );
  }
  const runtime = received.ms * workers < expected.ms ? gpu : wasm;
  const [onGpu, inWasm] = [received.ms, expected.ms].map((ms) => ms.toFixed(1)) as [string, string];
  return {
    runtime,
    note: {
      severity: 'info',
      code: 'WEBGPU_MEASURED',
      ...asMessage(
        runtime === gpu
          ? say`a sample takes ${onGpu} ms on the GPU and ${inWasm} ms in WebAssembly, ${workers} at a time: the GPU calibrates`
          : say`a sample takes ${onGpu} ms on the GPU and ${inWasm} ms in WebAssembly, ${workers} at a time: WebAssembly calibrates`,
      ),
    },
  };
}

/** Null where they agree, else where they do not. */
function difference(
  expected: Float32Array | null,
  received: Float32Array | null,
  names: readonly string[],
): string | null {
  if (expected === null) return null;
  const numbers = expected.length / names.length;
  for (const [i, name] of names.entries()) {
    const ends = [0, 1].map((end) => expected[i * numbers + end] as number);
    const limit = tolerance * Math.max(...ends.map(Math.abs)) + 1e-6;
    for (const [end, wanted] of ends.entries()) {
      const given = received?.[i * numbers + end] as number;
      if (Object.is(given, wanted) || Math.abs(given - wanted) <= limit) continue;
      return `"${name}" reaches ${given} instead of ${wanted}`;
    }
  }
  return null;
}
