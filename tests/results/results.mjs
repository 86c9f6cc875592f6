// npm run results: writes docs/results.md, what becomes of every model of ../shared/data, for us and for the reference,
// from the same tensors. Ours runs in onnxruntime-web, the reference's in Python.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-web';
import { inspectModel, quantizeStatic } from '../../dist/index.js';
import { addNoise, floatValues, noSums, signalToNoise, topClasses } from '../../dist/metrics.js';
import { referencePython } from '../bench/python.mjs';
import { samplesOf, writeArrays } from './samples.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const data = process.env.ONNX_PTQ_DATA ?? resolve(here, '../../../shared/data');
const settings = [
  {
    title: 'Defaults: QOperator, QUInt8 activations and weights, per tensor',
    parameters: { quant_format: 'QOperator', weight_type: 'QUInt8', per_channel: false },
  },
  {
    title: 'QDQ, QUInt8 activations, QInt8 weights, per channel',
    parameters: { quant_format: 'QDQ', weight_type: 'QInt8', per_channel: true },
  },
];
const calibrationSamples = 50;
const testSamples = 100;
/** Measured with every labelled image; the others need only show that they keep their outputs. */
const fullyTested = ['mobilenetv2-7', 'squeezenet1.0-7', 'resnet20_cifar10', 'efficientnet-lite0'];
/** Models that the manifest calls slow: this many samples of each kind. */
const slowSamples = 4;
const referenceMinutes = 4;

function limits({ file, slow }) {
  if (slow) return { calibration: slowSamples, test: slowSamples };
  const full = fullyTested.includes(basename(file, '.onnx'));
  return { calibration: calibrationSamples, test: full ? Number.POSITIVE_INFINITY : testSamples };
}

/** Runs the test samples; only the outputs that count, as numbers. */
async function outputsOf(model, names, summary, reader) {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
  const all = [];
  for await (const feeds of reader.open(summary)) {
    const inputs = Object.entries(feeds).map(([name, { type, data: values, dims }]) => [
      name,
      new ort.Tensor(type, values, dims),
    ]);
    const results = await session.run(Object.fromEntries(inputs), names);
    all.push(names.map((name) => Float32Array.from(floatValues(results[name]))));
  }
  await session.release();
  return all;
}

function measure(floats, values, labels) {
  const sums = noSums();
  for (const [i, outputs] of values.entries()) {
    for (const [j, output] of outputs.entries()) addNoise(sums, floats[i][j], output);
  }
  const hits = labels?.filter(
    (label, i) => topClasses(values[i][0], values[i][0].length)[0] === label,
  );
  return { sqnr: signalToNoise(sums), hits: hits?.length ?? null };
}

/** Our side of one setting: figures, or why not. */
async function ours(path, { parameters }, { samples, names, summary, floats }) {
  const output = join(folder, 'quantized.onnx');
  try {
    const { report } = await quantizeStatic({
      modelInput: path,
      modelOutput: output,
      calibrationDataReader: samples.calibration,
      quantFormat: parameters.quant_format,
      weightType: parameters.weight_type,
      perChannel: parameters.per_channel,
    });
    const values = await outputsOf(output, names, summary, samples.test);
    return {
      ...measure(floats, values, samples.labels),
      bytes: report.bytesAfter,
      quantized: report.nodesQuantized.length,
      of: report.nodesQuantized.length + report.nodesLeftFloat.length,
    };
  } catch (error) {
    const place = error.node ? ` (node "${error.node}")` : '';
    return { error: `${error.code ?? error.name}: ${error.message}${place}` };
  }
}

/** Starts the reference on a model. Resolves to its results by setting and by with or without quant_pre_process. */
function reference(job) {
  const python = spawn(referencePython(), [join(here, 'reference.py')], {
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: referenceMinutes * 60_000,
    killSignal: 'SIGKILL',
  });
  python.stdin.end(JSON.stringify(job));
  let text = '';
  python.stdout.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((done, failed) => {
    python.on('error', failed);
    python.on('close', () => {
      const runs = text
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line));
      const missing = { error: `no end after ${referenceMinutes} min` };
      done((setting, prepared) => {
        const found = runs.find((run) => run.setting === setting && run.prepared === prepared);
        return found ?? missing;
      });
    });
  });
}

/** Numbered remarks under the tables; the same text has one number. */
class Notes {
  texts = [];

  mark(text) {
    // Folders of this machine's say nothing to a reader.
    const short = text
      .replaceAll(/\/tmp\/[^/ ]*\//g, '')
      .replaceAll(/\s+/g, ' ')
      .replaceAll('|', '\\|')
      .trim()
      .slice(0, 300);
    if (!this.texts.includes(short)) this.texts.push(short);
    return `[${this.texts.indexOf(short) + 1}]`;
  }
}

const percent = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;

/** "21.6 dB, 61.8 %", or in a word why not. */
function cell(result, tests, notes, refusal = 'fails') {
  if (result.error) {
    const word = /^does not load/.test(result.error) ? 'does not load' : refusal;
    return `${word} ${notes.mark(result.error)}`;
  }
  if (result.sqnr === null || !Number.isFinite(result.sqnr)) return 'NaN or infinite';
  const sqnr = result.sqnr > 200 ? 'unchanged' : `${result.sqnr.toFixed(1)} dB`;
  return result.hits === null ? sqnr : `${sqnr}, ${percent(result.hits, tests)}`;
}

const size = (result, bytes) =>
  result.error ? '' : `${Math.round((100 * result.bytes) / bytes)} %`;

/** One model: a row for each setting. */
async function rowsOf(entry, notes) {
  const name = basename(entry.file, '.onnx');
  const path = join(data, entry.file);
  const { size: bytes } = statSync(path);
  const samples = samplesOf(data, entry, limits(entry));
  const summary = await inspectModel(path);
  const names = (
    entry.outputs_of_interest ??
    summary.outputs.filter(({ type }) => /^float/.test(type)).map((o) => o.name)
  ).filter(Boolean);
  const arrays = join(folder, name);
  await writeArrays(samples.calibration, summary, join(arrays, 'calib'));
  await writeArrays(samples.test, summary, join(arrays, 'test'));
  const theirs = reference({
    model: path,
    inputs: summary.inputs.map((input) => input.name),
    outputs: names,
    calibration: join(arrays, 'calib'),
    test: join(arrays, 'test'),
    labels: samples.labels,
    settings: settings.map(({ parameters }) => ({ ...parameters, activation_type: 'QUInt8' })),
  });
  const floats = await outputsOf(path, names, summary, samples.test).catch(() => null);
  const results = [];
  for (const setting of settings) {
    results.push(await ours(path, setting, { samples, names, summary, floats }));
  }
  const of = await theirs;
  rmSync(arrays, { recursive: true, force: true });
  const tests = samples.labels?.length ?? 0;
  const float =
    samples.labels && floats ? percent(measure(floats, floats, samples.labels).hits, tests) : '';
  return results.map((result, index) => [
    name,
    float,
    cell(result, tests, notes, 'refused'),
    result.error ? '' : `${result.quantized} of ${result.of}`,
    size(result, bytes),
    ...[false, true].flatMap((prepared) => {
      const run = of(index, prepared);
      return [cell(run, tests, notes), size(run, bytes)];
    }),
  ]);
}

if (!existsSync(join(data, 'manifest.json'))) {
  console.log(`results: skipped, there is no ${data} (set ONNX_PTQ_DATA)`);
  process.exit(0);
}
const only = process.argv.slice(2);
const manifest = JSON.parse(readFileSync(join(data, 'manifest.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'onnx-ptq-results-'));
const notes = new Notes();
const tables = settings.map(() => []);
try {
  for (const entry of manifest) {
    if (only.length > 0 && !only.some((word) => entry.file.includes(word))) continue;
    const start = performance.now();
    const rows = await rowsOf(entry, notes);
    for (const [index, row] of rows.entries()) tables[index].push(`| ${row.join(' | ')} |`);
    console.log(rows.map((row) => row.join(' | ')).join('\n'));
    console.log(`  ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const head =
  '| model | float | ours | quantized nodes | size | reference | size | reference, prepared | size |';
const page = [
  '# Accuracy on real models',
  '',
  'Every model of the development data, calibrated (MinMax) with up to 50 samples and measured with other ones: SQNR of the',
  `float outputs and, where there are labels, top-1 accuracy. Four classifiers are measured with all their images (ImageNet`,
  `400, CIFAR-10 500), the others with up to ${testSamples} samples. Size: of the float model's. "prepared": after`,
  '`quant_pre_process`, which the reference recommends. Ours is measured in onnxruntime-web 1.30, the reference (Python',
  'onnxruntime 1.32) in its own runtime, both on the same tensors. Made by `npm run results`; the models and images are not',
  'part of the package.',
  ...settings.flatMap(({ title }, index) => [
    '',
    `## ${title}`,
    '',
    head,
    `|${' --- |'.repeat(9)}`,
    ...tables[index],
  ]),
  '',
  '## Notes',
  '',
  ...notes.texts.map((text, index) => `${index + 1}. ${text}`),
];
if (only.length === 0) writeFileSync(join(here, '../../docs/results.md'), `${page.join('\n')}\n`);
else console.log(page.join('\n'));
process.exit(0);
