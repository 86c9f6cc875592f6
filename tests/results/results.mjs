// npm run results: writes docs/results.md, what becomes of every model of ../shared/data and
// ../shared/wild, for us and for the reference. We quantize here (onnxruntime runs every result
// before it counts as done); measure.py runs the reference and measures both in Python's
// onnxruntime, on the same tensors. Words on the command line pick models and print the page.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspectModel, quantizeStatic } from 'onnx-ptq';
import { referencePython } from '../bench/python.mjs';
import { costHead, costRow } from './cost.mjs';
import { samplesOf, writeArrays } from './samples.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const data = process.env.ONNX_PTQ_DATA ?? resolve(here, '../../../shared/data');
/** Models that nobody had tried when they were chosen: their time and memory are measured, too. */
const wild = process.env.ONNX_PTQ_WILD ?? resolve(here, '../../../shared/wild');
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
/** The reference has been seen not to end (D7 of docs/differences.md). */
const referenceMinutes = 15;

function limits({ file, slow }) {
  if (slow) return { calibration: slowSamples, test: slowSamples };
  const full = fullyTested.includes(basename(file, '.onnx'));
  return { calibration: calibrationSamples, test: full ? Number.POSITIVE_INFINITY : testSamples };
}

/** Our side of one setting: the file and which nodes are quantized, or why not. */
async function ours(modelInput, modelOutput, { parameters }, calibrationDataReader) {
  try {
    const { report } = await quantizeStatic({
      modelInput,
      modelOutput,
      calibrationDataReader,
      quantFormat: parameters.quant_format,
      weightType: parameters.weight_type,
      perChannel: parameters.per_channel,
      effort: 'none', // what the reference does
    });
    const quantized = report.nodesQuantized.length;
    return {
      path: modelOutput,
      nodes: `${quantized} of ${quantized + report.nodesLeftFloat.length}`,
      float: percent(report.weights.floatBytes, report.weights.bytes),
    };
  } catch (error) {
    const place = error.node ? ` (node "${error.node}")` : '';
    return { path: null, error: `${error.code ?? error.name}: ${error.message}${place}` };
  }
}

/** Runs measure.py on a model. Returns a function that finds one of its results. */
async function measure(job, cwd) {
  const { stdout } = spawnSync(await referencePython(), [join(here, 'measure.py')], {
    cwd, // the reference leaves temporary files there
    input: JSON.stringify(job),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 1 << 26,
    timeout: referenceMinutes * 60_000,
    killSignal: 'SIGKILL',
  });
  const results = stdout
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line));
  return (of, setting, prepared) =>
    results.find((r) => r.of === of && r.setting === setting && r.prepared === prepared) ?? {
      error: `no end after ${referenceMinutes} min`,
    };
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

const percent = (part, whole) =>
  part === null || whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`;

/** "21.6 dB, 61.8 %", or in a word why not. */
function cell({ error, sqnr, hits, different }, tests, notes, refusal = 'fails') {
  if (error) {
    const word = error.startsWith('does not load') ? 'does not load' : refusal;
    return `${word} ${notes.mark(error)}`;
  }
  if (different !== null) return different === 0 ? 'unchanged' : `${percent(different, 1)} differ`;
  if (sqnr === null) return 'NaN or infinite';
  const text = sqnr > 200 ? 'unchanged' : `${sqnr.toFixed(1)} dB`;
  return hits === null ? text : `${text}, ${percent(hits, tests)}`;
}

const size = ({ error, bytes }, whole) => (error ? '' : `${Math.round((100 * bytes) / whole)} %`);

/** One model: a row for each setting. */
async function rowsOf(entry, folder, notes) {
  const name = basename(entry.file, '.onnx');
  const path = join(entry.root, entry.file);
  const { size: bytes } = statSync(path);
  const samples = samplesOf(entry.root, entry, limits(entry));
  const summary = await inspectModel(path);
  const floatOutputs = summary.outputs.filter(({ type }) => /^float/.test(type));
  await writeArrays(samples.calibration, summary, join(folder, 'calib'));
  await writeArrays(samples.test, summary, join(folder, 'test'));
  const own = [];
  for (const [index, setting] of settings.entries()) {
    own.push(await ours(path, join(folder, `${index}.onnx`), setting, samples.calibration));
  }
  const result = await measure(
    {
      model: path,
      inputs: summary.inputs.map((input) => input.name),
      outputs:
        entry.outputs_of_interest ??
        (floatOutputs.length > 0 ? floatOutputs : summary.outputs).map((output) => output.name),
      calibration: join(folder, 'calib'),
      test: join(folder, 'test'),
      labels: samples.labels,
      ours: own.map((one) => one.path),
      settings: settings.map(({ parameters }) => ({ ...parameters, activation_type: 'QUInt8' })),
    },
    folder,
  );
  const tests = samples.labels?.length ?? 0;
  const float = samples.labels ? percent(result('float').hits, tests) : '';
  return own.map((one, index) => {
    const measured = one.error ? one : result('ours', index);
    return [
      name,
      float,
      cell(measured, tests, notes, 'refused'),
      one.nodes ?? '',
      one.float ?? '',
      size(measured, bytes),
      ...[false, true].flatMap((prepared) => {
        const theirs = result('reference', index, prepared);
        return [cell(theirs, tests, notes), size(theirs, bytes)];
      }),
    ];
  });
}

function page(tables, costs, notes) {
  return [
    '# Results on real models',
    '',
    `Every model of the development data and of fourteen others ("wild", from yunet_n_320 on), calibrated (MinMax) with up to ${calibrationSamples} samples and measured with others: SQNR of the`,
    'float outputs and, where there are labels, top-1 accuracy. Four classifiers are measured with all their images (ImageNet',
    `400, CIFAR-10 500), the others with up to ${testSamples} samples. Size: of the float model's. "Prepared": after`,
    '`quant_pre_process`, which the reference recommends. Float weights: their share of the bytes of all weights. Every result of ours ran in onnxruntime-web 1.30 before it was written;',
    "the figures, ours and the reference's, are from Python onnxruntime 1.32 on the same tensors, with `session.x64quantprecision`",
    '(otherwise x64 processors without VNNI saturate). Made by `npm run results`; the models and images are not part of the package.',
    ...settings.flatMap(({ title }, index) => [
      '',
      `## ${title}`,
      '',
      '| model | float | ours | quantized nodes | float weights | size | reference | size | reference, prepared | size |',
      `|${' --- |'.repeat(10)}`,
      ...tables[index],
    ]),
    ...(costs.length > 0 ? ['', ...costHead, ...costs] : []),
    '',
    '## Notes',
    '',
    ...notes.texts.map((text, index) => `${index + 1}. ${text}`),
    '',
  ].join('\n');
}

async function main() {
  if (!existsSync(join(data, 'manifest.json'))) {
    console.log(`results: skipped, there is no ${data} (set ONNX_PTQ_DATA)`);
    return;
  }
  const words = process.argv.slice(2);
  const manifest = [data, wild]
    .filter((root) => existsSync(join(root, 'manifest.json')))
    .flatMap((root) =>
      JSON.parse(readFileSync(join(root, 'manifest.json'), 'utf8')).map((one) => ({
        ...one,
        root,
      })),
    )
    .filter(({ file }) => words.length === 0 || words.some((word) => file.includes(word)));
  const costs = [];
  const notes = new Notes();
  const tables = settings.map(() => []);
  for (const entry of manifest) {
    const start = performance.now();
    const folder = mkdtempSync(join(tmpdir(), 'onnx-ptq-results-'));
    try {
      const rows = await rowsOf(entry, folder, notes);
      for (const [index, row] of rows.entries()) tables[index].push(`| ${row.join(' | ')} |`);
      if (entry.root === wild) costs.push(costRow(entry, await referencePython(), folder));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    console.log(tables.map((rows) => rows.at(-1)).join('\n'));
    console.log(`  ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
  const text = page(tables, costs, notes);
  if (words.length > 0) console.log(text);
  else writeFileSync(join(here, '../../docs/results.md'), text);
}

await main();
// onnxruntime's threads would keep the process alive.
process.exit(0);
