// What `npm run example` runs: quantizes the digit classifier in examples/digits with its 100
// calibration images, then compares both models on 300 images that neither training nor
// calibration has seen.

import { readdirSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { imageReader, inspectModel, quantizeStatic } from 'onnx-ptq';
import * as ort from 'onnxruntime-web';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const floatModel = here('digits/model/digits-mobilenetv2.onnx');
const quantModel = here('out/digits-mobilenetv2.quant.onnx');
// (x - 127.5) / 127.5; size and layout come from the model's input
const preprocess = 'minus-one-to-one';

await mkdir(here('out'), { recursive: true });

console.log('Quantizing examples/digits/model/digits-mobilenetv2.onnx ...');
const { report } = await quantizeStatic({
  modelInput: floatModel,
  modelOutput: quantModel,
  calibrationDataReader: imageReader(here('digits/images/calib'), { preprocess }),
  perChannel: true,
  weightType: 'QInt8',
});

const paths = readdirSync(here('digits/images/test'))
  .sort()
  .map((name) => join(here('digits/images/test'), name));
const labels = paths.map((path) => Number(basename(path)[0])); // 7_0108.png is a 7
const feeds = [];
for await (const { image } of imageReader(paths, { preprocess }).open(
  await inspectModel(floatModel),
))
  feeds.push({ image: new ort.Tensor(image.type, image.data, image.dims) });

const before = await scoresOf(floatModel);
const after = await scoresOf(quantModel);
const { bytesBefore, bytesAfter, nodesQuantized, nodesLeftFloat, timings } = report;

console.log(`
                     float     quantized
accuracy       ${percent(accuracy(before))}      ${percent(accuracy(after))}   on ${labels.length} test images
file size      ${kilobytes(bytesBefore)}      ${kilobytes(bytesAfter)}   ${(bytesBefore / bytesAfter).toFixed(1)} times smaller

same answer as the float model on ${percent(agreement(before, after)).trim()} of the test images, SQNR ${sqnr(before, after).toFixed(1)} dB
${nodesQuantized.length} nodes quantized, ${nodesLeftFloat.length} left in float, in ${(timings.total / 1000).toFixed(1)} s`);
for (const { name, opType, reason } of nodesLeftFloat)
  console.log(`  ${opType} ${name}: ${reason}`);

console.log(`
The quantized model is examples/out/${basename(quantModel)}. The same with your own model and images:

  npx onnx-ptq --input_model model.onnx --output_model model.quant.onnx --calibrate_dataset ./images/ --per_channel --weight_type QInt8
`);

/** The ten scores of every test image. */
async function scoresOf(path) {
  const session = await ort.InferenceSession.create(await readFile(path));
  const rows = [];
  for (const feed of feeds) rows.push((await session.run(feed)).scores.data.slice());
  await session.release();
  return rows;
}

function top1(row) {
  return row.indexOf(Math.max(...row));
}

function accuracy(rows) {
  return rows.filter((row, i) => top1(row) === labels[i]).length / rows.length;
}

function agreement(a, b) {
  return a.filter((row, i) => top1(row) === top1(b[i])).length / a.length;
}

/** Signal-to-quantization-noise ratio of all scores: 10 log10(Σ a² / Σ (a - b)²). */
function sqnr(a, b) {
  let signal = 0;
  let noise = 0;
  for (const [i, row] of a.entries()) {
    for (const [k, value] of row.entries()) {
      signal += value ** 2;
      noise += (value - b[i][k]) ** 2;
    }
  }
  return 10 * Math.log10(signal / noise);
}

function percent(fraction) {
  return `${(100 * fraction).toFixed(2)} %`.padStart(9);
}

function kilobytes(bytes) {
  return `${Math.round(bytes / 1000)} kB`.padStart(9);
}
