// The measured sections of docs/preparing.md. npm run bench -- --passes: nodes that our passes
// leave beside onnxruntime's basic and extended levels, and the difference of the float outputs.
// -- --effects: SQNR of the quantized model with and without each pass that changes it.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspectModel, quantizeStatic } from 'onnx-ptq';
import { ModelFiles } from '../../dist/core/host-files.js';
import { CoreSession } from '../../dist/core/session.js';
import { nodePlatform } from '../../dist/platform/node.js';
import { createSession } from '../../dist/runtime/runtime.js';
import { replaceSection, table } from '../../tools/lib/sections.mjs';
import { samplesOf } from '../results/samples.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const page = resolve(here, '../../docs/preparing.md');

/** Where ours has other nodes than the basic level, by model: why. */
const reasons = {
  ppocrv4_det: 'several Mul and Add of constants behind a Conv go into it, not only the first',
  squeezenet_fp16: 'the basic level puts Casts around what its CPU has no float16 kernel for',
  style_mosaic: 'the opset is raised, which spells experimental operators out',
};

/** The prepared model and what was done. */
async function prepare(path) {
  const input = await nodePlatform.openInput(path, {});
  const output = nodePlatform.openOutput(undefined);
  const core = await CoreSession.create(new ModelFiles(input, output));
  try {
    core.open();
    core.configure({ optimize_model: true });
    const report = core.prepare();
    core.writePrepared({
      externalFile: '',
      threshold: 0,
      filePerTensor: false,
      inferredTypes: false,
    });
    return { report, model: output.modelBytes() };
  } finally {
    core.dispose();
    input.close();
    output.discard();
  }
}

async function firstSample(data, entry, path) {
  const { test } = samplesOf(data, entry, { calibration: 1, test: 1 });
  for await (const feeds of test.open(await inspectModel(path))) return feeds;
  throw new Error(`${path}: no sample`);
}

/** The largest difference of a float output, beside its largest value. */
async function difference(before, after, feeds) {
  const runtime = await nodePlatform.loadRuntime({ kind: 'web', threads: 1 });
  const run = async (model) => {
    const session = await createSession(runtime, 'the model', { model, optimization: 'disabled' });
    const outputs = await session.run(feeds, session.outputNames);
    await session.release();
    return outputs;
  };
  const [expected, outputs] = [await run(before), await run(after)];
  let worst = 0;
  for (const [name, { data, type }] of Object.entries(expected)) {
    if (type !== 'float32') continue;
    const largest = data.reduce((max, value) => Math.max(max, Math.abs(value)), 0) || 1;
    for (let i = 0; i < data.length; i++) {
      worst = Math.max(worst, Math.abs(data[i] - outputs[name].data[i]) / largest);
    }
  }
  return worst;
}

async function nodeRow(data, entry, model, counts) {
  const path = join(data, entry.file);
  const name = basename(path, '.onnx');
  const { given, ours, basic, extended, own, error } = counts;
  if (error) return [name, `${given}`, `${ours}`, 'does not load it', '', '', ''];
  const feeds = await firstSample(data, entry, path);
  const off = await difference(readFileSync(path), model, feeds);
  const fused = Object.entries(own).map(([type, count]) => `${count} ${type}`);
  return [
    name,
    `${given}`,
    `${ours} (${signed(ours / basic - 1)})`,
    `${basic}`,
    [`${extended}`, ...(fused.length > 0 ? [fused.join(', ')] : [])].join(': '),
    off === 0 ? '0' : off.toExponential(0),
    reasons[name] ?? '',
  ];
}

const signed = (share) => `${share > 0 ? '+' : ''}${(100 * share).toFixed(0)} %`;

const settings = { quantFormat: 'QDQ', weightType: 'QInt8', perChannel: true, effort: 'none' };

async function sqnr(data, entry, disabledPasses, samples) {
  const { calibration } = samplesOf(data, entry, { calibration: samples, test: 1 });
  const { report } = await quantizeStatic({
    ...settings,
    modelInput: join(data, entry.file),
    calibrationDataReader: calibration,
    ...(disabledPasses.length > 0 && { disabledPasses }),
  });
  return report.quality?.sqnr ?? null;
}

const decibels = (value) => (value === null ? 'not measured' : `${value.toFixed(1)} dB`);

/** A row for each pass that changes the model and the SQNR by half a decibel. */
async function passRows(data, entry, samples) {
  const { report } = await prepare(join(data, entry.file));
  let all;
  try {
    all = await sqnr(data, entry, [], samples);
  } catch (error) {
    console.log(`${basename(entry.file, '.onnx')}: ${error.code ?? error.message}`);
    return [];
  }
  const rows = [];
  for (const { name } of [...report.passes, { name: 'fuse_patterns' }]) {
    if (rows.some(([, pass]) => pass === `\`${name}\``)) continue;
    let without;
    try {
      without = decibels(await sqnr(data, entry, [name], samples));
    } catch (error) {
      without = error.code ?? error.message;
    }
    if (without === decibels(all) || Math.abs(Number.parseFloat(without) - all) < 0.5) continue;
    rows.push([basename(entry.file, '.onnx'), `\`${name}\``, decibels(all), without]);
  }
  return rows;
}

const entriesOf = (data, models) =>
  JSON.parse(readFileSync(join(data, 'manifest.json'), 'utf8')).filter(
    ({ file }) => models.length === 0 || models.includes(basename(file, '.onnx')),
  );

const writeSection = (name, head, rows) =>
  writeFileSync(page, replaceSection(readFileSync(page, 'utf8'), name, table(head, rows)));

/** Writes the table of nodes, or prints its rows where some models are named. */
export async function benchPasses({ python, data, folder, models }) {
  const rows = [];
  for (const entry of entriesOf(data, models)) {
    const { model } = await prepare(join(data, entry.file));
    const ours = join(folder, 'ours.onnx');
    writeFileSync(ours, model);
    const args = [join(here, 'passes.py'), join(data, entry.file), ours];
    const counts = JSON.parse(execFileSync(python, args, { encoding: 'utf8' }));
    rows.push(await nodeRow(data, entry, model, counts));
    console.log(rows.at(-1).join(' | '));
  }
  const head = ['model', 'as given', 'ours', 'basic', 'extended: its own', 'difference', 'why'];
  if (models.length === 0) writeSection('nodes', head, rows);
}

/** Writes the table of what passes are good for, or prints its rows. */
export async function benchEffects({ data, models, samples }) {
  const rows = [];
  for (const entry of entriesOf(data, models)) {
    for (const row of await passRows(data, entry, entry.slow ? 2 : samples)) {
      rows.push(row);
      console.log(row.join(' | '));
    }
  }
  if (models.length === 0)
    writeSection('effects', ['model', 'pass', 'with all', 'without it'], rows);
}
