// node tests/results/preprocessing.mjs: writes the table of docs/preprocessing.md, whether the
// preprocessing that is found is that which the manifests say. They are read for this alone:
// nothing in the library knows a name or a file. Words on the command line pick models and only
// print.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { datasetReader, findPreprocess, preprocessPresets } from 'onnx-ptq';

const here = fileURLToPath(new URL('.', import.meta.url));
const data = process.env.ONNX_PTQ_DATA ?? resolve(here, '../../../shared/data');
const wild = resolve(data, '../wild');
const page = join(here, '../../docs/preprocessing.md');
const runtime = process.env.ONNX_PTQ_RUNTIME ?? 'web';

/** What the manifest leaves out, as the ranges of the tensors that come with the models show. */
const fromTensors = {
  bodypix_x050_s16: { order: 'RGB', preset: 'minus-one-to-one', images: 'coco' },
  selfie_landscape: { order: 'RGB', preset: 'zero-to-one', images: 'coco' },
};

function truthOf({ file, preprocess, images, dataset }) {
  const shown = fromTensors[basename(file, '.onnx')];
  if (shown) return { ...preprocessPresets[shown.preset].spec, ...shown };
  if (!preprocess) return null;
  return { ...preprocess, images: images ?? (dataset.startsWith('npz') ? 'coco' : dataset) };
}

function imagesIn(set) {
  const folder = [data, wild].map((from) => join(from, 'images', set)).find(existsSync);
  return existsSync(join(folder, 'calib')) ? join(folder, 'calib') : folder;
}

/** 127.5 and 127 are the same in 8 bits. */
const near = (a, b) => a.every((value, i) => Math.abs(value - b[i]) <= 0.5 + Math.abs(b[i]) * 0.01);

/** Whether it is the same normalization, with the channels in whatever order. */
function normalizesAs({ order, mean, std }, truth) {
  const turned = (list) => (order === truth.order ? list : list.toReversed());
  return near(turned(mean), truth.mean) && near(turned(std), truth.std);
}

function shown({ order, mean, std }) {
  const [preset] = Object.entries(preprocessPresets).find(([, { spec }]) => {
    const is = { mean: spec.mean ?? [], std: spec.std ?? [], order: spec.order ?? order };
    return is.mean.length === 3 && normalizesAs(is, { order, mean, std });
  }) ?? [`(x − ${mean[0]}) / ${std[0]}`];
  return `${preset} ${order}`;
}

async function measure(folder, entry, truth) {
  const start = performance.now();
  const finding = await findPreprocess({
    modelInput: join(folder, entry.file),
    calibrationDataReader: datasetReader(imagesIn(truth.images)),
    runtime,
  });
  const { chosen, decided, reasons } = finding;
  const isRight = normalizesAs(chosen, truth);
  const figure = (value) => Number(value.toPrecision(2));
  const why = reasons.map(({ by, value, other }) =>
    by === 'graph' ? by : `${by} ${figure(value)}${other ? ` (${figure(other.value)})` : ''}`,
  );
  const order = chosen.order === truth.order ? 'right' : 'wrong';
  const cells = [
    basename(entry.file, '.onnx'),
    shown(truth),
    shown(chosen),
    `${isRight ? 'right' : '**wrong**'}${decided.normalization ? '' : ', open'}`,
    chosen.order === 'Y' ? '' : `${order}${decided.order ? '' : ', open'}`,
    why.join(', ') || 'nothing',
    ((performance.now() - start) / 1000).toFixed(1),
  ];
  return { isRight, cells };
}

const words = process.argv.slice(2);
const lines = [
  '| model | wanted | found | normalization | order | by: its figure (that of the next) | s |',
  '| --- | --- | --- | --- | --- | --- | --- |',
];
const totals = [];
for (const [title, folder] of Object.entries({ '../shared/data': data, '../shared/wild': wild })) {
  let right = 0;
  let all = 0;
  for (const entry of JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))) {
    const truth = truthOf(entry);
    if (!truth || (words.length > 0 && !words.some((word) => entry.file.includes(word)))) continue;
    const { isRight, cells } = await measure(folder, entry, truth);
    lines.push(`| ${cells.join(' | ')} |`);
    console.log(lines.at(-1));
    right += isRight ? 1 : 0;
    all++;
  }
  totals.push(`${right} of ${all} of ${title}`);
  console.log(totals.at(-1));
}
if (words.length === 0) {
  const text = readFileSync(page, 'utf8');
  const start = text.indexOf('\n', text.indexOf('<!-- found: ')) + 1;
  const table = `${totals.join(', ')} (onnxruntime-${runtime}, ${new Date().toISOString().slice(0, 10)}).\n\n${lines.join('\n')}\n`;
  writeFileSync(page, text.slice(0, start) + table + text.slice(text.indexOf('<!-- /found -->')));
}
