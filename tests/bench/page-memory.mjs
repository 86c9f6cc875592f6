// Memory of the page's renderer, phase by phase, while it makes an int8 model of one of 178 MB
// whose activations are small: what the process has (RSS), its share of what several map (PSS), and
// what is its own. Goal: the peak at most 3 times the model.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeModel } from '../../build/tests/js/support/onnx-writer.js';
import { withBuiltPage } from './built-page.mjs';

const patience = 1_800_000;
const mebi = 2 ** 20;
const channels = 512;
const layers = 18;

/** A picture in squares of 32 pixels, Convs of 3 × 3 over 7 × 7 of these, 1,000 classes. */
function writeLargeModel(file) {
  const random = generator(1);
  const weight = (name, dims, inputs) => {
    const count = dims.reduce((a, b) => a * b, 1);
    const scale = Math.sqrt(2 / inputs);
    return { name, dims, pattern: Float32Array.from({ length: count }, () => scale * random()) };
  };
  const conv = (i, kernel, stride, pad) => [
    {
      opType: 'Conv',
      name: `conv${i}`,
      inputs: [i === 0 ? 'picture' : `t${i - 1}`, `w${i}`],
      outputs: [`c${i}`],
      lists: {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: Array(4).fill(pad),
      },
    },
    { opType: 'Relu', name: `relu${i}`, inputs: [`c${i}`], outputs: [`t${i}`] },
  ];
  const nodes = [
    ...conv(0, 32, 32, 0),
    ...Array.from({ length: layers }, (_, i) => conv(i + 1, 3, 1, 1)).flat(),
    { opType: 'GlobalAveragePool', name: 'pool', inputs: [`t${layers}`], outputs: ['pooled'] },
    { opType: 'Flatten', name: 'flatten', inputs: ['pooled'], outputs: ['flat'] },
    { opType: 'MatMul', name: 'classify', inputs: ['flat', 'wc'], outputs: ['scores'] },
  ];
  const weights = [
    weight('w0', [channels, 3, 32, 32], 3 * 32 * 32),
    ...Array.from({ length: layers }, (_, i) =>
      weight(`w${i + 1}`, [channels, channels, 3, 3], channels * 9),
    ),
    weight('wc', [channels, 1000], channels),
  ];
  return writeModel(file, {
    nodes,
    weights,
    inputs: [{ name: 'picture', dims: [1, 3, 224, 224] }],
    outputs: [{ name: 'scores', dims: [1, 1000] }],
  });
}

/** About normal, the same each time. */
function generator(seed) {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return () => Math.sqrt(4) * (uniform() + uniform() + uniform() - 1.5);
}

/** Of a process, in MiB. */
function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kib = (name) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return {
    rss: kib('Rss') / 1024,
    pss: kib('Pss') / 1024,
    own: (kib('Private_Dirty') + kib('Private_Clean')) / 1024,
  };
}

/** The largest of each figure, by phase, until stop() is called. */
function watch(pid) {
  const phases = new Map();
  let phase = 'page loaded';
  const look = () => {
    const peak = phases.get(phase) ?? { rss: 0, pss: 0, own: 0 };
    const now = memoryOf(pid);
    for (const key of Object.keys(peak)) peak[key] = Math.max(peak[key], now[key]);
    phases.set(phase, peak);
  };
  const timer = setInterval(() => {
    try {
      look();
    } catch {
      // It has ended.
    }
  }, 100);
  return {
    phases,
    enter(name) {
      phase = name;
      look();
    },
    stop: () => clearInterval(timer),
  };
}

export async function benchPageMemory({ data, folder, images }) {
  await withBuiltPage(async ({ browser, server }) => {
    const model = join(folder, 'large.onnx');
    const bytes = writeLargeModel(model);
    const context = await browser.newContext({ locale: 'en-US' });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    await page.goto('about:blank');
    const system = await browser.newBrowserCDPSession();
    const renderer = async () => {
      const { processInfo } = await system.send('SystemInfo.getProcessInfo');
      return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    };
    await page.goto(server.url, { waitUntil: 'commit' });
    await page.locator('.lock[data-status="ready"]').waitFor();
    const pids = await renderer();
    const pid = pids.reduce((a, b) => (memoryOf(a).own > memoryOf(b).own ? a : b));
    const memory = watch(pid);
    await page.exposeFunction('enterPhase', (name) => memory.enter(name));
    await page.evaluate(() => {
      let last = '';
      const look = () => {
        const now = document.querySelector('#run [data-state="now"]')?.textContent;
        if (now && now !== last) globalThis.enterPhase(`run: ${now}`);
        last = now ?? last;
      };
      new MutationObserver(look).observe(document.body, {
        childList: true,
        subtree: true,
        attributes: true,
      });
    });
    await page.waitForTimeout(500);
    memory.enter('model read');
    await page.locator('#model input[type=file]').first().setInputFiles(model);
    await page.locator('#model .summary').waitFor();
    memory.enter('pictures chosen, plan');
    const pictures = join(data, 'images/imagenet/calib');
    const files = readdirSync(pictures)
      .slice(0, images)
      .map((name) => join(pictures, name));
    await page.locator('#data input[type=file]').first().setInputFiles(files);
    const next = page.locator('#next:enabled', { hasText: 'Quantize' });
    await next.waitFor();
    await next.click();
    await page.locator('#report .result[data-run="1"]').waitFor();
    memory.enter('verdict, search');
    await page.locator('#report .result[data-run="1"][data-whole="true"]').waitFor();
    memory.enter('layers');
    await page.locator('.layer-table').waitFor();
    memory.enter('download');
    await Promise.all([page.waitForEvent('download'), page.locator('#next').click()]);
    await page.waitForTimeout(1000);
    memory.stop();
    print(memory.phases, bytes);
    await context.close();
  });
}

function print(phases, bytes) {
  console.log(`model: ${(bytes / mebi).toFixed(0)} MiB\n`);
  console.log('| phase | RSS, MiB | PSS | own | PSS / model |');
  console.log('| --- | ---: | ---: | ---: | ---: |');
  const row = (name, { rss, pss, own }) => {
    const cells = [rss, pss, own].map((value) => value.toFixed(0));
    console.log(`| ${[name, ...cells, ((pss * mebi) / bytes).toFixed(2)].join(' | ')} |`);
  };
  for (const [name, peak] of phases) row(name, peak);
  const all = [...phases.values()];
  const most = (key) => Math.max(...all.map((peak) => peak[key]));
  row('peak', { rss: most('rss'), pss: most('pss'), own: most('own') });
}
