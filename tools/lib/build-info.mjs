// dist/wasm/build-info.mjs: what version() of the library says of the build.
import path from 'node:path';
import { emscripten, emscriptenVersion } from './emscripten.mjs';
import { read, root } from './paths.mjs';
import { output } from './steps.mjs';

/** Ten digits: how many git takes by itself depends on the clone. */
const describe = ['describe', '--always', '--dirty', '--abbrev=10', '--exclude=*'];

/** The text of the module, for a core of this preset of CMake. */
export async function buildInfo(preset) {
  const { configurePresets } = JSON.parse(read(path.join(root, 'CMakePresets.json')));
  const { cacheVariables } = configurePresets.find(({ name }) => name === preset);
  const own = cacheVariables[`CMAKE_CXX_FLAGS_${cacheVariables.CMAKE_BUILD_TYPE.toUpperCase()}`];
  const [, common] = /PTQ_WASM_FLAGS "([^"]+)"/.exec(read(path.join(root, 'CMakeLists.txt')));
  const values = {
    version: JSON.parse(read(path.join(root, 'package.json'))).version,
    commit: await output('git', describe),
    compiler: `Emscripten ${emscriptenVersion(await emscripten())}`,
    flags: `${own} ${common}`,
  };
  return Object.entries(values)
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`)
    .join('');
}
