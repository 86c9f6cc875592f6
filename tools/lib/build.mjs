// The steps of set-up and build, each of which does nothing where nothing has changed.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { emscripten } from './emscripten.mjs';
import { read, root } from './paths.mjs';
import { sources } from './sources.mjs';
import { run, SetupError, step } from './steps.mjs';
import { ensureBuildTools } from './system.mjs';

const at = (...parts) => path.join(root, ...parts);
const bin = (name) => at('node_modules', '.bin', name);

/** All files under `dir` whose names end in one of `endings`, sorted. */
export function filesUnder(dir, ...endings) {
  if (!fs.existsSync(at(dir))) return [];
  return fs
    .readdirSync(at(dir), { recursive: true })
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .map((name) => path.join(dir, name))
    .sort();
}

/** npm packages, exactly as locked. */
export async function packages() {
  const [major] = process.versions.node.split('.');
  if (Number(major) < 20)
    throw new SetupError(`Node 20 or newer is needed, this is ${process.version}.`);
  const wanted = createHash('sha256')
    .update(read(at('package-lock.json')))
    .digest('hex');
  const stamp = at('node_modules', '.onnx-ptq-lock');
  if (read(stamp) === wanted) return;
  await step('npm packages', () =>
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      hint: 'npm could not install the packages. Check that npm reaches its registry (npm ping), then run this again.',
    }),
  );
  fs.writeFileSync(stamp, wanted);
}

/** What building the core needs: tools and third-party sources. */
export async function prerequisites() {
  await ensureBuildTools();
  await packages();
  return sources();
}

/** Configures and builds a CMake preset. */
export async function cmake(preset, title) {
  const cold = fs.existsSync(at('build', preset, 'build.ninja'))
    ? ''
    : ' (first time on a machine: some minutes)';
  await step(`${title}${cold}`, async () => {
    await run('cmake', ['--preset', preset], { nice: true });
    await run('cmake', ['--build', '--preset', preset], { nice: true });
  });
}

export async function buildWasm() {
  const { protobuf, onnx } = await prerequisites();
  await emscripten();
  await cmake('wasm-release', 'WebAssembly module');
  // Their licences ask that the text goes where the code goes.
  fs.mkdirSync(at('dist/licenses'), { recursive: true });
  for (const [name, dir] of Object.entries({ protobuf, onnx })) {
    fs.copyFileSync(path.join(dir, 'LICENSE'), at(`dist/licenses/${name}.txt`));
  }
}

export async function buildJs() {
  await packages();
  await step('JavaScript library', async () => {
    await run(bin('tsc'), ['-p', 'bindings/js']);
    // tsc leaves what it doesn't compile: hand-written declarations, and outputs of sources that are gone.
    for (const file of filesUnder('bindings/js', '.d.ts', '.d.mts')) {
      const target = at('dist', path.relative('bindings/js', file));
      fs.mkdirSync(path.dirname(target), { recursive: true });
      fs.copyFileSync(at(file), target);
    }
    prune('dist', 'bindings/js', ['wasm/ptq_core.mjs']);
    const main = at('dist/cli/main.js');
    if (fs.existsSync(main)) fs.chmodSync(main, 0o755);
  });
}

export async function buildWeb() {
  await packages();
  await step('Web page', async () => {
    await run(bin('tsc'), ['-p', 'web', '--noEmit']);
    await run(bin('vite'), ['build', 'web']);
  });
}

export async function buildTests() {
  await packages();
  await step('Tests in TypeScript', async () => {
    await run(bin('tsc'), ['-p', 'tests']);
    prune('build/tests', 'tests');
  });
}

/** Deletes compiled files under `output` whose source under `source` is gone. */
function prune(output, source, keep = []) {
  for (const file of filesUnder(output, '.js', '.mjs', '.d.ts', '.d.mts')) {
    const stem = path.relative(output, file).replace(/(\.d)?\.m?[jt]s$/, '');
    const known = ['.ts', '.mts', '.d.ts', '.d.mts'].some((ending) =>
      fs.existsSync(at(source, stem + ending)),
    );
    if (!known && !keep.includes(path.relative(output, file))) fs.rmSync(at(file));
  }
}

export const tools = { tsc: bin('tsc'), vite: bin('vite'), biome: bin('biome') };
