// What the npm scripts start: node tools/run.mjs <task>. Every task sets up and builds what it needs, so each
// works in a fresh clone before `npm ci`; what is up to date is left alone.
import { spawn } from 'node:child_process';
import {
  buildJs,
  buildTests,
  buildWasm,
  buildWeb,
  cmake,
  filesUnder,
  prerequisites,
  tools,
} from './lib/build.mjs';
import { emscripten } from './lib/emscripten.mjs';
import { fuzz } from './lib/fuzz.mjs';
import { format, lint } from './lib/lint.mjs';
import { root } from './lib/paths.mjs';
import { rayPython } from './lib/ray.mjs';
import { elapsed, main, run, SetupError, say } from './lib/steps.mjs';
import { chromium, googleTest } from './lib/system.mjs';

const strict = Boolean(process.env.CI) && process.env.CI !== 'false';
const rest = process.argv.slice(3);

/** The parts of a test run; each ends as {ok, lines} or {skipped: why}, and none keeps the next from running. */
const suites = {
  'test:core': {
    needs: [],
    async run() {
      await prerequisites();
      const missing = await googleTest();
      if (missing) return { skipped: missing };
      await cmake('native-asan', "The core's tests, with sanitizers");
      return runner(
        'ctest',
        ['--preset', 'native-asan', ...rest],
        /tests passed|Total Test time|\(Failed\)|\(Timeout\)/,
      );
    },
  },
  'test:js': { needs: ['wasm', 'js', 'tests'], run: testJs },
  'test:browser': {
    needs: ['wasm', 'js', 'web', 'tests'],
    async run() {
      const { path: browser, missing } = await chromium();
      return missing ? { skipped: missing } : nodeTests('browser', { CHROME_PATH: browser });
    },
  },
};
const builds = { wasm: buildWasm, js: buildJs, web: buildWeb, tests: buildTests };

const tasks = {
  async setup() {
    await prerequisites();
    await emscripten();
    const missing = [await googleTest(), (await chromium()).missing].filter(Boolean);
    for (const what of missing) say(`  skipped: ${what}`);
    if (strict && missing.length)
      throw new SetupError('With CI set, everything that the tests need must be there.');
    say(`  set-up complete (${elapsed()})`);
  },
  async build() {
    await buildWasm();
    await buildJs();
    await buildWeb();
  },
  'build:wasm': buildWasm,
  'build:js': buildJs,
  'build:web': buildWeb,
  test: () => test(Object.keys(suites)),
  'test:core': () => test(['test:core']),
  'test:js': () => test(['test:js']),
  'test:browser': () => test(['test:browser']),
  fuzz: () => fuzz(rest),
  example: () => script('examples/run.mjs'),
  bench: () => script('tests/bench/bench.mjs'),
  results: () => script('tests/results/results.mjs'),
  async docs() {
    await buildJs();
    await run(process.execPath, ['tools/docs.mjs'], { show: true });
  },
  async conformance() {
    await buildWasm();
    await buildJs();
    await buildTests(); // tests/js/support/kit.ts replays
    await script('tests/conformance/run.mjs');
  },
  async dev() {
    await buildWasm();
    await buildJs();
    await run(tools.vite, ['web', ...rest], { show: true });
  },
  format,
  async lint() {
    const failed = await lint();
    if (failed.length)
      throw new SetupError(`Failed: ${failed.join(', ')}. \`npm run format\` mends formatting.`);
    say(`  lint: all checks passed (${elapsed()})`);
  },
};

/** Builds the library and runs one of the project's own scripts with it. */
async function script(file) {
  await buildWasm();
  await buildJs();
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
  const wanted = Object.keys(builds).filter((build) =>
    names.some((name) => suites[name].needs.includes(build)),
  );
  for (const build of wanted) {
    const result = await attempt(builds[build]);
    if (result.ok) continue;
    broken.add(build);
    results[`build ${build}`] = result;
  }
  for (const name of names) {
    const missing = suites[name].needs.filter((build) => broken.has(build));
    if (missing.length)
      results[name] = { ok: false, lines: [`not run: the build failed (${missing.join(', ')})`] };
    else results[name] = await attempt(suites[name].run);
  }
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
      : 'All tests passed',
  );
}

async function testJs() {
  const ray = strict ? await rayPython() : null;
  return nodeTests('js', ray ? { PTQ_RAY_PYTHON: ray } : {});
}

function nodeTests(folder, env = {}) {
  const files = filesUnder(`build/tests/${folder}`, '.test.js');
  if (!files.length) throw new SetupError(`There are no tests in tests/${folder}.`);
  const chosen = rest.length
    ? files.filter((file) => rest.some((word) => file.includes(word)))
    : files;
  return runner(
    process.execPath,
    ['--test', '--test-reporter=spec', ...chosen],
    /^ℹ (tests|pass|fail|skipped|todo) /,
    env,
  );
}

/** Runs a test runner, shows its output, and keeps its closing lines. */
function runner(command, args, closing, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
      process.stdout.write(data);
    });
    child.on('error', (error) => resolve({ ok: false, lines: [error.message] }));
    child.on('close', (code) => {
      const lines = text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => closing.test(line));
      resolve({ ok: code === 0, lines: lines.slice(-12) });
    });
  });
}

main(async () => {
  const task = process.argv[2];
  if (!Object.hasOwn(tasks, task))
    throw new SetupError(`Unknown task ${task}. Tasks: ${Object.keys(tasks).join(', ')}`);
  await tasks[task]();
});
