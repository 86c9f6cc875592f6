// npm run coverage: which lines the tests run, by folder, as Markdown tables. The core by gcov in a
// build of its own, the library by the coverage that V8 writes for every process and worker that a
// test starts.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { scan } from '../lint/comments.mjs';
import { buildLibrary, buildTests, cmake, filesUnder, prerequisites } from './build.mjs';
import { root, which } from './paths.mjs';
import { output, run, SetupError, say, step } from './steps.mjs';
import { googleTest } from './system.mjs';
import { nodeTests } from './test-run.mjs';

const kinds = { core: coverageOfCore, js: coverageOfJs };

/** `words`: `core` or `js` for one of the two; for `js` also words of test files. */
export async function coverage(words) {
  const [first, ...rest] = words;
  if (first && !Object.hasOwn(kinds, first))
    throw new SetupError(`npm run coverage [-- ${Object.keys(kinds).join(' | ')} [test ...]]`);
  for (const kind of first ? [first] : Object.keys(kinds)) say(table(await kinds[kind](rest)));
}

/** Map of file to Map of line to whether it ran. */
async function coverageOfCore() {
  await prerequisites();
  const missing = await googleTest();
  if (missing) throw new SetupError(missing);
  await cmake('native-coverage', 'The core, counted');
  const build = path.join(root, 'build/native-coverage');
  const data = () => filesUnder('build/native-coverage', '.gcda').filter(ofCore);
  for (const file of data()) fs.rmSync(path.join(root, file));
  // One process: what each writes at its end is merged into the files of the one before.
  await step("The core's tests", () =>
    run(path.join(build, 'ptq_core_tests'), ['--gtest_brief=1'], { cwd: build }).catch(failed),
  );
  const lines = new Map();
  const compiler = /CMAKE_CXX_COMPILER:\w+=(.*)/.exec(
    fs.readFileSync(path.join(build, 'CMakeCache.txt'), 'utf8'),
  )?.[1];
  const version = await output(compiler, ['-dumpversion']);
  const gcov = which(`gcov-${version}`, 'gcov');
  if (!gcov) throw new SetupError('gcov is missing: it comes with GCC, which coverage needs');
  for (const file of data()) {
    const json = await output(gcov, ['--json-format', '--stdout', path.join(root, file)]);
    for (const { file: source, lines: counts } of JSON.parse(json).files) {
      const name = path.relative(root, path.resolve(build, source));
      if (!name.startsWith('src/')) continue;
      for (const { line_number: line, count } of counts) note(lines, name, line, count > 0);
    }
  }
  return lines;
}

/** Tests with a time limit may fail while lines are counted; the lines count all the same. */
const failed = () => say('  some tests failed');

const ofCore = (file) => file.includes('ptq_core.dir');

async function coverageOfJs(words) {
  await buildLibrary();
  await buildTests();
  // Commands that tests start run tsc's modules, too; the next build mends it.
  for (const [entry, module] of Object.entries({ cli: 'cli/main', index: 'index' }))
    fs.writeFileSync(
      path.join(root, `dist/node/${entry}.js`),
      `#!/usr/bin/env node\nexport * from '../${module}.js';\n`,
    );
  const folder = path.join(root, 'build/coverage');
  fs.rmSync(folder, { recursive: true, force: true });
  const { ok } = await nodeTests('js', words, { NODE_V8_COVERAGE: folder });
  if (!ok) failed();
  const lines = new Map();
  const codes = new Map();
  for (const file of filesUnder('dist', '.js').filter((each) => !/^dist.node/.test(each)))
    codes.set(file, codeLines(file));
  for (const [file, code] of codes)
    for (const { line } of code.lines)
      note(lines, file.replace('dist/', 'bindings/js/'), line, false);
  for (const name of fs.readdirSync(folder)) {
    const { result } = JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
    for (const { url, functions } of result) {
      if (!url.startsWith('file:')) continue;
      const file = path.relative(root, fileURLToPath(url));
      const code = codes.get(file);
      if (!code) continue;
      // Ranges come from the outside in: the last that holds a place counts.
      const ran = new Uint8Array(code.size);
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges)
          ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      for (const { line, start } of code.lines)
        if (ran[start]) note(lines, file.replace('dist/', 'bindings/js/'), line, true);
    }
  }
  return lines;
}

/** A compiled file's size, and its lines with code: number, and offset of the first word. */
function codeLines(file) {
  const { code } = scan(fs.readFileSync(path.join(root, file), 'utf8'), 'js');
  const lines = [];
  let offset = 0;
  for (const [index, text] of code.split('\n').entries()) {
    const first = text.search(/[\w'"`[(+-]/);
    if (first >= 0) lines.push({ line: index + 1, start: offset + first });
    offset += text.length + 1;
  }
  return { size: offset, lines };
}

function note(lines, file, line, ran) {
  if (!lines.has(file)) lines.set(file, new Map());
  const known = lines.get(file);
  known.set(line, known.get(line) || ran);
}

function table(lines) {
  const folders = new Map();
  for (const [file, counted] of lines) {
    for (const name of [path.dirname(file), 'all']) {
      const sum = folders.get(name) ?? { all: 0, ran: 0 };
      sum.all += counted.size;
      sum.ran += [...counted.values()].filter(Boolean).length;
      folders.set(name, sum);
    }
  }
  const { all, ...rest } = Object.fromEntries([...folders].sort());
  const row = ([name, sum]) =>
    `| ${name} | ${sum.all} | ${((100 * sum.ran) / sum.all).toFixed(1)} % |`;
  return ['', '| folder | lines | run by tests |', '| --- | --- | --- |']
    .concat([...Object.entries(rest), ['**all**', all]].map(row))
    .join('\n');
}
