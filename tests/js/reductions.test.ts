// Reductions in the graph: what they give is, to the bit, what the tensors hold, and a run takes
// the memory of the model alone, as announced.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Feeds } from '#dist/base/types.js';
import { writeReductionPass, writeTensorPass } from '#dist/calibration/pass-model.js';
import { Runner } from '#dist/calibration/runner.js';
import { CoreCalibration } from '#dist/core/calibration.js';
import { ModelFiles } from '#dist/core/host-files.js';
import { CoreSession } from '#dist/core/session.js';
import { nodePlatform } from '#dist/platform/node.js';
import { createSession } from '#dist/runtime/runtime.js';
import { type WriterNode, writeModel } from './support/onnx-writer.js';
import { noise, temporaryFolder } from './support/pipeline.js';

const folder = temporaryFolder();
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const options = { quant_format: 'QDQ', weight_type: 'QInt8', calibrate_method: 'MinMax' };

/** Blocks of Sigmoid, Relu and Add of what comes in, and a head of lower rank. */
function writeChain(name: string, blocks: number, dims: number[]): string {
  const nodes: WriterNode[] = [];
  const add = (opType: string, inputs: string[]) => {
    const output = `t${nodes.length}`;
    nodes.push({ opType, name: `n${nodes.length}`, inputs, outputs: [output] });
    return output;
  };
  let last = 'x';
  for (let i = 0; i < blocks; ++i) {
    last = add('Add', [add('Relu', [add('Sigmoid', [last])]), last]);
  }
  last = add('Softmax', [add('Flatten', [add('GlobalAveragePool', [last])])]);
  const file = path.join(folder, name);
  const head = { name: last, dims: [1, dims[1]!] };
  writeModel(file, { nodes, weights: [], inputs: [{ name: 'x', dims }], outputs: [head] });
  return file;
}

/** The model in `file`, ready to be written for a pass. */
async function prepared(file: string) {
  const input = await nodePlatform.openInput(file, {});
  const files = new ModelFiles(input);
  const core = await CoreSession.create(files);
  const model = core.open();
  core.configure({ ...options, extra_options: {} });
  core.prepare();
  return { input, files, core, model, tensors: core.calibrationTensors() };
}

for (const kind of ['web', 'node'] as const) {
  test(`${kind}: lowest and highest are those of the tensors, to the bit`, async () => {
    const dims = [1, 4, 16, 16];
    const { input, files, core, model, tensors } = await prepared(
      writeChain('bits.onnx', 40, dims),
    );
    assert.ok(tensors.length > 100, 'several runs and a tree of them');
    const runtime = await nodePlatform.loadRuntime({ kind });
    const calibration = await CoreCalibration.create({ ...options, extra_options: {} }, tensors);
    const feeds: Feeds = { x: { type: 'float32', dims, data: noise(1024, 1) } };
    try {
      const pass = writeReductionPass(core, files, input, model, tensors, true);
      const runner = await Runner.start(runtime, pass, calibration);
      const reductions = await runner.run(feeds, 0);
      await runner.release();
      const all = tensors.map((_, i) => i);
      const { model: bytes, outputs } = writeTensorPass(core, files, input, model, tensors, all);
      const session = await createSession(runtime, 'the model', {
        model: bytes,
        optimization: kind === 'node' ? 'all' : 'disabled',
      });
      const results = await session.run(feeds, outputs);
      await session.release();
      assert.equal(reductions?.length, 3 * tensors.length);
      for (const [i, name] of outputs.entries()) {
        const values = results[name]!.data as Float32Array;
        const ends = [Math.min(...values), Math.max(...values)];
        assert.deepEqual([...reductions.subarray(3 * i, 3 * i + 2)], ends, name);
      }
    } finally {
      calibration.dispose();
      core.dispose();
      input.close();
    }
  });
}

const told: readonly ['web' | 'node', string, number[]][] = [
  ['web', 'rows', [1, 16]],
  ['node', 'rows', [1, 16]],
  ['web', 'pictures', [1, 8, 3, 5]], // whose channels are added up first
  ['node', 'pictures', [1, 8, 3, 5]],
];
for (const [kind, what, dims] of told) {
  test(`${kind}, ${what}: NaN is told of every tensor that holds it, whichever sums are left out`, async () => {
    const nodes: WriterNode[] = [
      { opType: 'Sqrt', name: 'root', inputs: ['x'], outputs: ['r'] }, // NaN below 0
      { opType: 'Sigmoid', name: 'gate', inputs: ['r'], outputs: ['g'] },
      { opType: 'Mul', name: 'gated', inputs: ['r', 'g'], outputs: ['m'] },
      { opType: 'Add', name: 'sum', inputs: ['m', 'm'], outputs: ['s'] },
      { opType: 'Relu', name: 'clipped', inputs: ['s'], outputs: ['y'] },
    ];
    const io = (name: string) => [{ name, dims }];
    const file = path.join(folder, `nan-${kind}-${what}.onnx`);
    writeModel(file, { nodes, weights: [], inputs: io('x'), outputs: io('y') });
    const { input, files, core, model, tensors } = await prepared(file);
    const runtime = await nodePlatform.loadRuntime({ kind });
    try {
      const pass = writeReductionPass(core, files, input, model, tensors, true);
      assert.ok(pass.forNan, 'sums are left out');
      const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => i + 1);
      const broken = data.map((value, i) => (i === 9 ? -1 : value));
      const vectors: Record<string, Float32Array[]> = { few: [], all: [] };
      for (const [name, tried] of [
        ['few', pass],
        ['all', { ...pass, model: pass.forNan, forNan: null }],
      ] as const) {
        const runner = await Runner.start(runtime, tried, null);
        for (const [index, values] of [data, broken, data].entries()) {
          const feeds: Feeds = { x: { type: 'float32', dims, data: values } };
          vectors[name]!.push((await runner.run(feeds, index))!);
        }
        await runner.release();
      }
      const sum = tensors.findIndex(({ name }) => name === 'm') * 3 + 2;
      assert.notEqual(vectors.few![0]![sum], vectors.all![0]![sum], 'none was taken before');
      assert.ok(Number.isNaN(vectors.few![1]![sum]));
      assert.deepEqual(vectors.few![1], vectors.all![1]);
      assert.deepEqual(vectors.few![2], vectors.all![2]);
      assert.ok(!vectors.few![2]!.some(Number.isNaN));
    } finally {
      core.dispose();
      input.close();
    }
  });
}

/** Calibrates in a process of its own; MiB that were announced, and that it took. */
function memoryOf(model: string, dims: number[], runtime: string): [number, number] {
  const script = `
    import fs from 'node:fs';
    import { calibrate } from ${JSON.stringify(import.meta.resolve('onnx-ptq'))};
    const peak = () => Number(/VmHWM:\\s+(\\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
    const data = new Float32Array(${dims.reduce((a, b) => a * b, 1)}).fill(1);
    let before, announced;
    await calibrate({
      modelInput: ${JSON.stringify(model)},
      calibrationDataReader: [1, 2, 3].map(() => ({ x: { type: 'float32', dims: ${JSON.stringify(dims)}, data } })),
      runtime: '${runtime}',
      workers: 1,
      onDiagnostic: ({ code, message }) => {
        if (code !== 'CALIBRATION_MEMORY') return;
        announced = Number(/about (\\d+) MiB/.exec(message)[1]);
        fs.writeFileSync('/proc/self/clear_refs', '5'); // the peak begins anew
        before = peak();
      },
    });
    console.log(JSON.stringify([announced, peak() - before]));
    process.exit(0);`;
  const flags = ['--input-type=module', '-e', script];
  return JSON.parse(execFileSync(process.execPath, flags, { encoding: 'utf8' }));
}

const linux = process.platform === 'linux' ? false : 'reads /proc';
for (const runtime of ['web', 'node']) {
  test(`${runtime}: many large tensors take the memory of a few`, { skip: linux }, () => {
    const dims = [1, 16, 256, 256]; // 4 MiB
    const blocks = 80;
    const model = writeChain(`${runtime}.onnx`, blocks, dims);
    const all = 3 * 4 * blocks;
    const [announced, taken] = memoryOf(model, dims, runtime);
    assert.ok(taken < 0.25 * all, `${taken} MiB of ${all} were taken`);
    // Within 40 %, and what the process itself takes and gives back meanwhile.
    const most = 0.4 * taken + 32;
    assert.ok(Math.abs(announced - taken) < most, `${announced}, not ${taken} MiB`);
  });
}
