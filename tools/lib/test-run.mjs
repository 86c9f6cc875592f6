// Runs test programs: their output is shown as it comes, of one after the other where several run,
// and the closing lines are kept for the summary.
import { spawn } from 'node:child_process';
import os from 'node:os';
import { filesUnder } from './build.mjs';
import { root } from './paths.mjs';
import { SetupError } from './steps.mjs';

/** Compiled tests of tests/<folder>; with words, those whose path holds one of them. */
export function testFiles(folder, words) {
  const files = filesUnder(`build/tests/${folder}`, '.test.js');
  if (!files.length) throw new SetupError(`There are no tests in tests/${folder}.`);
  if (!words.length) return files;
  const chosen = files.filter((file) => words.some((word) => file.includes(word)));
  if (!chosen.length)
    throw new SetupError(`No test in tests/${folder} has ${words.join(' or ')} in its name.`);
  return chosen;
}

/** Runs such tests with Node's test runner. */
export function nodeTests(folder, words, env = {}) {
  return runner(process.execPath, nodeArguments(testFiles(folder, words)), closingOfNode, env);
}

/** As many files at a time as there are cores: of its own accord Node leaves one of them alone. */
export const nodeArguments = (files) => [
  '--enable-source-maps',
  '--test',
  `--test-concurrency=${os.availableParallelism()}`,
  '--test-reporter=spec',
  ...files,
];

const closingOfNode = /^ℹ (tests|pass|fail|skipped|todo) /;

/** When what ran before has shown all of its output. */
let terminal = Promise.resolve();

/** Runs a test runner, shows its output, and keeps the lines that match `closing`. */
export function runner(command, args, closing, env = {}) {
  const turn = terminal;
  const ended = new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    let mine = false;
    turn.then(() => {
      mine = true;
      process.stdout.write(text);
    });
    child.stdout.on('data', (data) => {
      text += data;
      if (mine) process.stdout.write(data);
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
  terminal = Promise.all([turn, ended]);
  return ended;
}
