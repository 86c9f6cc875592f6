// What dist says about its build: which commit, and what compiled the core with which flags. The
// command says it with --version, the page behind its lock.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { root } from './paths.mjs';
import { output } from './steps.mjs';

const read = (file) => fs.readFileSync(path.resolve(root, file), 'utf8');

/** `emscripten` is its folder, `preset` the one of CMake that the core was built by. */
export async function buildFacts(emscripten, preset) {
  return { commit: await commit(), compiler: compiler(emscripten, preset) };
}

/** The commit, else what the core's bytes come to: the page's caches of two builds never mix. */
async function commit() {
  // Ten digits: how many git takes by itself depends on the clone.
  const described = await output('git', [
    'describe',
    '--always',
    '--dirty',
    '--abbrev=10',
    '--exclude=*',
  ]);
  if (described) return described;
  const bytes = fs.readFileSync(path.join(root, 'dist/wasm/ptq_core.wasm'));
  return createHash('sha256').update(bytes).digest('hex').slice(0, 10);
}

/** With the flags that the core's speed and its bytes depend on. */
function compiler(emscripten, preset) {
  const [version] = /\d+\.\d+\.\d+/.exec(read(path.join(emscripten, 'emscripten-version.txt')));
  const [, wasmFlags] = /PTQ_WASM_FLAGS "([^"]+)"/.exec(read('CMakeLists.txt'));
  const { configurePresets } = JSON.parse(read('CMakePresets.json'));
  const { cacheVariables } = configurePresets.find(({ name }) => name === preset);
  const type = cacheVariables.CMAKE_BUILD_TYPE.toUpperCase();
  const flags = cacheVariables[`CMAKE_CXX_FLAGS_${type}`];
  return `Emscripten ${version} ${flags} ${wasmFlags}`;
}
