// npm run results: writes docs/results.md, the accuracy of the real models of ../shared/data, float and quantized, for
// us and for the reference, on the same images. Ours runs in onnxruntime-web, the reference's in Python.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-web';
import { imageReader, inspectModel, quantizeStatic } from '../../dist/index.js';
import { referencePython } from '../bench/python.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const data = process.env.ONNX_PTQ_DATA ?? resolve(here, '../../../shared/data');
const models = ['mobilenetv2-7', 'squeezenet1.0-7', 'resnet20_cifar10', 'efficientnet-lite0'];
const settings = [
  {
    title: 'Defaults: QOperator, QUInt8 activations and weights, per tensor',
    parameters: { quant_format: 'QOperator', weight_type: 'QUInt8', per_channel: false },
    preProcess: false,
  },
  {
    title:
      'QDQ, QUInt8 activations, QInt8 weights, per channel (the reference after `quant_pre_process`)',
    parameters: { quant_format: 'QDQ', weight_type: 'QInt8', per_channel: true },
    preProcess: true,
  },
];

/** Test images with their class indices, and calibration images, of one data set. */
function imagesOf(dataset) {
  const folder = join(data, 'images', dataset);
  const list = (part) =>
    readdirSync(join(folder, part), { recursive: true })
      .map(String)
      .filter((name) => /\.(jpe?g|png)$/i.test(name))
      .sort();
  const classes = [
    'airplane',
    'automobile',
    'bird',
    'cat',
    'deer',
    'dog',
    'frog',
    'horse',
    'ship',
    'truck',
  ];
  const labels = new Map();
  if (dataset === 'imagenet') {
    for (const line of readFileSync(join(folder, 'labels.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)) {
      const [file, index] = line.split(',');
      labels.set(file, Number(index));
    }
  }
  const labelOf = (name) => labels.get(`test/${name}`) ?? classes.indexOf(name.split('/')[0]);
  const test = list('test').map((name) => [join(folder, 'test', name), labelOf(name)]);
  return { test, calibration: list('calib').map((name) => join(folder, 'calib', name)) };
}

async function hits(model, summary, test, preprocess) {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
  let right = 0;
  let i = 0;
  for await (const feeds of imageReader(
    test.map(([path]) => path),
    { preprocess },
  ).open(summary)) {
    const inputs = Object.entries(feeds).map(([name, t]) => [
      name,
      new ort.Tensor(t.type, t.data, t.dims),
    ]);
    const outputs = await session.run(Object.fromEntries(inputs));
    const scores = Array.from(outputs[session.outputNames[0]].data);
    right += scores.indexOf(Math.max(...scores)) === test[i++][1] ? 1 : 0;
  }
  await session.release();
  return right;
}

function reference(job) {
  const python = spawnSync(referencePython(), [join(here, 'reference.py')], {
    input: JSON.stringify(job),
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (python.status !== 0)
    return { float: null, quantized: null, note: python.stderr.trim().split('\n').at(-1) };
  return JSON.parse(python.stdout.trim().split('\n').at(-1));
}

if (!existsSync(join(data, 'manifest.json'))) {
  console.log(`results: skipped, there is no ${data} (set ONNX_PTQ_DATA)`);
  process.exit(0);
}
const manifest = JSON.parse(readFileSync(join(data, 'manifest.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'onnx-ptq-results-'));
const percent = (right, of) => (right === null ? '' : `${((100 * right) / of).toFixed(1)} %`);
const lines = [
  '# Accuracy on real models',
  '',
  'Top-1 on labelled test images (ImageNet: 400; CIFAR-10: 500), calibrated with 100 other images, MinMax.',
  'Made by `npm run results`; the models and images are those of the development data, not part of the package.',
  'Ours is measured in onnxruntime-web 1.30, the reference (Python onnxruntime 1.32) in its own runtime.',
];
try {
  for (const { title, parameters, preProcess } of settings) {
    lines.push('', `## ${title}`, '');
    lines.push(
      '| model | float, ours | float, reference | quantized, ours | quantized, reference | SQNR, ours |',
    );
    lines.push('| --- | --- | --- | --- | --- | --- |');
    for (const model of models) {
      const entry = manifest.find((item) => item.file === `models/${model}.onnx`);
      const path = join(data, entry.file);
      const { preprocess } = entry;
      const { test, calibration } = imagesOf(entry.dataset);
      const output = join(folder, 'quantized.onnx');
      const { report } = await quantizeStatic({
        modelInput: path,
        modelOutput: output,
        calibrationDataReader: imageReader(calibration, { preprocess }),
        quantFormat: parameters.quant_format,
        weightType: parameters.weight_type,
        perChannel: parameters.per_channel,
      });
      const summary = await inspectModel(path);
      const ours = {
        float: await hits(path, summary, test, preprocess),
        quantized: await hits(output, summary, test, preprocess),
      };
      const theirs = reference({
        ...parameters,
        activation_type: 'QUInt8',
        model: path,
        preprocess,
        preProcess,
        test,
        calibration,
      });
      const cells = [
        model,
        percent(ours.float, test.length),
        percent(theirs.float, test.length),
        percent(ours.quantized, test.length),
        theirs.note || percent(theirs.quantized, test.length),
        `${report.quality.sqnr?.toFixed(1)} dB`,
      ];
      lines.push(`| ${cells.join(' | ')} |`);
      console.log(lines.at(-1));
    }
  }
  writeFileSync(join(here, '../../docs/results.md'), `${lines.join('\n')}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
