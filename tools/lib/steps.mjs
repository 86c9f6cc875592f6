// Running programs quietly, one visible line a step: what, how long, and on failure the log's tail.
// Steps may run beside each other.
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from './paths.mjs';

/** Where nothing may be skipped, and all is built from nothing. */
export const strict = Boolean(process.env.CI) && process.env.CI !== 'false';

const tty = process.stderr.isTTY && !process.env.CI;
const started = Date.now();
/** The step that a call is part of. */
const steps = new AsyncLocalStorage();
const running = new Set();

const clock = (ms) =>
  ms < 60e3
    ? `${(ms / 1e3).toFixed(1)} s`
    : `${Math.floor(ms / 60e3)} min ${Math.round((ms % 60e3) / 1e3)} s`;
export const elapsed = () => clock(Date.now() - started);
export const say = (line = '') => process.stderr.write(`${line}\n`);

/** An error whose message is all that the user needs: no stack is shown. */
export class SetupError extends Error {}

/** Runs `work` as one step. Its programs write to `build/logs/<name>.log`; here it is one line. */
export async function step(title, work) {
  if (steps.getStore()) return work(); // a step inside a step: the outer one reports
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  const log = path.join(root, 'build', 'logs', `${name}.log`);
  fs.mkdirSync(path.dirname(log), { recursive: true });
  fs.writeFileSync(log, '');
  const begin = Date.now();
  const self = { title, begin, log, last: '' };
  running.add(self);
  let shown = begin;
  if (!tty) say(`  ${title} ...`);
  const timer = setInterval(() => {
    if (tty) showRunning();
    else if (Date.now() - shown >= 30e3) {
      shown = Date.now();
      say(`  ${state(self).slice(0, 110)}`);
    }
  }, 500);
  const end = (mark) => {
    clearInterval(timer);
    running.delete(self);
    say(`${tty ? '\r\x1b[2K' : ''}  ${mark} ${title} (${clock(Date.now() - begin)})`);
  };
  try {
    const result = await steps.run(self, work);
    end('ok');
    return result;
  } catch (error) {
    end('FAILED');
    const tail = fs.readFileSync(log, 'utf8').trimEnd().split('\n').slice(-25).join('\n');
    if (tail) say(`${tail.replace(/^/gm, '    | ')}\n    log: ${log}`);
    throw error instanceof SetupError ? error : new SetupError(error.message, { cause: error });
  }
}

const state = ({ title, begin, last }) =>
  `${title} ... ${clock(Date.now() - begin)}  ${last}`.trim();

/** One line of the terminal for all steps that are running. */
function showRunning() {
  const width = Math.floor(((process.stderr.columns ?? 80) - 1) / running.size) - 2;
  const line = [...running].map((each) => `  ${state(each).slice(0, width)}`).join('');
  process.stderr.write(`\r\x1b[2K${line}`);
}

/** Does several things beside each other; where one fails, the others still come to their end. */
export async function together(...works) {
  const results = await Promise.allSettled(works.map((work) => work()));
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
  return results.map(({ value }) => value);
}

/** `work` for several that ask for it at the same time: they wait for the same end of it. */
export function shared(work) {
  let running;
  return () =>
    (running ??= work().finally(() => {
      running = undefined;
    }));
}

/** What the step's line shows until its program says more. */
export function progress(text) {
  const self = steps.getStore();
  if (self) self.last = text;
}

/**
 * Runs a program. Inside a step its output goes to the step's log, else to stderr, unless `show`.
 */
export function run(
  command,
  args,
  { cwd = root, env = {}, show = false, hint = '', nice = false } = {},
) {
  const self = steps.getStore();
  const [file, argv] =
    nice && process.platform !== 'win32'
      ? ['nice', ['-n', '5', command, ...args]]
      : [command, args];
  return new Promise((resolve, reject) => {
    const fail = (what) =>
      reject(
        new SetupError(
          `${[command, ...args.slice(0, 6)].join(' ')}: ${what}${hint && `\n${hint}`}`,
        ),
      );
    const child = spawn(file, argv, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [
        'ignore',
        show ? 'inherit' : self ? 'pipe' : process.stderr.fd,
        show ? 'inherit' : self ? 'pipe' : 'inherit',
      ],
      shell: process.platform === 'win32',
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data) => {
        fs.appendFileSync(self.log, data);
        self.last = data
          .toString()
          .trimEnd()
          .split(/[\r\n]/)
          .pop();
      });
    }
    child.on('error', (error) => fail(error.code === 'ENOENT' ? 'not found' : error.message));
    child.on('close', (code, signal) =>
      code === 0 ? resolve() : fail(signal ? `ended by ${signal}` : `exit code ${code}`),
    );
  });
}

/** The standard output of a program, or null where it can't be run or fails. */
export function output(command, args, { env = {}, cwd = root } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    child.stdout.on('data', (data) => (text += data));
    child.on('error', () => resolve(null));
    child.on('close', (code) => resolve(code === 0 ? text.trim() : null));
  });
}

/**
 * Ends the process as an entry script should: a message for what we foresaw, a stack for what we
 * didn't.
 */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    say(error instanceof SetupError ? `\n${error.message}` : error.stack);
    process.exitCode = 1;
  }
}
