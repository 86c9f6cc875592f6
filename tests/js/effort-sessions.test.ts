// What an effort costs in onnxruntime: sessions that are made, and runs of the float model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantizeOn } from '#dist/jobs/quantize-static.js';
import { nodePlatform } from '#dist/platform/node.js';
import type { OrtModule } from '#dist/platform/platform.js';
import { collapsing, samples } from './support/collapsing.js';

type Feeds = Record<string, { data: Float32Array }>;

/** Sessions of each kind, runs of the float model as it was given, and samples in these. */
async function costOf(effort: 'none' | 'fast') {
  const modelInput = collapsing();
  const cost = { float: 0, floatRuns: 0, others: 0 };
  const run = new Set<number>();
  const counted = (ort: OrtModule): OrtModule => ({
    ...ort,
    env: ort.env,
    Tensor: ort.Tensor,
    InferenceSession: {
      ...ort.InferenceSession,
      async create(model: unknown, options: object) {
        const isFloat = model === modelInput;
        if (isFloat) cost.float++;
        else cost.others++;
        const session = await ort.InferenceSession.create(model as string, options);
        return {
          inputNames: session.inputNames,
          outputNames: session.outputNames,
          outputMetadata: session.outputMetadata,
          run(feeds: Feeds, fetches: never) {
            if (isFloat) {
              cost.floatRuns++;
              run.add(feeds.x!.data[0]!);
            }
            return session.run(feeds as never, fetches);
          },
          release: () => session.release(),
        };
      },
    } as unknown as OrtModule['InferenceSession'],
  });
  const { report } = await quantizeOn(
    {
      ...nodePlatform,
      async loadRuntime(options) {
        const runtime = await nodePlatform.loadRuntime({ ...options, kind: 'node' });
        return { ...runtime, ort: counted(runtime.ort) };
      },
    },
    { modelInput, calibrationDataReader: samples(24), effort, workers: 1 } as never,
  );
  return { ...cost, floatSamples: run.size, tried: report.effort?.tried.length ?? 0 };
}

test('a job has a session to calibrate, of the result, of the float model, and of a setting that mends it', async () => {
  const { float, floatRuns, floatSamples, others } = await costOf('none');
  assert.deepEqual({ float, others }, { float: 1, others: 3 });
  assert.deepEqual({ floatRuns, floatSamples }, { floatRuns: 8, floatSamples: 8 });
});

test('an effort adds one for the first samples and one for each candidate, and the float model runs a sample once', async () => {
  const { float, floatRuns, floatSamples, others, tried } = await costOf('fast');
  assert.ok(tried >= 3, `${tried} were tried`);
  assert.deepEqual({ float, others }, { float: 1, others: 3 + tried });
  assert.equal(floatRuns, floatSamples, 'for candidates, verification and its time');
});
