// The command: exit codes, what is printed where, and files that appear only when complete.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { version } from '#dist/index.js';
import { command, imageFolder, model, temporaryFolder } from './support/pipeline.js';

const images = () => imageFolder('rgb.png', 'rgb_444.jpg', 'gray.png');
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

function args(modelInput: string, more: string[] = [], dataset = images()) {
  const target = path.join(temporaryFolder(), 'out.onnx');
  const argv = ['--input_model', modelInput, '--output_model', target];
  return { target, argv: [...argv, '--calibrate_dataset', dataset, ...more] };
}

/** A refusal: its exit code, at most three lines on stderr, nothing on stdout, and no file. */
async function refused(argv: string[], code: number, pattern: RegExp, target?: string) {
  const result = await command(argv);
  assert.equal(result.code, code, result.err);
  assert.match(result.err, pattern);
  assert.ok(result.err.startsWith('error: '), result.err);
  assert.ok(lines(result.err).length <= 3, result.err);
  assert.doesNotMatch(result.err, /\n\s+at /);
  assert.equal(result.out, '');
  if (target && fs.existsSync(path.dirname(target))) {
    assert.deepEqual(fs.readdirSync(path.dirname(target)), []);
  }
}

test('three flags quantize an image model; the guessed preprocessing is stated', async () => {
  const { argv, target } = args(model('classifier.onnx'));
  const { code, out, err } = await command(argv);
  assert.equal(code, 0, err);
  assert.deepEqual(fs.readdirSync(path.dirname(target)), ['out.onnx']);
  assert.match(err, /3 images.*guessed for input "image".*change with --preprocess/);
  assert.match(err, /calibrated: 3 samples/);
  assert.match(out, /nodes +\d+ quantized/);
  assert.match(out, /quality .*SQNR \d/);
});

test('--json prints the report, --quiet prints nothing', async () => {
  const json = await command([...args(model('classifier.onnx')).argv, '--json']);
  const report = JSON.parse(json.out);
  assert.equal(report.options.quant_format, 'QOperator');
  assert.equal(report.calibration.samples, 3);
  assert.ok(report.nodesQuantized.length > 0 && report.timings.total > 0);
  const said = ['--preprocess', 'minus-one-to-one'];
  const quiet = await command([...args(model('classifier.onnx')).argv, ...said, '--quiet']);
  assert.deepEqual(quiet, { code: 0, out: '', err: '' });
});

test('a configuration does what the flags do, and a saved one repeats the run', async () => {
  const { argv, target } = args(model('classifier.onnx'), [
    '--quant_format',
    'QDQ',
    '--per-channel',
    '--weight_type',
    'QInt8',
    '--nodes_to_exclude',
    'gemm',
    '--extra_options',
    'ActivationSymmetric=true',
  ]);
  const saved = path.join(temporaryFolder(), 'saved.json');
  assert.equal((await command([...argv, '--save_config', saved])).code, 0);
  const bytes = fs.readFileSync(target);
  const config = JSON.parse(fs.readFileSync(saved, 'utf8'));
  assert.equal(config.quant_format, 'QDQ');
  assert.deepEqual(config.extra_options, { ActivationSymmetric: true });
  fs.rmSync(target);
  assert.equal((await command(['--config', saved])).code, 0);
  assert.ok(fs.readFileSync(target).equals(bytes));
});

test('bad usage ends with 2 and names what is near', async () => {
  const { argv, target } = args(model('classifier.onnx'));
  await refused([...argv, '--per_chanel'], 2, /--per_channel/, target);
  await refused([...argv, '--quant_format', 'QDX'], 2, /QOperator, QDQ/, target);
  await refused([...argv, '--nodes_to_exclude', 'conv9'], 2, /conv9.*\n.*conv1/, target);
  await refused([...argv, '--op_types_to_quantize', 'Konv'], 2, /Konv.*\n.*Conv/, target);
  await refused([...argv, '--calibrate_method', 'Entropi'], 2, /Entropy/, target);
  await refused([...argv, '--extra_options', 'DedicatedQDQPair=true'], 2, /QOperator/, target);
  await refused([...argv, '--activation_type', 'QInt8'], 2, /QUInt8/, target);
  await refused(['quantize_dynamic'], 2, /not available yet/);
  await refused(['--output_model', 'x.onnx'], 2, /model_input is missing/);
  await refused(argv.slice(0, 4), 2, /nothing to calibrate with/, target);
  await refused(['--config', 'no-such.json'], 2, /no-such\.json/);
});

test('broken model files end with 1 and a clear error', async () => {
  const folder = temporaryFolder();
  const write = (name: string, content: string | Uint8Array) => {
    fs.writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  };
  const whole = fs.readFileSync(model('classifier.onnx'));
  const cases: [string, RegExp][] = [
    [write('truncated.onnx', whole.subarray(0, 2000)), /end|truncat/i],
    [write('text.onnx', 'this is not a model, it is a text file\n'), /not an? ONNX|ONNX model/i],
    [write('picture.onnx', fs.readFileSync('tests/fixtures/image/rgb.png')), /PNG|ONNX/],
    [write('empty.onnx', ''), /empty/i],
    [path.join(folder, 'missing.onnx'), /missing\.onnx/],
  ];
  for (const [file, pattern] of cases) {
    const { argv, target } = args(file);
    await refused(argv, 1, pattern, target);
  }
});

test('wrong samples end with 1 and say what was looked for', async () => {
  const empty = path.join(temporaryFolder(), 'empty');
  fs.mkdirSync(empty);
  const text = imageFolder();
  fs.writeFileSync(path.join(text, 'photo.png'), 'not a picture');
  const cases: [string, RegExp][] = [
    [empty, /no samples|no images/],
    [text, /photo\.png/],
    [imageFolder('truncated.jpg'), /truncated\.jpg/],
    [path.join(empty, 'missing'), /missing/],
  ];
  for (const [dataset, pattern] of cases) {
    const { argv, target } = args(model('classifier.onnx'), [], dataset);
    await refused(argv, 1, pattern, target);
  }
  const { argv, target } = args(model('two_inputs.onnx'));
  await refused(argv, 1, /2/, target);
});

test('an output folder that does not exist ends with 1 before any work', async () => {
  const { argv } = args(model('classifier.onnx'));
  argv[3] = path.join(temporaryFolder(), 'no/such/out.onnx');
  await refused(argv, 1, /folder .* does not exist/);
});

test('an operator that onnxruntime lacks is named', async () => {
  const { argv, target } = args(model('custom_op.onnx'));
  await refused(argv, 1, /org\.example/, target);
});

test('a model without anything to quantize is written, with a warning and exit code 0', async () => {
  const cache = path.join(temporaryFolder(), 'cache.json');
  fs.writeFileSync(
    cache,
    '{"CLS": "TensorsData", "data": {}, "calibration_method": {"CLS": "CalibrationMethod", "value": "CalibrationMethod.MinMax"}, "smooth_quant": false}',
  );
  const target = path.join(temporaryFolder(), 'out.onnx');
  const { code, err } = await command([
    ...['--input_model', model('if_only.onnx'), '--output_model', target],
    ...['--calibration_cache_path', cache],
  ]);
  assert.equal(code, 0, err);
  assert.match(err, /^warning: .*quantized/m);
  assert.ok(fs.existsSync(target));
});

test('a cache made with SmoothQuant is a warning on stderr', async () => {
  const cache = path.join(temporaryFolder(), 'cache.json');
  const text = fs.readFileSync(model('classifier_ranges.json'), 'utf8');
  fs.writeFileSync(cache, text.replace('"smooth_quant": false', '"smooth_quant": true'));
  const { argv } = args(model('classifier.onnx'), ['--calibration_cache_path', cache]);
  const { code, err } = await command(argv);
  assert.equal(code, 0, err);
  assert.match(err, /^warning: .*SmoothQuant/m);
});

test('preprocess writes the prepared model; its own options only', async () => {
  const target = path.join(temporaryFolder(), 'out.onnx');
  const argv = ['preprocess', '--input', model('ir3.onnx'), '--output', target];
  const { code, out, err } = await command(argv);
  assert.equal(code, 0, err);
  assert.match(out, /opset 1\d/);
  assert.deepEqual(fs.readdirSync(path.dirname(target)), ['out.onnx']);
  await refused([...argv, '--per_channel'], 2, /unknown option/);
});

test('--help ends with 0', async () => {
  assert.match((await command(['--help'])).out, /--calibrate_dataset/);
  assert.match((await command(['preprocess', '--help'])).out, /--skip_optimization/);
});

test('--version says the version of the package and what version() says of the build', async () => {
  const { version: number } = JSON.parse(fs.readFileSync('package.json', 'utf8'));
  const said = version();
  assert.equal(said.version, number);
  assert.match(said.commit ?? '0000000', /^[0-9a-f]{10,}(-dirty)?$/);
  assert.match(said.compiler, /^Emscripten \d+\.\d+\.\d+$/);
  assert.match(said.flags, /-msimd128/);
  const [first, second] = (await command(['--version'])).out.split('\n');
  assert.equal(first, number);
  assert.ok(second!.endsWith(`${said.compiler} ${said.flags}`), second);
});

test('an aborted command ends with 1 and leaves no file', async () => {
  const { argv, target } = args(model('classifier.onnx'));
  const { code, err } = await command(argv, AbortSignal.abort());
  assert.equal(code, 1);
  assert.match(err, /cancelled/);
  assert.deepEqual(fs.readdirSync(path.dirname(target)), []);
});

test('Ctrl-C in the middle of calibration ends the process with 1 and keeps what was calibrated only', async () => {
  // Many images, so that the signal arrives while they are read.
  const dataset = images();
  for (let i = 0; i < 3000; i++) {
    fs.linkSync(path.join(dataset, 'rgb.png'), path.join(dataset, `copy${i}.png`));
  }
  const { argv, target } = args(model('classifier.onnx'), [], dataset);
  // As on a terminal, where every sample is seen to be done.
  const terminal = ['--import', 'data:text/javascript,process.stderr.isTTY=true'];
  const child = spawn(process.execPath, [...terminal, 'dist/node/cli.js', ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const calibrating = new Promise<void>((resolve) => {
    child.stderr.on('data', (piece: Buffer) => {
      err += piece;
      if (/calibrating .* [1-9]\d*\/\d+/.test(err)) resolve();
    });
  });
  await Promise.race([calibrating, ended]);
  child.kill('SIGINT');
  assert.equal(await ended, 1, err);
  assert.match(err, /cancelled; what was calibrated is in .*--resume goes on from there/);
  assert.deepEqual(fs.readdirSync(path.dirname(target)), ['out.onnx.calibration_state']);
});
