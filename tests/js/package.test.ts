// The npm package as users get it: packed, installed in an empty folder, run there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isCoverage } from './support/coverage.js';
import { imageFolder, model, temporaryFolder } from './support/pipeline.js';

const run = promisify(execFile);
const npm = (args: string[], cwd = process.cwd()) =>
  run('npm', [...args, '--no-audit', '--no-fund', '--prefer-offline'], { cwd });

test('the packed package, installed in an empty folder, quantizes a model', {
  skip: isCoverage,
}, async () => {
  const folder = temporaryFolder();
  const { stdout } = await npm([
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    folder,
  ]);
  const [{ filename, files, size }] = JSON.parse(stdout);
  const names: string[] = files.map((file: { path: string }) => file.path);
  for (const name of [
    'dist/node/index.js',
    'dist/node/calibration-node.js',
    'dist/index.d.ts',
    'dist/browser.js',
    'dist/node/cli.js',
  ]) {
    assert.ok(names.includes(name), name);
  }
  assert.ok(names.includes('dist/wasm/ptq_core.wasm'), 'the wasm module is inside');
  assert.ok(size < 3_000_000, `${size} bytes`);
  assert.ok(!names.some((name) => /^(src|tests|build|web|node_modules)\//.test(name)));
  const maps = names.filter((name) => name.endsWith('.map'));
  assert.ok(maps.includes('dist/node/library.js.map') && maps.includes('dist/index.d.ts.map'));
  for (const name of maps) {
    for (const source of JSON.parse(fs.readFileSync(name, 'utf8')).sources) {
      const file = path.posix.join(path.posix.dirname(name), source);
      assert.ok(names.includes(file), `${name} refers to ${file}`);
    }
  }

  fs.writeFileSync(path.join(folder, 'package.json'), '{"private": true, "type": "module"}');
  await npm(['install', path.join(folder, filename)], folder);

  const bin = path.join(folder, 'node_modules/.bin/onnx-ptq');
  const argv = ['--input_model', model('classifier.onnx'), '--output_model', 'out.onnx'];
  await run(bin, [...argv, '--calibrate_dataset', imageFolder('rgb.png', 'rgb_444.jpg')], {
    cwd: folder,
  });
  const bytes = fs.readFileSync(path.join(folder, 'out.onnx'));

  const script = `import { imageReader, quantizeStatic } from 'onnx-ptq';
const { model } = await quantizeStatic({
  modelInput: ${JSON.stringify(model('classifier.onnx'))},
  calibrationDataReader: imageReader(${JSON.stringify(imageFolder('rgb.png', 'rgb_444.jpg'))}),
});
process.stdout.write(Buffer.from(model).toString('base64'), () => process.exit(0));`;
  fs.writeFileSync(path.join(folder, 'script.js'), script);
  const api = await run(process.execPath, ['script.js'], { cwd: folder });
  assert.ok(Buffer.from(api.stdout, 'base64').equals(bytes), 'the API gives the same bytes');
  fs.rmSync(folder, { recursive: true });
});

test('nothing that the browser entry imports imports from Node', () => {
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    // The Emscripten module asks for node:… only where it runs in Node.
    if (file.endsWith('.mjs')) return;
    const text = fs.readFileSync(file, 'utf8');
    for (const [, name] of text.matchAll(/(?:from|import\(?)\s*['"]([^'"]+)['"]/g)) {
      const target = name as string;
      assert.doesNotMatch(target, /^(node:|fs$|path$|os$)/, `${file} imports ${target}`);
      if (target.startsWith('.')) visit(path.resolve(path.dirname(file), target));
    }
  };
  visit(path.resolve('dist/browser.js'));
  visit(path.resolve('dist/worker/worker.js'));
  assert.ok(seen.size > 20, `only ${seen.size} modules were found`);
});

test('--help and a calibration worker load nothing that only a job needs', {
  skip: isCoverage,
}, () => {
  const loadedWith = (entry: string) => {
    const seen = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      if (!file.startsWith('dist/node/')) return;
      const text = fs.readFileSync(file, 'utf8');
      for (const [, name] of text.matchAll(/^(?:import|export)\b(?:.* from)? ?"(\.[^"]+)";$/gm))
        visit(path.join(path.dirname(file), name as string));
    };
    visit(entry);
    return [...seen].map((file) => path.basename(file)).sort();
  };
  const help = ['base.js', 'build-info.mjs', 'cli.js', 'command.js'];
  assert.deepEqual(loadedWith('dist/node/cli.js'), help);
  const worker = ['base.js', 'calibration-node.js', 'ptq_core.mjs', 'runner.js'];
  assert.deepEqual(loadedWith('dist/node/calibration-node.js'), worker);
  assert.ok(loadedWith('dist/node/index.js').includes('library.js'));
});
