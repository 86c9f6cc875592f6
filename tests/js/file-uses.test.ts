// Nothing that is read is overwritten, and no file is written twice, whatever the names are.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { datasetReader, quantizeStatic } from '#dist/index.js';
import { command, imageFolder, model, temporaryFolder } from './support/pipeline.js';

/** A folder with a model and its data, samples, and links to both folder and files. */
function place() {
  const folder = temporaryFolder();
  const at = (name: string) => path.join(folder, name);
  fs.copyFileSync(model('classifier.onnx'), at('float.onnx'));
  const made = spawnSync(
    process.execPath,
    [
      ...['dist/node/cli.js', 'preprocess', '-q', '-i', at('float.onnx'), '-o', at('m.onnx')],
      ...['--save_as_external_data', '--external_data_location', 'weights.bin'],
    ],
    { encoding: 'utf8' },
  );
  assert.equal(made.status, 0, made.stderr);
  fs.cpSync(imageFolder('rgb.png', 'gray.png'), at('images'), { recursive: true });
  fs.copyFileSync(model('classifier_ranges.json'), at('cache.json'));
  fs.writeFileSync(at('config.json'), JSON.stringify({ model_output: at('out.onnx') }));
  fs.symlinkSync('.', at('here'));
  fs.symlinkSync('weights.bin', at('link.onnx'));
  fs.linkSync(at('m.onnx'), at('hard.json'));
  const snapshot = () =>
    Object.fromEntries(
      [folder, at('images')]
        .flatMap((where) => fs.readdirSync(where).map((name) => path.join(where, name)))
        .filter((file) => fs.lstatSync(file).isFile())
        .map((file) => [file, fs.readFileSync(file, 'base64')]),
    );
  return { at, snapshot };
}

const { at, snapshot } = place();
const run = ['-i', at('m.onnx'), '--calibrate_dataset', at('images')];
const cached = ['-i', at('m.onnx'), '--calibration_cache_path', at('cache.json')];
const out = at('out.onnx');

const cases: [string, string[], RegExp][] = [
  ['the weights', [...run, '-o', at('weights.bin')], /model_output .*the data of model_input/],
  ['the weights by a link', [...run, '-o', at('link.onnx')], /model_output .*the data of model/],
  [
    'the weights by a linked folder',
    [
      ...run,
      '-o',
      at('here/weights'),
      '--use_external_data_format',
      '--save_config',
      at('here/weights.bin'),
    ],
    /save_config .*the data of model_input/,
  ],
  [
    'the model by save_config',
    [...run, '-o', out, '--save_config', at('m.onnx')],
    /save_config .*model_input/,
  ],
  [
    'the model by a hard link',
    [...run, '-o', out, '--save_config', at('hard.json')],
    /save_config .*model_input/,
  ],
  [
    'the result by save_config',
    [...run, '-o', out, '--save_config', at('here/out.onnx')],
    /save_config.* both .*|model_output.* both/,
  ],
  [
    'the result by the cache',
    [...run, '-o', out, '--calibration_cache_path', at('here/out.onnx')],
    /calibration_cache_path.*both/,
  ],
  ['the cache', [...cached, '-o', at('cache.json')], /model_output .*calibration_cache_path/],
  ['a sample', [...run, '-o', at('here/images/rgb.png')], /model_output .*calibrate_dataset/],
  [
    'the result by the state',
    [...run, '-o', out, '--calibration_state', out],
    /calibration_state.*both|both.*calibration_state/,
  ],
  [
    'its own configuration',
    ['--config', at('config.json'), ...run, '--save_config', at('here/config.json')],
    /save_config .*which is config/,
  ],
  ['the model by ranges', ['calibrate', ...run, '--ranges', at('m.onnx')], /ranges .*model_input/],
  [
    'the weights by ranges',
    ['calibrate', ...run, '--ranges', at('link.onnx')],
    /ranges .*the data of model_input/,
  ],
  [
    'ranges twice',
    ['calibrate', ...run, '--ranges', at('r'), '--tensorrt_cache', at('here/r')],
    /ranges and tensorrt_cache/,
  ],
  [
    'ranges and tables',
    ['calibrate', ...run, '--ranges', at('t/calibration.json'), '--tables', at('here/t')],
    /ranges and tables/,
  ],
  [
    'the model by a state',
    ['calibrate', ...run, '--ranges', at('r'), '--calibration_state', at('m.onnx')],
    /calibration_state .*model_input/,
  ],
  [
    'a state by the merged ranges',
    ['merge_ranges', '--calibration_state', at('cache.json'), '--ranges', at('here/cache.json')],
    /ranges .*calibration_state/,
  ],
  [
    'the data by its prepared data',
    [
      'preprocess',
      '-i',
      at('m.onnx'),
      '-o',
      out,
      '--save_as_external_data',
      '--external_data_location',
      'weights.bin',
    ],
    /the data file of model_output .*the data of model_input/,
  ],
  [
    'the model by get_qdq_config',
    ['get_qdq_config', '-i', at('m.onnx'), '--save_config', at('m.onnx')],
    /save_config .*model_input/,
  ],
];

for (const [what, argv, pattern] of cases) {
  test(`refused: ${what}`, async () => {
    const before = snapshot();
    const { code, out: printed, err } = await command(argv);
    assert.equal(code, 2, err);
    assert.match(err, pattern);
    assert.equal(printed, '');
    assert.deepEqual(snapshot(), before);
  });
}

test('the library refuses as the command does', async () => {
  const before = snapshot();
  const options = { modelInput: at('m.onnx'), calibrationDataReader: datasetReader(at('images')) };
  for (const modelOutput of [at('link.onnx'), at('images/gray.png')]) {
    await assert.rejects(quantizeStatic({ ...options, modelOutput }), { code: 'INVALID_OPTION' });
  }
  assert.deepEqual(snapshot(), before);
});

test('a model may be replaced by its result, also by another name', async () => {
  for (const name of ['float.onnx', 'here/float.onnx']) {
    const { at: inside } = place();
    const argv = ['-i', inside('float.onnx'), '-o', inside(name), '--calibrate_dataset'];
    const { code, err } = await command([...argv, inside('images')]);
    assert.equal(code, 0, err);
    const { size } = fs.statSync(inside('float.onnx'));
    assert.ok(size < fs.statSync(model('classifier.onnx')).size);
  }
});

test('pipes as configuration, cache, state, samples and model are refused, not waited for', async () => {
  const pipe = path.join(temporaryFolder(), 'pipe');
  spawnSync('mkfifo', [pipe]);
  const target = path.join(temporaryFolder(), 'out.onnx');
  const base = ['-i', model('classifier.onnx'), '-o', target];
  const data = ['--calibrate_dataset', at('images')];
  for (const argv of [
    ['--config', pipe],
    [...base, '--calibration_cache_path', pipe],
    [...base, ...data, '--resume', pipe],
    [...base, '--calibrate_dataset', pipe],
    ['-i', pipe, '-o', target, ...data],
    ['merge_ranges', '--calibration_state', pipe, '--ranges', target],
  ]) {
    const { code, err } = await command(argv);
    assert.equal(code, 1, err);
    assert.match(err, /is not a file|no regular file/);
  }
});

test('system errors are errors of files, not bugs', async () => {
  const folder = temporaryFolder();
  const target = path.join(folder, 'out.onnx');
  const base = ['-i', model('classifier.onnx'), '-o', target];
  const data = ['--calibrate_dataset', at('images')];
  for (const argv of [
    [...base, ...data, '--resume', folder],
    [...base, '--calibration_cache_path', folder],
    ['--config', folder],
    ['merge_ranges', '--calibration_state', folder, '--ranges', target],
    [...base, '--calibrate_dataset', 'a\0b'],
    ['--config', 'a\0b'],
    ['-i', 'a\0b', '-o', target, ...data],
    ['-i', model('classifier.onnx'), '-o', 'a\0b', ...data],
    [...base, ...data, '--save_config', 'a\0b'],
    ['-i', model('classifier.onnx'), '-o', path.join(folder, 'n'.repeat(256)), ...data],
    [...base, '--calibrate_dataset', 'n'.repeat(300)],
    [...base, '--calibrate_dataset', `${model('classifier.onnx')}/x`],
    [...base, '--calibration_cache_path', '/proc/self/mem'],
  ]) {
    const { code, err } = await command(argv);
    assert.ok(code > 0, argv.join(' '));
    assert.doesNotMatch(err, /a bug/, `${argv.join(' ')}: ${err}`);
    assert.ok(err.trimEnd().split('\n').length <= 3, err);
  }
  assert.deepEqual(fs.readdirSync(folder), []);
});

const hasFull = fs.existsSync('/dev/full');

test('a report that cannot be printed leaves nothing', { skip: !hasFull }, () => {
  const folder = temporaryFolder();
  for (const [argv, wants] of [
    [['preprocess', '-i', model('classifier.onnx')], 'out.onnx'],
    [['-i', model('classifier.onnx'), '--calibrate_dataset', at('images')], 'out.onnx'],
  ] as const) {
    for (const more of [['--json'], []]) {
      const full = fs.openSync('/dev/full', 'w');
      const result = spawnSync(
        process.execPath,
        ['dist/node/cli.js', ...argv, '-o', path.join(folder, wants), ...more],
        { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' },
      );
      fs.closeSync(full);
      assert.equal(result.status, 1, result.stderr);
      assert.match(result.stderr, /standard output cannot be written \(the disk is full, ENOSPC\)/);
      assert.deepEqual(fs.readdirSync(folder), []);
    }
  }
});

test('a configuration that cannot be saved leaves no model', async () => {
  const folder = temporaryFolder();
  const target = path.join(folder, 'out.onnx');
  const argv = ['preprocess', '-i', model('classifier.onnx'), '-o', target];
  const own = fs as unknown as { writeSync(...args: unknown[]): number };
  const { writeSync } = own;
  own.writeSync = (fd, ...args) => {
    if (String(fs.readlinkSync(`/proc/self/fd/${fd}`)).includes('.saved.json.')) {
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    }
    return writeSync(fd, ...args);
  };
  try {
    const { code, err } = await command([
      ...argv,
      '--save_config',
      path.join(folder, 'saved.json'),
    ]);
    assert.equal(code, 1, err);
    assert.match(err, /saved\.json cannot be written \(the disk is full, ENOSPC\)/);
  } finally {
    own.writeSync = writeSync;
  }
  assert.deepEqual(fs.readdirSync(folder), []);
});

test('a closed terminal ends the run as Ctrl-C does, and nothing is left', async () => {
  const folder = temporaryFolder();
  const argv = ['-i', model('classifier.onnx'), '-o', path.join(folder, 'o.onnx')];
  // A second signal ends the process at once.
  const program = `
    process.argv.splice(1, 0, 'onnx-ptq');
    setTimeout(() => { process.kill(process.pid, 'SIGHUP'); process.kill(process.pid, 'SIGHUP'); }, 0);
    await import(${JSON.stringify(new URL('../../../dist/node/cli.js', import.meta.url))});`;
  const result = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', program, ...argv, '--calibrate_dataset', at('images')],
    { encoding: 'utf8' },
  );
  assert.equal(result.status, 1, `${result.signal} ${result.stderr}`);
  assert.deepEqual(fs.readdirSync(folder), []);
});
