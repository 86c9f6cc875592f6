// What comes from the system: build tools, GoogleTest, Chromium, Firefox, clang with its tools.
// Each is looked for first and then taken from Debian: unpacked into the cache where that will do,
// installed where that needs no password.
import fs from 'node:fs';
import path from 'node:path';
import { codename, installPackages, isDebian, triplet, unpackDebs, wrapper } from './debian.mjs';
import { cache, once, which } from './paths.mjs';
import { SetupError, shared, step, strict } from './steps.mjs';

const buildTools = {
  cmake: ['cmake'],
  'ninja-build': ['ninja', 'ninja-build'],
  'g++': ['c++', 'g++', 'clang++'],
  python3: ['python3'],
};
const browsers = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
];
const macBrowsers = ['Google Chrome', 'Chromium'].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
);

/** Everything that a build needs, or an error that says what to type. */
export const ensureBuildTools = shared(async () => {
  const missing = Object.keys(buildTools).filter((name) => !which(...buildTools[name]));
  if (!missing.length) return;
  const command = await step(`System packages: ${missing.join(', ')}`, () =>
    installPackages(...missing),
  );
  if (command)
    throw new SetupError(
      `Building needs ${missing.join(', ')}, which this machine lacks. Get them with:\n  ${command}`,
    );
});

/**
 * Makes sure that CMake will find GoogleTest. Returns null, or why the tests of the core have to be
 * skipped.
 */
export async function googleTest() {
  const found = ['/usr/include', '/usr/local/include', '/opt/homebrew/include'].some((dir) =>
    fs.existsSync(`${dir}/gtest/gtest.h`),
  );
  if (found) return null;
  if (!isDebian) return 'GoogleTest is missing: install it (libgtest-dev, googletest)';
  const dir = path.join(cache, 'googletest');
  if (!fs.existsSync(path.join(dir, '.complete'))) {
    await step('GoogleTest', () =>
      once(dir, (target) => unpackDebs(target, codename, ['libgtest-dev'])),
    );
  }
  return null;
}

/** {path} of a Chromium, or {missing: what to type}. */
export const chromium = () =>
  browser('Chromium', 'chromium', 'CHROME_PATH', () => which(...browsers) ?? onMac(macBrowsers));

/** {path} of a Firefox, or {missing: what to type}. */
export const firefox = () =>
  browser(
    'Firefox',
    'firefox-esr',
    'FIREFOX_PATH',
    () =>
      which('firefox-esr', 'firefox') ??
      onMac(['/Applications/Firefox.app/Contents/MacOS/firefox']),
  );

const onMac = (files) => files.find((file) => fs.existsSync(file));

async function browser(name, packageName, variable, look) {
  const find = () => process.env[variable] || look();
  const found = find();
  if (found) return { path: found };
  const command = await step(`${name} from the system packages`, () =>
    installPackages(packageName),
  );
  const path = command ? null : find();
  return path ? { path } : { missing: `${name} is missing: ${command ?? `set $${variable}`}` };
}

/** Path of strace, or null where there is none to be had. */
export async function strace() {
  if (which('strace')) return which('strace');
  if (!isDebian) return null;
  const dir = path.join(cache, 'strace');
  if (!fs.existsSync(path.join(dir, '.complete'))) {
    await step('strace', () =>
      once(dir, async () => {
        await unpackDebs(dir, codename, ['strace', 'libunwind8', 'liblzma5']);
        const lib = path.join(dir, 'usr/lib', triplet);
        wrapper(path.join(dir, 'bin/strace'), path.join(dir, 'usr/bin/strace'), lib);
      }),
    );
  }
  return path.join(dir, 'bin/strace');
}

/** {path} of clang++ 19 with its sanitizers and libFuzzer, or {missing: why}. */
export async function clangCompiler() {
  const found = which('clang++-19');
  const runtime = '/usr/lib/llvm-19/lib/clang/19/lib/linux';
  if (found && fs.existsSync(runtime)) return { path: found };
  if (!isDebian) return { missing: 'clang 19 is missing: install clang-19 and libclang-rt-19-dev' };
  const dir = path.join(cache, 'clang-19');
  const packages = `clang-19 libclang-common-19-dev libclang-rt-19-dev libclang-cpp19 libllvm19
    llvm-19 libz3-4 libedit2 libbsd0 libmd0 libxml2 libicu72 libffi8 libtinfo6 libzstd1`;
  if (!fs.existsSync(path.join(dir, '.complete'))) {
    await step('clang 19', () =>
      once(dir, async () => {
        await unpackDebs(dir, codename, packages.split(/\s+/));
        for (const name of ['clang++', 'llvm-symbolizer']) {
          wrapper(
            path.join(dir, 'bin', name),
            path.join(dir, 'usr/lib/llvm-19/bin', name),
            path.join(dir, 'usr/lib', triplet),
          );
        }
      }),
    );
  }
  return { path: path.join(dir, 'bin/clang++') };
}

/**
 * The environment in which CMake finds the compiler of the native core: with CI set clang, which
 * takes half of GCC's time with the sanitizers.
 */
export async function nativeCompiler() {
  const { path } = strict ? await clangCompiler() : {};
  return path ? { CXX: path } : {};
}

/**
 * {format, tidy}: paths of clang-format and clang-tidy 19 (other versions format and warn
 * differently).
 */
export async function clangTools() {
  const system = (name) =>
    which(`${name}-19`) ?? [`/usr/lib/llvm-19/bin/${name}`].find((file) => fs.existsSync(file));
  const [format, tidy] = [system('clang-format'), system('clang-tidy')];
  if (format && tidy) return { format, tidy };
  if (!isDebian)
    throw new SetupError(
      'clang-format and clang-tidy 19 are needed as clang-format-19 and clang-tidy-19 on PATH.',
    );
  const dir = path.join(cache, 'clang-tools-19');
  const packages = `clang-format-19 clang-tidy-19 libllvm19 libclang-cpp19 libclang-common-19-dev
    libz3-4 libedit2 libbsd0 libmd0 libxml2 libicu72 libffi8 libtinfo6 libzstd1`.split(/\s+/);
  if (!fs.existsSync(path.join(dir, '.complete'))) {
    await step('clang-format and clang-tidy 19', () =>
      once(dir, async () => {
        await unpackDebs(dir, codename, packages);
        for (const name of ['clang-format', 'clang-tidy']) {
          wrapper(
            path.join(dir, 'bin', name),
            path.join(dir, 'usr/lib/llvm-19/bin', name),
            path.join(dir, 'usr/lib', triplet),
          );
        }
      }),
    );
  }
  return { format: path.join(dir, 'bin/clang-format'), tidy: path.join(dir, 'bin/clang-tidy') };
}
