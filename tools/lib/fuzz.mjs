// npm run fuzz -- [target…] [--seconds 60] [--seed N] [--merge]: the core's fuzzers (libFuzzer),
// then those of the readers in JavaScript, one after the other. A finding is minimized into
// tests/fuzz/corpus/<target>/regressions, from where every test run replays it. docs/testing.md.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildLibrary, buildTests, prerequisites } from './build.mjs';
import { root } from './paths.mjs';
import { run, SetupError, say, step } from './steps.mjs';
import { clangCompiler } from './system.mjs';

const coreTargets = {
  load_model: 'FuzzLoadModel',
  pipeline: 'FuzzPipeline',
  calibration_state: 'FuzzCalibrationState',
  options: 'FuzzOptions',
  preprocess_image: 'FuzzPreprocessImage',
  tensor_ranges: 'FuzzTensorRanges',
};
const readerTargets = [
  ...['zip', 'npy', 'npz', 'pb', 'png', 'jpeg', 'wav', 'images'],
  ...['cache', 'state', 'configuration', 'model'],
];
const build = path.join(root, 'build/fuzz');
const committed = path.join(root, 'tests/fuzz/corpus');
// Per input. The sanitizers make the core some ten times slower and three times larger.
const limits = ['-timeout=25', '-rss_limit_mb=2560', '-malloc_limit_mb=1024', '-max_len=8192'];
// Of what a run adds to the committed corpus of a target.
const mostAdded = 60;
const largestAdded = 1024;

export async function fuzz(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      merge: { type: 'boolean', default: false },
    },
  });
  const known = [...Object.keys(coreTargets), ...readerTargets];
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length) {
    throw new SetupError(`No target ${unknown.join(', ')}. Targets: ${known.join(', ')}`);
  }
  const chosen = (names) =>
    names.filter((name) => !positionals.length || positionals.includes(name));
  const core = chosen(Object.keys(coreTargets));
  const readers = chosen(readerTargets);
  let findings = 0;
  if (core.length) findings += await fuzzCore(core, values);
  if (readers.length) findings += await fuzzReaders(readers, values);
  if (findings) throw new SetupError(`Fuzzing found something in ${findings} target(s).`);
}

async function fuzzCore(names, { seconds, seed, merge }) {
  await prerequisites();
  const { path: compiler, missing } = await clangCompiler();
  if (missing) throw new SetupError(missing);
  await step('Fuzzers (first time on a machine: many minutes)', async () => {
    await run('cmake', ['--preset', 'fuzz'], { env: { CXX: compiler }, nice: true });
    await run('cmake', ['--build', '--preset', 'fuzz'], { nice: true });
    await run(path.join(build, 'write_seeds'), [path.join(build, 'seeds')]);
  });
  const symbolizer = path.join(path.dirname(compiler), 'llvm-symbolizer');
  const env = fs.existsSync(symbolizer) ? { ASAN_SYMBOLIZER_PATH: symbolizer } : {};
  say(`\nCore, ${seconds} s each, --seed ${seed}`);
  say('target             executions  a second   edges at first → last   inputs kept   findings');
  let findings = 0;
  for (const name of names) {
    const found = path.join(build, 'corpus', name);
    const own = path.join(committed, name);
    for (const folder of [found, own]) fs.mkdirSync(folder, { recursive: true });
    const artifacts = path.join(build, 'findings', name, '/');
    fs.rmSync(artifacts, { recursive: true, force: true });
    fs.mkdirSync(artifacts, { recursive: true });
    const { text, code } = await collect(
      path.join(build, coreTargets[name]),
      [
        found,
        own,
        path.join(build, 'seeds', name),
        `-max_total_time=${seconds}`,
        `-seed=${seed}`,
      ].concat(limits, `-artifact_prefix=${artifacts}`, '-print_final_stats=1'),
      env,
    );
    const number = (pattern) => Number([...text.matchAll(pattern)].at(-1)?.[1] ?? 0);
    const executions = number(/stat::number_of_executed_units:\s*(\d+)/g) || number(/^#(\d+)/gm);
    const first = /INITED cov: (\d+)/.exec(text)?.[1] ?? '?';
    const edges = number(/ cov: (\d+)/g);
    say(
      name.padEnd(19) +
        String(executions).padStart(10) +
        String(Math.round(executions / Number(seconds))).padStart(10) +
        `${first} → ${edges}`.padStart(24) +
        String(number(/ corp: (\d+)/g)).padStart(14) +
        String(code ? 1 : 0).padStart(11),
    );
    if (code) {
      findings++;
      await keepFinding(name, artifacts, text, env);
    }
    if (merge && !code) await addToCorpus(name, found, env);
  }
  return findings;
}

/** Minimizes what libFuzzer left into the regressions. */
async function keepFinding(name, artifacts, text, env) {
  const reason = /SUMMARY: (.*)|runtime error: (.*)|ERROR: (libFuzzer: .*)/.exec(text)?.[0];
  say(`  FOUND in ${name}: ${reason ?? text.split('\n').slice(-5).join('\n')}`);
  const log = path.join(artifacts, 'log');
  const target = path.join(committed, name, 'regressions');
  fs.mkdirSync(target, { recursive: true });
  for (const file of fs.readdirSync(artifacts)) {
    const input = path.join(artifacts, file);
    const kind = file.split('-')[0];
    if (kind === 'slow') continue; // a warning: not over the limit
    const shortest = path.join(artifacts, `shortest-${file}`);
    if (kind === 'crash') {
      const how = ['-minimize_crash=1', '-max_total_time=30', `-exact_artifact_path=${shortest}`];
      await collect(path.join(build, coreTargets[name]), [input, ...how, ...limits], env);
    }
    const bytes = fs.readFileSync(fs.existsSync(shortest) ? shortest : input);
    const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
    fs.writeFileSync(path.join(target, `${kind}-${digest}`), bytes);
    say(`    tests/fuzz/corpus/${name}/regressions/${kind}-${digest} (${bytes.length} bytes)`);
  }
  fs.writeFileSync(log, text);
  say(`    log: ${path.relative(root, log)}`);
}

/** Inputs of all sizes that go where neither the seeds nor the committed corpus do. */
async function addToCorpus(name, found, env) {
  const known = path.join(build, 'known', name);
  fs.rmSync(known, { recursive: true, force: true });
  fs.cpSync(path.join(build, 'seeds', name), known, { recursive: true });
  fs.cpSync(path.join(committed, name), path.join(known, 'committed'), { recursive: true });
  const before = new Set(fs.readdirSync(known));
  await collect(path.join(build, coreTargets[name]), ['-merge=1', known, found, ...limits], env);
  const candidates = fs
    .readdirSync(known)
    .filter((file) => !before.has(file))
    .map((file) => ({ file, bytes: fs.readFileSync(path.join(known, file)) }))
    .filter(({ bytes }) => bytes.length <= largestAdded)
    .sort((a, b) => a.bytes.length - b.bytes.length);
  const step = Math.max(1, candidates.length / mostAdded);
  const added = candidates.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
  for (const { file, bytes } of added) {
    fs.writeFileSync(path.join(committed, name, file.slice(0, 12)), bytes);
  }
  say(`  ${added.length} inputs added to tests/fuzz/corpus/${name}`);
}

async function fuzzReaders(names, { seconds, seed }) {
  await buildLibrary();
  await buildTests();
  say();
  const { code } = await collect(
    process.execPath,
    ['build/tests/fuzz/js/fuzz.js', ...names, '--seconds', seconds, '--seed', seed],
    {},
    { show: true },
  );
  return code ? 1 : 0;
}

function collect(command, args, env, { show = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (text += data));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: signal ? 1 : code, text }));
  });
}
