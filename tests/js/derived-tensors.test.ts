// Tensors that are counted from others: in every method and on both runtimes their ranges are those
// that their own values give.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { CalibratedTensor, Feeds } from '#dist/base/types.js';
import { observedOf } from '#dist/calibration/memory-plan.js';
import { writeReductionPass, writeTensorPass } from '#dist/calibration/pass-model.js';
import { Runner } from '#dist/calibration/runner.js';
import { CoreCalibration } from '#dist/core/calibration.js';
import { ModelFiles } from '#dist/core/host-files.js';
import { CoreSession } from '#dist/core/session.js';
import { nodePlatform } from '#dist/platform/node.js';
import { writeModel } from './support/onnx-writer.js';
import { noise, temporaryFolder } from './support/pipeline.js';

const dims = [1, 8, 16, 16];

/** Two layers that are clipped, then moved; values up to some tens. */
function writeLayers(): string {
  const file = path.join(temporaryFolder(), 'layers.onnx');
  const weight = (name: string, seed: number) => ({
    name,
    dims: [8, 8, 1, 1],
    pattern: noise(64, seed).map((value) => 4 * value),
  });
  writeModel(file, {
    nodes: [
      { opType: 'Conv', name: 'c1', inputs: ['x', 'w'], outputs: ['a'] },
      { opType: 'Relu', name: 'r', inputs: ['a'], outputs: ['b'] },
      { opType: 'Conv', name: 'c2', inputs: ['b', 'v'], outputs: ['c'] },
      { opType: 'Clip', name: 'k', inputs: ['c', 'low', 'high'], outputs: ['d'] },
      { opType: 'Flatten', name: 'f', inputs: ['d'], outputs: ['y'] },
    ],
    weights: [
      weight('w', 1),
      weight('v', 2),
      { name: 'low', dims: [], pattern: Float32Array.of(-3) },
      { name: 'high', dims: [], pattern: Float32Array.of(6) },
    ],
    inputs: [{ name: 'x', dims }],
    outputs: [{ name: 'y', dims: [1, 2048] }],
  });
  return file;
}

const samples = Array.from(
  { length: 4 },
  (_, i): Feeds => ({ x: { type: 'float32', dims, data: noise(2048, i + 10) } }),
);

for (const kind of ['web', 'node'] as const) {
  const methods = ['Entropy', 'Percentile', 'Percentile only', 'Distribution', 'MSE', 'auto'];
  for (const method of methods) {
    test(`${kind}, ${method}: derived tensors have the ranges of their own values`, async () => {
      const input = await nodePlatform.openInput(writeLayers(), {});
      const files = new ModelFiles(input, nodePlatform.openOutput(undefined));
      const core = await CoreSession.create(files);
      try {
        const model = core.open();
        const [calibrate_method, only_percentile] = method.split(' ');
        const only = only_percentile && { only_percentile: true };
        const options = { calibrate_method, extra_options: {}, ...only };
        core.configure(options);
        core.prepare();
        const tensors = core.calibrationTensors();
        const derived = tensors.filter((tensor) => tensor.derived).map(({ name }) => name);
        assert.deepEqual(derived, ['b', 'd', 'y']);
        const plain = tensors.map(({ derived: _, ...tensor }) => tensor);
        const runtime = await nodePlatform.loadRuntime({ kind });
        const rangesOf = async (list: CalibratedTensor[]) => {
          const calibration = await CoreCalibration.create(options, list);
          while (calibration.pass !== '') {
            const pass =
              calibration.pass === 'ranges'
                ? writeReductionPass(core, files, input, model, list, false)
                : writeTensorPass(core, files, input, model, list, observedOf(list));
            const runner = await Runner.start(runtime, pass, calibration);
            for (const [index, feeds] of samples.entries()) {
              const reductions = await runner.run(feeds, index);
              if (reductions) calibration.observeRanges(reductions);
            }
            await runner.release();
            calibration.endPass();
          }
          const collected = { ranges: calibration.ranges(), state: calibration.save() };
          calibration.dispose();
          return collected;
        };
        assert.deepEqual(await rangesOf(tensors), await rangesOf(plain));
      } finally {
        core.dispose();
        input.close();
      }
    });
  }
}
