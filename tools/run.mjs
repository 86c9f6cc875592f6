// What the npm scripts start: node tools/run.mjs <task>. Every task sets up and builds what it
// needs, so each works in a fresh clone before `npm ci`; what is up to date is left alone.
import os from 'node:os';
import { referencePython } from '../tests/bench/python.mjs';
import {
  buildJs,
  buildLibrary,
  buildTests,
  buildWasm,
  buildWeb,
  cmake,
  prerequisites,
  tools,
} from './lib/build.mjs';
import { coverage } from './lib/coverage.mjs';
import { emscripten } from './lib/emscripten.mjs';
import { fuzz } from './lib/fuzz.mjs';
import { format, lint } from './lib/lint.mjs';
import { rayPython } from './lib/ray.mjs';
import { release } from './lib/release.mjs';
import { sources } from './lib/sources.mjs';
import { elapsed, main, run, SetupError, say, strict, together } from './lib/steps.mjs';
import {
  chromium,
  ensureBuildTools,
  firefox,
  googleTest,
  nativeCompiler,
  strace,
} from './lib/system.mjs';
import { nodeTests, runner } from './lib/test-run.mjs';
import { watch } from './lib/watch.mjs';
import { drawImports } from './lint/import-graph.mjs';

const task = process.argv[2];
/** What follows the task, without --dev and --debug, which choose the build of the core. */
const rest = process.argv.slice(3).filter((word) => !['--dev', '--debug'].includes(word));
const core = process.argv.includes('--dev')
  ? 'dev'
  : process.argv.includes('--debug')
    ? 'debug'
    : 'release';
/** The tasks that take them: nothing that is shipped, measured or decided on comes from these. */
const takeCore = ['build:wasm', 'test:js', 'conformance', 'example', 'dev', 'watch'];

/**
 * The parts of a test run; each ends as {ok, lines} or {skipped: why}, and none keeps the next from
 * running. Those that are `native` have nothing to do with the others, and run beside them.
 */
const suites = {
  'test:core': {
    native: true,
    needs: [],
    async run() {
      await ensureBuildTools();
      await sources();
      const missing = await googleTest();
      if (missing) return { skipped: missing };
      const preset = strict ? 'native-ci' : 'native-asan';
      await cmake(preset, "The core's tests, with sanitizers", preset, await nativeCompiler());
      const jobs = ['--parallel', String(os.availableParallelism())];
      return runner(
        'ctest',
        ['--preset', preset, ...jobs, ...rest],
        /tests passed|Total Test time|\(Failed\)|\(Timeout\)|\[ {2}(PASSED|SKIPPED)/,
      );
    },
  },
  'test:js': { needs: ['wasm', 'js', 'tests'], run: testJs },
  // Takes 8 GB of the disk.
  'test:large': {
    apart: true,
    needs: ['wasm', 'js', 'tests'],
    run: () => nodeTests('large', rest),
  },
  'test:browser': {
    needs: ['wasm', 'js', 'web', 'tests'],
    async run() {
      const found = [await chromium(), await firefox()];
      const missing = found.find((one) => one.missing)?.missing;
      if (missing && (strict || found[0].missing)) return { skipped: missing };
      const [chrome, fox] = found.map(({ path }) => path);
      return nodeTests('browser', rest, {
        CHROME_PATH: chrome,
        ...(fox && { FIREFOX_PATH: fox }),
      });
    },
  },
  lint: {
    apart: true,
    native: true, // nearly all of it is clang-tidy, which needs the libraries of test:core
    needs: [],
    async run() {
      const failed = await lint();
      return { ok: !failed.length, lines: failed };
    },
  },
};
/** What `npm test` runs. */
const whole = Object.keys(suites).filter((name) => !suites[name].apart);
const builds = { wasm: () => buildWasm(core), js: buildJs, tests: buildTests, web: buildWeb };

const tasks = {
  async setup() {
    await together(prerequisites, emscripten);
    const browsers = [await chromium(), await firefox()].map((found) => found.missing);
    const missing = [await googleTest(), ...browsers].filter(Boolean);
    for (const what of missing) say(`  skipped: ${what}`);
    if (strict && missing.length)
      throw new SetupError('With CI set, everything that the tests need must be there.');
    say(`  set-up complete (${elapsed()})`);
  },
  async build() {
    await buildLibrary();
    await buildWeb();
  },
  async 'build:wasm'() {
    await buildWasm(core);
    if (core !== 'release')
      say(`  dist has the core's ${core} build, until the next command that does not ask for it`);
  },
  'build:js': buildJs,
  async 'build:web'() {
    await tasks.build();
  },
  /** Before `npm pack`: what is packed is what is shipped. */
  prepack: () => buildLibrary(),
  release,
  test: () => test(whole),
  check: () => test([...whole, 'lint']),
  'test:core': () => test(['test:core']),
  'test:js': () => test(['test:js']),
  'test:browser': () => test(['test:browser']),
  'test:large': () => test(['test:large']),
  fuzz: () => fuzz(rest),
  example: () => script('examples/run.mjs'),
  async bench() {
    if (rest.some((word) => word.startsWith('--page'))) {
      await tasks.build();
      await buildTests(); // tests/js/support/onnx-writer.ts
    }
    await script('tests/bench/bench.mjs');
  },
  results: () => script('tests/results/results.mjs'),
  accuracy: () => script('tests/results/accuracy.mjs'),
  async docs() {
    await buildLibrary(); // the operators' table is in it
    await run(process.execPath, ['tools/docs.mjs'], { show: true });
  },
  async conformance() {
    await buildTests(); // tests/js/support/kit.ts replays
    await script('tests/conformance/run.mjs');
  },
  async kit() {
    await run(await referencePython(), ['tests/conformance/kit.py', ...rest], { show: true });
  },
  watch: () => watch(core === 'release' ? 'dev' : core, rest),
  async dev() {
    await buildLibrary(core);
    await run(tools.vite, ['web', ...rest], { show: true });
  },
  /** The built page, as any static host would serve it. */
  async serve() {
    await tasks.build();
    await run(process.execPath, ['tools/serve.mjs', ...rest], { show: true });
  },
  format,
  coverage: () => coverage(rest),
  imports() {
    for (const problem of drawImports({ write: true })) throw new SetupError(problem);
  },
  async lint() {
    const failed = await lint();
    if (failed.length)
      throw new SetupError(`Failed: ${failed.join(', ')}. \`npm run format\` mends formatting.`);
    say(`  lint: all checks passed (${elapsed()})`);
  },
};

/** Builds the library and runs one of the project's own scripts with it. */
async function script(file) {
  await buildLibrary(core);
  await run(process.execPath, [file, ...rest], { show: true });
}

async function test(names) {
  const results = {};
  const broken = new Set();
  const attempt = async (work) => {
    try {
      return (await work()) ?? { ok: true };
    } catch (error) {
      say(error instanceof SetupError ? error.message : error.stack);
      return { ok: false, lines: [error.message.split('\n')[0]] };
    }
  };
  const build = async (...wanted) => {
    for (const name of wanted) {
      if (!names.some((suite) => suites[suite].needs.includes(name))) continue;
      const result = await attempt(builds[name]);
      if (result.ok) continue;
      broken.add(name);
      results[`build ${name}`] = result;
    }
  };
  const runAll = async (some) => {
    for (const name of some) {
      const missing = suites[name].needs.filter((build) => broken.has(build));
      if (missing.length)
        results[name] = { ok: false, lines: [`not run: the build failed (${missing.join(', ')})`] };
      else results[name] = await attempt(suites[name].run);
    }
  };
  // Each leaves cores idle at times: where it links, loads, opens pages, and at its end.
  await together(
    async () => {
      await together(
        () => build('wasm'),
        () => build('js', 'tests'),
      );
      await build('web'); // has both in it
      await runAll(names.filter((name) => !suites[name].native));
    },
    () => runAll(names.filter((name) => suites[name].native)),
  );
  say(`\nSummary (${elapsed()})`);
  for (const [name, { ok, skipped, lines = [] }] of Object.entries(results)) {
    say(
      `  ${skipped ? (strict ? 'FAILED ' : 'skipped') : ok ? 'passed ' : 'FAILED '} ${name}${skipped ? `: ${skipped}` : ''}`,
    );
    for (const line of lines) say(`            ${line}`);
  }
  const failed = Object.entries(results).filter(([, { ok, skipped }]) => (skipped ? strict : !ok));
  if (failed.length) process.exitCode = 1;
  say(
    failed.length
      ? `${failed.length} FAILED: ${failed.map(([name]) => name).join(', ')}`
      : 'All passed',
  );
}

async function testJs() {
  const [ray, tracer] = strict ? [await rayPython(), await strace()] : [];
  return nodeTests('js', rest, {
    ...(ray && { PTQ_RAY_PYTHON: ray }),
    ...(tracer && { PTQ_STRACE: tracer }),
  });
}

main(async () => {
  if (!Object.hasOwn(tasks, task))
    throw new SetupError(`Unknown task ${task}. Tasks: ${Object.keys(tasks).join(', ')}`);
  if (core !== 'release' && (strict || !takeCore.includes(task)))
    throw new SetupError(`--${core} is for ${takeCore.join(', ')}, and not with CI set.`);
  await tasks[task]();
});
