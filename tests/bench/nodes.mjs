// npm run bench -- --nodes: the time to plan and rewrite graphs of 500 to 5,000 nodes beside the
// reference's, ranges given. Ours is the core's whole work (load, prepare, plan, rewrite, write);
// linear in nodes.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCalibrationCache } from '../../dist/calibration/files/calibration-cache.js';
import { ModelFiles } from '../../dist/core/host-files.js';
import { loadCore } from '../../dist/core/load.js';
import { formatRanges } from '../../dist/core/ranges.js';
import { CoreSession } from '../../dist/core/session.js';
import { coreOptions } from '../../dist/options/core-options.js';
import { checkQuantizeStatic } from '../../dist/options/validate.js';
import { nodePlatform } from '../../dist/platform/node.js';

const script = join(dirname(fileURLToPath(import.meta.url)), 'nodes.py');

async function ours(model, ranges) {
  const input = await nodePlatform.openInput(model, {});
  const output = nodePlatform.openOutput(undefined);
  const core = await CoreSession.create(new ModelFiles(input, output));
  const start = performance.now();
  core.open();
  core.configure(
    coreOptions(
      checkQuantizeStatic(
        { quant_format: 'QDQ', weight_type: 'QInt8', optimize_model: false },
        await loadCore(),
      ),
    ),
  );
  core.prepare();
  core.setRanges(formatRanges(ranges));
  core.quantize('');
  const seconds = (performance.now() - start) / 1000;
  core.dispose();
  input.close();
  output.discard();
  return seconds;
}

/** Prints the table. `python` has the reference in it. */
export async function benchNodes(python, rounds) {
  const folder = mkdtempSync(join(tmpdir(), 'onnx-ptq-nodes-'));
  const call = (...args) =>
    execFileSync(python, [script, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    console.log('| nodes | reference s | ours s | ratio | ours, µs a node |');
    console.log('| --- | --- | --- | --- | --- |');
    for (const nodes of [500, 1000, 2000, 5000]) {
      const [model, cache, output] = ['m.onnx', 'c.json', 'q.onnx'].map((name) =>
        join(folder, name),
      );
      call('make', String(nodes), model, cache);
      const { ranges } = parseCalibrationCache(readFileSync(cache, 'utf8'), cache);
      const own = [];
      for (let round = 0; round < rounds; round++) own.push(await ours(model, ranges));
      const seconds = Math.min(...own);
      const reference = JSON.parse(
        call('run', model, cache, output).toString().trim().split('\n').at(-1),
      ).seconds;
      const cells = [
        nodes,
        reference.toFixed(2),
        seconds.toFixed(3),
        (seconds / reference).toFixed(4),
      ];
      console.log(`| ${[...cells, ((1e6 * seconds) / nodes).toFixed(0)].join(' | ')} |`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
