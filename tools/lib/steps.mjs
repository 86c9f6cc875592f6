// Running programs quietly, one visible line a step: what, how long, and on failure the log's tail.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from './paths.mjs';

/** Where nothing may be skipped, and all is built from nothing. */
export const strict = Boolean(process.env.CI) && process.env.CI !== 'false';

const tty = process.stderr.isTTY && !process.env.CI;
const started = Date.now();
let current = null;

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
  if (current) return work(); // a step inside a step: the outer one reports
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  const log = path.join(root, 'build', 'logs', `${name}.log`);
  fs.mkdirSync(path.dirname(log), { recursive: true });
  fs.writeFileSync(log, '');
  current = { log, last: '' };
  const begin = Date.now();
  let shown = begin;
  if (!tty) say(`  ${title} ...`);
  const timer = setInterval(() => {
    const line = `  ${title} ... ${clock(Date.now() - begin)}  ${current.last}`;
    if (tty) process.stderr.write(`\r\x1b[2K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    else if (Date.now() - shown >= 30e3) {
      shown = Date.now();
      say(`  ${line.trim().slice(0, 110)}`);
    }
  }, 500);
  const end = (mark) => {
    clearInterval(timer);
    current = null;
    say(`${tty ? '\r\x1b[2K' : ''}  ${mark} ${title} (${clock(Date.now() - begin)})`);
  };
  try {
    const result = await work();
    end('ok');
    return result;
  } catch (error) {
    end('FAILED');
    const tail = fs.readFileSync(log, 'utf8').trimEnd().split('\n').slice(-25).join('\n');
    if (tail) say(`${tail.replace(/^/gm, '    | ')}\n    log: ${log}`);
    throw error instanceof SetupError ? error : new SetupError(error.message, { cause: error });
  }
}

/** What the step's line shows until its program says more. */
export function progress(text) {
  if (current) current.last = text;
}

/**
 * Runs a program. Inside a step its output goes to the step's log, else to stderr, unless `show`.
 */
export function run(
  command,
  args,
  { cwd = root, env = {}, show = false, hint = '', nice = false } = {},
) {
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
        show ? 'inherit' : current ? 'pipe' : process.stderr.fd,
        show ? 'inherit' : current ? 'pipe' : 'inherit',
      ],
      shell: process.platform === 'win32',
    });
    const { log } = current ?? {};
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data) => {
        fs.appendFileSync(log, data);
        if (current)
          current.last = data
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
