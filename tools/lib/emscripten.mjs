// Emscripten: the one on PATH or in $EMSDK if new enough; else, on Debian 12 (whose own is too
// old), a private prefix: Emscripten 3.1.69 and Binaryen 120 from Debian 13 and LLVM 19 from Debian
// 12, unpacked into the cache folder.
import fs from 'node:fs';
import path from 'node:path';
import { codename, isDebian, triplet, unpackDebs, wrapper } from './debian.mjs';
import { cache, once, read, which } from './paths.mjs';
import { run, SetupError, step } from './steps.mjs';

const minimum = '3.1.69';
const prefix = path.join(cache, `emscripten-${minimum}`);
const llvmTools = [
  'clang',
  'clang++',
  'wasm-ld',
  'llvm-ar',
  'llvm-nm',
  'llvm-objcopy',
  'llvm-ranlib',
  'llvm-strip',
  'llvm-dwarfdump',
];
const llvmPackages = `clang-19 lld-19 llvm-19 libllvm19 libclang-cpp19 libclang-common-19-dev
  libz3-4 libedit2 libbsd0 libmd0 libxml2 libicu72 libffi8 libtinfo6 libzstd1`.split(/\s+/);

/** The folder that holds emcc; sets Emscripten up where that can be done. */
export async function emscripten() {
  const found = foundEmscripten();
  if (found) return found;
  const own = path.join(prefix, 'usr/share/emscripten');
  if (fs.existsSync(path.join(prefix, '.complete'))) return own;
  if (!isDebian || codename !== 'bookworm' || !triplet) {
    throw new SetupError(`Emscripten ${minimum} or newer is needed to build the WebAssembly module, and is neither on PATH nor in $EMSDK.
${codename ? 'Install it with: sudo apt-get install emscripten' : 'Get emsdk (https://emscripten.org/docs/getting_started), then: source ./emsdk_env.sh'}`);
  }
  await step(`Emscripten ${minimum} (first time: 330 MB, about a minute)`, () =>
    once(prefix, setUp),
  );
  return own;
}

function foundEmscripten() {
  const candidates = [process.env.EMSDK && path.join(process.env.EMSDK, 'upstream/emscripten')];
  const emcc = which('emcc');
  if (emcc)
    candidates.push(
      path.dirname(fs.realpathSync(emcc)),
      '/usr/share/emscripten',
      '/usr/lib/emscripten',
    );
  for (const dir of candidates.filter(Boolean)) {
    const version = emscriptenVersion(dir);
    if (version && version.localeCompare(minimum, 'en', { numeric: true }) >= 0) return dir;
  }
  return null;
}

/** Of the folder that holds emcc. */
export const emscriptenVersion = (dir) =>
  read(path.join(dir, 'emscripten-version.txt')).replace(/["\s]|-git/g, '');

async function setUp(dir) {
  const home = path.join(dir, 'usr/share/emscripten');
  const lib = path.join(dir, 'llvm/usr/lib', triplet);
  const binaryen = path.join(dir, 'binaryen');
  const system = '/usr/lib/llvm-19/bin';
  const isThere = llvmTools.slice(0, 4).every((tool) => fs.existsSync(path.join(system, tool)));
  const llvm = isThere ? system : path.join(dir, 'llvm/bin');
  await Promise.all([
    unpackDebs(dir, 'trixie', ['emscripten=3.1.69+dfsg-3'], {
      exclude: [
        './usr/share/emscripten/test',
        // Libraries for links that nothing here makes.
        '*/wasm32-emscripten/*lto*',
        '*/wasm32-emscripten/pic',
        '*/wasm32-emscripten/*-mt[-.]*',
        '*/wasm32-emscripten/*-ww[-.]*',
        '*/wasm32-emscripten/*asan*',
        '*/wasm32-emscripten/*sanitizer*',
        '*/wasm32-emscripten/libwasmfs*',
        '*/wasm32-emscripten/libGL*',
      ],
    }),
    unpackDebs(binaryen, 'trixie', ['binaryen=120-4', 'libc6', 'libstdc++6', 'libgcc-s1'], {
      exclude: ['./usr/share', '*/gconv'],
    }),
    isThere ||
      unpackDebs(path.join(dir, 'llvm'), codename, llvmPackages, { exclude: ['*/llvm-exegesis'] }),
  ]);
  for (const tool of fs
    .readdirSync(path.join(binaryen, 'usr/bin'))
    .filter((name) => name.startsWith('wasm'))) {
    wrapper(
      path.join(binaryen, 'bin', tool),
      path.join(binaryen, 'usr/bin', tool),
      path.join(binaryen, 'usr/lib', triplet),
      { loader: true },
    );
  }
  if (!isThere) {
    const real = path.join(dir, 'llvm/usr/lib/llvm-19/bin');
    for (const tool of llvmTools) wrapper(path.join(llvm, tool), path.join(real, tool), lib);
  }
  fs.writeFileSync(
    path.join(home, '.emscripten'),
    `LLVM_ROOT = '${llvm}'\nBINARYEN_ROOT = '${binaryen}'\nNODE_JS = '${process.execPath}'\nCACHE = '${home}/cache'\nFROZEN_CACHE = False\n`,
  );
  // Debian's package expects Debian's own node modules; its JavaScript optimizer needs this one.
  await run(
    'npm',
    ['install', '--no-save', '--no-package-lock', '--prefix', home, 'acorn@8.14.0'],
    {
      cwd: home,
      hint: 'npm could not download acorn 8.14.0, which Emscripten needs. Check that npm reaches its registry, then run this again.',
    },
  );
}
