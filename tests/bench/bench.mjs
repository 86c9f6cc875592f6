// npm run bench: the whole job beside Python's quantize_static, on the same machine, model and
// images, in the same run. Figures are ratios (ours / reference): absolute times depend on the
// machine and on what else runs on it. Each side runs `--rounds` times, in turn; the best
// counts, or the median.
//   npm run bench                      calibration methods × models × runtimes (medians)
//   npm run bench -- --calibration     calibration alone, on all models; --workers 1: one at a time
//   npm run bench -- --memory          peak memory in the number of samples
//   npm run bench -- --nodes           planning and rewriting in the number of nodes
//   npm run bench -- --kernels         the loops over activations
//   npm run bench -- --start           what a run costs beside its inference (median of --rounds)
//   npm run bench -- --floor           what a sample takes at least, by its parts
//   npm run bench -- --effort          what an effort costs beside none
//   npm run bench -- --size            what the core's module is made of
//   npm run bench -- --page            the page in Chromium: loading, verdicts, its main thread
//   npm run bench -- --page-memory     the page's renderer, for a model of 176 MB
//   npm run bench -- --page-settings   what a changed setting costs in the page
//   npm run bench -- --passes          nodes that preparing leaves, to docs/preparing.md
//   npm run bench -- --effects         what each pass is good for, to docs/preparing.md
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchCalibration } from './calibration.mjs';
import { benchEffort } from './effort.mjs';
import { benchFloor } from './floor.mjs';
import { benchKernels } from './kernels.mjs';
import { benchMemory } from './memory.mjs';
import { benchMethods } from './methods.mjs';
import { benchNodes } from './nodes.mjs';
import { benchEffects, benchPasses } from './passes.mjs';
import { referencePython } from './python.mjs';
import { benchSize } from './size.mjs';
import { benchStart } from './start.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const data = process.env.ONNX_PTQ_DATA ?? resolve(here, '../../../shared/data');
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '2' },
    images: { type: 'string', default: '100' },
    models: { type: 'string', default: '' }, // names, with commas; empty: all
    methods: { type: 'string', default: '' },
    workers: { type: 'string', default: '' },
    calibration: { type: 'boolean', default: false },
    nodes: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    kernels: { type: 'boolean', default: false },
    effort: { type: 'boolean', default: false },
    size: { type: 'boolean', default: false },
    start: { type: 'boolean', default: false },
    floor: { type: 'boolean', default: false },
    page: { type: 'boolean', default: false },
    'page-memory': { type: 'boolean', default: false },
    'page-settings': { type: 'boolean', default: false },
    passes: { type: 'boolean', default: false },
    effects: { type: 'boolean', default: false },
  },
});
if (options.size) {
  benchSize();
  process.exit(0);
}
const rounds = Number(options.rounds);
const [models, only] = [options.models, options.methods].map((names) =>
  names.split(',').filter(Boolean),
);
console.log(`${rounds} rounds, Node ${process.version}\n`);
if (options.kernels) {
  await benchKernels();
  process.exit(0);
}
if (options.nodes) {
  await benchNodes(await referencePython(), rounds);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'onnx-ptq-bench-'));
try {
  if (!existsSync(join(data, 'models'))) {
    console.log(`bench: skipped, there are no models in ${data} (set ONNX_PTQ_DATA)`);
  } else if (options.start) {
    benchStart({ data, folder, rounds });
  } else if (options.floor) {
    await benchFloor({ data, images: options.images, models });
  } else if (options.effort) {
    benchEffort({ data, rounds, images: Number(options.images) });
  } else if (options.page) {
    const { benchPage } = await import('./page.mjs'); // of what only its tests are built for
    await benchPage({ data, folder, rounds });
  } else if (options['page-memory']) {
    const { benchPageMemory } = await import('./page-memory.mjs');
    await benchPageMemory({ data, folder, images: Number(options.images) });
  } else if (options['page-settings']) {
    const { benchPageSettings } = await import('./page-settings.mjs');
    await benchPageSettings({ data, rounds });
  } else if (options.memory) {
    benchMemory({ python: await referencePython(), data, folder, rounds });
  } else if (options.passes || options.effects) {
    if (options.passes)
      await benchPasses({ python: await referencePython(), data, folder, models });
    if (options.effects) await benchEffects({ data, models, samples: 16 });
  } else {
    const { images, workers } = options;
    const common = { python: await referencePython(), data, folder, rounds, images, models, only };
    if (options.calibration) benchCalibration({ ...common, workers });
    else benchMethods(common);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
