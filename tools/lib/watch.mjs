// npm run watch: what is saved is built. TypeScript by one compiler that stays, the core by the
// developer's link; then the tests that were named run again. An error is shown and the watching
// goes on.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildJs, buildTests, buildWasm, finishJs, finishTests, tools } from './build.mjs';
import { root } from './paths.mjs';
import { SetupError, say } from './steps.mjs';
import { nodeArguments, testFiles } from './test-run.mjs';

/** Never returns. `kind`: of buildWasm; `words`: of testFiles, none runs nothing. */
export async function watch(kind, words) {
  const built = { core: false, scripts: false };
  let tests = null;

  const runTests = () => {
    if (!words.length || !built.core || !built.scripts) return;
    tests?.kill();
    try {
      const args = nodeArguments(testFiles('js', words));
      tests = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    } catch (error) {
      report(error);
    }
  };

  const buildCore = serial(async () => {
    built.core = await attempt(() => buildWasm(kind));
    runTests();
  });
  onChange(['src', 'bindings/wasm', 'cmake', 'CMakeLists.txt'], /\.(cc|h|cmake|txt)$/, buildCore);

  await buildCore();
  await attempt(async () => {
    await buildJs();
    await buildTests();
  });
  const compiler = spawn(tools.tsc, ['-b', '-w', '--preserveWatchOutput', 'tests', 'web'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let clean = false;
  const finish = serial(async () => {
    built.scripts = (await attempt(finishJs)) && clean;
    finishTests();
    runTests();
  });
  let text = '';
  compiler.stdout.on('data', (data) => {
    text += data;
    const lines = text.split('\n');
    text = lines.pop();
    for (const line of lines.filter((each) => each.trim())) {
      say(`  ${line}`);
      const found = /Found (\d+) error/.exec(line);
      if (!found) continue;
      built.scripts = false;
      clean = found[1] === '0';
      finish(); // tsc writes what has errors of types, too
    }
  });
  await new Promise((_, reject) =>
    compiler.on('close', (code) => reject(new SetupError(`tsc ended with code ${code}`))),
  );
}

/** Calls `work` soon after a file under one of `places` whose name matches has changed. */
function onChange(places, names, work) {
  let timer;
  for (const place of places) {
    fs.watch(path.join(root, place), { recursive: true }, (_, name) => {
      if (!names.test(name ?? '')) return;
      clearTimeout(timer);
      timer = setTimeout(work, 50);
    });
  }
}

/** `work` never runs twice at a time; what is asked for meanwhile runs once more afterwards. */
function serial(work) {
  let running = null;
  let again = false;
  return async () => {
    again = true;
    running ??= (async () => {
      while (again) {
        again = false;
        await work();
      }
      running = null;
    })();
    await running;
  };
}

async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    report(error);
    return false;
  }
}

const report = (error) => say(error instanceof SetupError ? `  ${error.message}` : error.stack);
