// npm run accuracy: writes docs/accuracy.md, what each effort makes of the models of ../shared/data
// on samples that it has not seen: neither calibrated with nor decided on. Words on the command
// line pick models and print their tables; ACCURACY_TEST_SAMPLES is the number of test samples,
// ACCURACY_EFFORTS (none,normal) and ACCURACY_SETTING (QDQ) choose among the rows.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspectModel, quantizeStatic } from 'onnx-ptq';
import * as ort from 'onnxruntime-node';
import { fromFloat16 } from '../../dist/base/float16.js';
import { samplesOf } from './samples.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const data = process.env.ONNX_PTQ_DATA ?? resolve(here, '../../../shared/data');
const settings = [
  { name: 'QOperator U8U8 per tensor', parameters: {} },
  {
    name: 'QDQ U8S8 per channel',
    parameters: { quantFormat: 'QDQ', weightType: 'QInt8', perChannel: true },
  },
];
const efforts = process.env.ACCURACY_EFFORTS?.split(',') ?? ['none', 'fast', 'normal', 'max'];
const samples = { calibration: 32, test: Number(process.env.ACCURACY_TEST_SAMPLES ?? 200) };
const isChosen = ({ name }) => name.startsWith(process.env.ACCURACY_SETTING ?? '');
/** Models that the manifest calls slow: this many test samples. */
const slowTest = 16;

async function measure(path, entry) {
  const most = entry.slow ? { ...samples, test: slowTest } : samples;
  const { calibration, test, labels } = samplesOf(data, entry, most);
  const summary = await inspectModel(path);
  const floats = await outputsOf(path, summary, test);
  const rows = [row('float', '', { ...compare(floats, floats, labels), size: null })];
  for (const { name, parameters } of settings.filter(isChosen)) {
    for (const effort of efforts) {
      const start = process.cpuUsage();
      try {
        const { model, report } = await quantizeStatic({
          modelInput: path,
          calibrationDataReader: calibration,
          effort,
          runtime: 'node',
          ...parameters,
        });
        const { user, system } = process.cpuUsage(start);
        const results = await outputsOf(model, summary, test);
        rows.push(
          row(name, effort, {
            ...compare(floats, results, labels),
            size: model.length / report.bytesBefore,
            latency: results.latency / floats.latency,
            seconds: (user + system) / 1e6,
            left: layersLeftFloat(report),
            effort: report.effort,
          }),
        );
      } catch (error) {
        rows.push(row(name, effort, { error: error.code ?? error.message }));
      }
    }
  }
  return rows;
}

async function outputsOf(model, summary, reader) {
  const session = await ort.InferenceSession.create(model, {
    logSeverityLevel: 4,
    extra: { session: { x64quantprecision: '1' } },
  });
  const outputs = [];
  const times = [];
  for await (const feeds of reader.open(summary)) {
    const inputs = Object.fromEntries(
      Object.entries(feeds).map(([name, { type, data, dims }]) => [
        name,
        new ort.Tensor(type, data, dims),
      ]),
    );
    const start = performance.now();
    const results = await session.run(inputs);
    times.push(performance.now() - start);
    outputs.push(summary.outputs.map(({ name }) => results[name]));
  }
  await session.release();
  return { outputs, latency: times.sort((a, b) => a - b)[Math.floor(times.length / 2)] };
}

/** Over all samples: SQNR of the worst float output, agreement of the top class, top-1. */
function compare(floats, results, labels) {
  const count = floats.outputs[0].length;
  let sqnr = Number.POSITIVE_INFINITY;
  for (let o = 0; o < count; o++) {
    let [signal, noise] = [0, 0];
    for (const [i, outputs] of floats.outputs.entries()) {
      const [x, y] = [valuesOf(outputs[o]), valuesOf(results.outputs[i][o])];
      if (!x || !y || x.length !== y.length) continue;
      for (let k = 0; k < x.length; k++) {
        signal += x[k] ** 2;
        noise += (x[k] - y[k]) ** 2;
      }
    }
    if (signal > 0) sqnr = Math.min(sqnr, 10 * Math.log10(signal / noise));
  }
  const result = { sqnr };
  if (!labels) return result;
  const top = ({ outputs }) => outputs.map(([scores]) => argmax(valuesOf(scores)));
  const [float, quantized] = [top(floats), top(results)];
  const share = (matches) => (100 * matches.filter(Boolean).length) / labels.length;
  result.agreement = share(float.map((best, i) => best === quantized[i]));
  result.top1 = share(labels.map((label, i) => label === quantized[i]));
  return result;
}

/** Of a float output; null for other types. */
function valuesOf({ type, data }) {
  if (type === 'float32') return data;
  if (type !== 'float16') return null;
  return data instanceof Uint16Array ? Float32Array.from(data, fromFloat16) : data;
}

function argmax(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

const layers = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul'];
function layersLeftFloat({ nodesQuantized, nodesLeftFloat }) {
  const isLayer = ({ opType }) => layers.includes(opType);
  const left = nodesLeftFloat.filter(isLayer).length;
  return `${left} of ${left + nodesQuantized.filter(isLayer).length}`;
}

const number = (value, digits = 1) =>
  value === undefined || value === null || !Number.isFinite(value) ? '' : value.toFixed(digits);

const valueText = (value) => (typeof value === 'object' ? Object.keys(value).length : value);

function repairsText({ repairs }) {
  const done = Object.keys(repairs)
    .filter((name) =>
      typeof repairs[name] === 'object' ? valueText(repairs[name]) : repairs[name],
    )
    .map((name) => (repairs[name] === true ? name : `${name} ${valueText(repairs[name])}`));
  return done.length > 0 ? done.join(', ') : 'none helped';
}

function row(setting, effort, result) {
  const cells = result.error
    ? [result.error, '', '', '', '', '', '', '']
    : [
        number(result.sqnr),
        number(result.agreement),
        number(result.top1),
        number(result.size, 2),
        number(result.latency, 2),
        result.left ?? '',
        number(result.seconds),
        result.effort ? repairsText(result.effort) : '',
      ];
  return `| ${[setting, effort, ...cells].join(' | ')} |`;
}

const head = [
  '| setting | effort | SQNR, dB | agreement, % | top-1, % | size | latency | layers left float | CPU s | repairs |',
  `| ${Array(10).fill('---').join(' | ')} |`,
];

const words = process.argv.slice(2);
const manifest = JSON.parse(readFileSync(join(data, 'manifest.json'), 'utf8'));
const page = [
  '# Accuracy',
  '',
  'Made by `npm run accuracy` from `../shared/data`. Each model is calibrated with 32 samples, of which',
  'an effort holds out 8 to decide on, and measured on other ones: 200, or as many as there are. SQNR is that of',
  'the worst output over all test samples; agreement and top-1 are over the labelled images. Size and latency are',
  "shares of the float model's; latency is a median on a machine that did other work, and CPU seconds are those of",
  'the whole run of `quantizeStatic`, in onnxruntime-node. One image of 200 is 0.5 points, within the error of sampling.',
  '',
];
for (const entry of manifest) {
  const path = join(data, entry.file);
  const name = basename(entry.file, '.onnx');
  const picked = words.length === 0 || words.some((word) => name.includes(word));
  if (!picked || !existsSync(path)) continue;
  process.stderr.write(`${name}\n`);
  let rows;
  try {
    rows = await measure(path, entry);
  } catch (error) {
    const why = `Not measured: ${error.message.split('\n')[0]}`;
    page.push(`## ${name}`, '', why, '');
    if (words.length > 0) console.log(why);
    continue;
  }
  page.push(`## ${name}`, '', ...head, ...rows, '');
  if (words.length > 0) console.log([...head, ...rows].join('\n'));
}
if (words.length === 0) {
  writeFileSync(resolve(here, '../../docs/accuracy.md'), `${page.join('\n').trimEnd()}\n`);
}
