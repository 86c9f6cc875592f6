// The steps of set-up and build, each of which does nothing where nothing has changed.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { differences } from '../lint/wasm-types.mjs';
import { buildInfo } from './build-info.mjs';
import { bundle } from './bundle.mjs';
import { emscripten } from './emscripten.mjs';
import { read, root } from './paths.mjs';
import { sources } from './sources.mjs';
import { run, SetupError, shared, step, together } from './steps.mjs';
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
export const packages = shared(async () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    throw new SetupError(`Node 20.19 or newer is needed here, this is ${process.version}.`);
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
});

/** What building the native core and reading its sources needs. */
export async function prerequisites() {
  await ensureBuildTools();
  await together(packages, sources);
}

/**
 * clang takes 6 % less time where glibc gives it memory in large pieces and pages. Ninja would run
 * two jobs more than there are cores, of each build, while two may be beside each other.
 */
const surroundings = {
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864',
  CMAKE_BUILD_PARALLEL_LEVEL: String(os.availableParallelism()),
};

/** Configures a CMake preset, in `env`, and builds one (of the same name, unless given). */
export async function cmake(preset, title, build = preset, env = {}) {
  const cold = fs.existsSync(at('build', preset, 'build.ninja'))
    ? ''
    : ' (first time on a machine: some minutes)';
  await step(`${title}${cold}`, async () => {
    // The first builds the third-party libraries.
    await run('cmake', ['--preset', preset], { nice: true, env: { ...surroundings, ...env } });
    await run('cmake', ['--build', '--preset', build], { nice: true, env: surroundings });
  });
}

/**
 * The core's builds: presets, and the folder of build/ with the module. Only `release` is shipped.
 */
const cores = {
  release: { configure: 'wasm-release', build: 'wasm-release', output: 'wasm-release/wasm' },
  dev: { configure: 'wasm-dev', build: 'wasm-dev', output: 'wasm-dev/wasm-dev' },
  debug: { configure: 'wasm-debug', build: 'wasm-debug', output: 'wasm-debug/wasm' },
};

/** What Embind exposes, as emcc writes it. */
const emitted = 'build/wasm-release/wasm-types/ptq_core.d.ts';

/**
 * Builds the core and puts it into dist: every task does, so that another build than `release` is
 * there only until the next task that did not ask for it (`npm pack` builds, too).
 */
export async function buildWasm(kind = 'release') {
  const { configure, build, output } = cores[kind];
  await ensureBuildTools();
  const [{ protobuf, onnx }] = await together(sources, emscripten);
  await cmake(configure, `WebAssembly module${kind === 'release' ? '' : ` (${kind})`}`, build);
  const [types] = filesUnder('bindings/js', 'ptq_core.d.mts');
  if (kind === 'release') {
    const differing = differences(read(at(emitted)), read(at(types)));
    if (differing.length)
      throw new SetupError(
        [`${types} is not what bindings/wasm exposes:`, ...differing].join('\n  '),
      );
  }
  const folder = path.join('dist', path.relative('bindings/js', path.dirname(types)));
  for (const name of ['ptq_core.mjs', 'ptq_core.wasm'])
    copyChanged(path.join('build', output, name), path.join(folder, name));
  writeChanged(path.join(folder, 'build-info.mjs'), Buffer.from(await buildInfo(configure)));
  // Their licences ask that the text goes where the code goes.
  fs.mkdirSync(at('dist/licenses'), { recursive: true });
  for (const [name, dir] of Object.entries({ protobuf, onnx })) {
    fs.copyFileSync(path.join(dir, 'LICENSE'), at(`dist/licenses/${name}.txt`));
  }
}

/** Core and library beside each other: neither needs the other, and npm's packages only this. */
export const buildLibrary = (kind) => together(() => buildWasm(kind), buildJs);

export async function buildJs() {
  await packages();
  await step('JavaScript library', () =>
    together(() => compile('bindings/js', 'library', 'dist'), finishJs),
  );
}

/** What is left to do beside tsc, or where it has compiled the library: it needs nothing of it. */
export async function finishJs() {
  copyDeclarations();
  prune('dist', 'bindings/js', /^node[\\/]|^wasm[\\/]ptq_core\.mjs$/);
  await writeBundles();
}

/** Bundles for Node, unless they are there and what they are made of has not changed. */
async function writeBundles() {
  const state = () => {
    const made = [...filesUnder('bindings/js', '.ts'), 'package-lock.json', 'tools/lib/bundle.mjs'];
    const hash = createHash('sha256');
    for (const file of [...made, ...filesUnder('dist/node', '')])
      hash.update(`${file}\0`).update(fs.readFileSync(at(file)));
    return hash.digest('hex');
  };
  const stamp = 'build/tsc/bundles.sha256';
  if (read(at(stamp)) === state()) return;
  const bundles = await bundle();
  for (const [file, bytes] of bundles) writeChanged(file, bytes);
  for (const file of filesUnder('dist/node', '')) if (!bundles.has(file)) fs.rmSync(at(file));
  fs.chmodSync(at('dist/node/cli.js'), 0o755);
  writeChanged(stamp, Buffer.from(state()));
}

/** What tsc doesn't copy: hand-written declarations. Before tests are checked against them. */
function copyDeclarations() {
  for (const file of filesUnder('bindings/js', '.d.ts', '.d.mts'))
    copyChanged(file, path.join('dist', path.relative('bindings/js', file)));
}

export async function buildWeb() {
  await packages();
  await step('Web page', async () => {
    await run(bin('tsc'), ['-b', 'web']);
    await run(bin('vite'), ['build', 'web']);
  });
}

export async function buildTests() {
  await packages();
  await step('Tests in TypeScript', async () => {
    await compile('tests', 'tests', 'build/tests');
    finishTests();
  });
}

export function finishTests() {
  prune('build/tests', 'tests');
}

/** Compiles what has changed; all of it where an output is missing, which tsc does not look for. */
async function compile(project, name, output) {
  const complete = filesUnder(project, '.ts', '.mts')
    .filter((file) => !/\.d\.m?ts$/.test(file))
    .map((file) => path.join(output, path.relative(project, file)).replace(/ts$/, 'js'))
    .every((file) => fs.existsSync(at(file)));
  if (!complete) fs.rmSync(at(`build/tsc/${name}.tsbuildinfo`), { force: true });
  await run(bin('tsc'), ['-b', project]);
}

/** Copies a file unless its copy is the same: what watches the copy sees changes only. */
const copyChanged = (from, to) => writeChanged(to, fs.readFileSync(at(from)));

function writeChanged(to, bytes) {
  if (fs.existsSync(at(to)) && bytes.equals(fs.readFileSync(at(to)))) return;
  fs.mkdirSync(path.dirname(at(to)), { recursive: true });
  fs.writeFileSync(at(to), bytes);
}

/** Deletes compiled files under `output` whose source under `source` is gone, but for `others`. */
function prune(output, source, others = /^$/) {
  for (const file of filesUnder(output, '.js', '.mjs', '.d.ts', '.d.mts', '.map')) {
    const name = path.relative(output, file);
    const stem = name.replace(/(\.d)?\.m?[jt]s(\.map)?$/, '');
    const known = ['.ts', '.mts', '.d.ts', '.d.mts'].some((ending) =>
      fs.existsSync(at(source, stem + ending)),
    );
    if (!known && !others.test(name)) fs.rmSync(at(file));
  }
}

export const tools = { tsc: bin('tsc'), vite: bin('vite'), biome: bin('biome') };
