// How threads of a session wait for each other: by default awake, beyond the end of a run, which
// took as much CPU time as the runs themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Runtime, RuntimeKind } from '#dist/platform/platform.js';
import { createSession, type RuntimeModel } from '#dist/runtime/runtime.js';

interface Options {
  extra?: { session: { intra_op?: { spin_duration_us: string }; x64quantprecision?: string } };
}

/** The options that onnxruntime gets. */
async function optionsOf(kind: RuntimeKind, model: Partial<RuntimeModel> = {}): Promise<Options> {
  let given: Options = {};
  const create = async (_: unknown, options: Options) => {
    given = options;
    return { inputNames: [], outputNames: [] };
  };
  const ort = { env: {}, InferenceSession: { create } };
  const runtime = { kind, ort, threads: 2 } as unknown as Runtime;
  await createSession(runtime, 'a model', { model: new Uint8Array(1), ...model });
  return given;
}

test('threads of onnxruntime-node that wait for others go to sleep soon', async () => {
  for (const exactIntegers of [false, true]) {
    const { session } = (await optionsOf('node', { exactIntegers })).extra!;
    assert.ok(Number(session.intra_op?.spin_duration_us) <= 1000);
    assert.equal(session.x64quantprecision, exactIntegers ? '1' : undefined);
  }
});

test('onnxruntime-web, which has no such threads, is not told', async () => {
  assert.equal((await optionsOf('web', { exactIntegers: true })).extra, undefined);
});
