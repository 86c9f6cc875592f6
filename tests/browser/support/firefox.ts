// Firefox for the tests, driven by Marionette, the protocol that is built into it: playwright's own
// WebDriver BiDi asks for more than Debian's Firefox ESR has.
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { patience } from './browser.js';

const known = [
  process.env.FIREFOX_PATH,
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
];
const executablePath = known.find((file) => file !== undefined && fs.existsSync(file));

/** For the option `skip` of a suite: false, or why and what to type. */
export const skipFirefox: string | false = executablePath
  ? false
  : 'Firefox is missing: sudo apt-get install firefox-esr, or set $FIREFOX_PATH';

const elementKey = 'element-6066-11e4-a52e-4f735466cecf';

export class Firefox {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: net.Socket;
  readonly #waiting = new Map<number, (answer: [unknown, unknown]) => void>();
  #received = Buffer.alloc(0);
  #next = 0;

  private constructor(process: ChildProcess, profile: string, socket: net.Socket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.on('data', (data) => this.#take(data));
  }

  static async launch(): Promise<Firefox> {
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-ptq-firefox-'));
    const port = await freePort();
    const preferences = { 'marionette.port': port, 'browser.shell.checkDefaultBrowser': false };
    fs.writeFileSync(
      path.join(profile, 'user.js'),
      Object.entries(preferences)
        .map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`)
        .join(''),
    );
    const child = spawn(
      executablePath!,
      ['--marionette', '--headless', '--no-remote', '--profile', profile],
      { stdio: 'ignore' },
    );
    const socket = await connect(port);
    const firefox = new Firefox(child, profile, socket);
    await firefox.#command('WebDriver:NewSession', {
      capabilities: { alwaysMatch: { 'moz:webdriverClick': false } },
    });
    await firefox.#command('WebDriver:SetTimeouts', { script: patience, pageLoad: patience });
    return firefox;
  }

  async open(url: string): Promise<void> {
    await this.#command('WebDriver:Navigate', { url });
  }

  /** Runs the body of a function in the page. */
  async run<Result>(script: string, ...args: unknown[]): Promise<Result> {
    const answer = await this.#command('WebDriver:ExecuteScript', { script, args });
    return (answer as { value: Result }).value;
  }

  /** Waits until the body of a function gives something true, and returns it. */
  async until<Result>(script: string): Promise<Result> {
    const end = performance.now() + patience;
    for (;;) {
      const value = await this.run<Result>(script);
      if (value) return value;
      if (performance.now() > end) throw new Error(`Still not so: ${script}`);
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }

  /** Gives files to the input that the selector finds. */
  async choose(selector: string, files: readonly string[]): Promise<void> {
    const found = (await this.#command('WebDriver:FindElement', {
      using: 'css selector',
      value: selector,
    })) as { value: Record<string, string> };
    const text = files.map((file) => path.resolve(file)).join('\n');
    await this.#command('WebDriver:ElementSendKeys', { id: found.value[elementKey], text });
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    fs.rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  #command(name: string, parameters: object): Promise<unknown> {
    const id = this.#next++;
    const message = JSON.stringify([0, id, name, parameters]);
    this.#socket.write(`${Buffer.byteLength(message)}:${message}`);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ([error, result]) => {
        if (error) reject(new Error(`${name}: ${(error as { message: string }).message}`));
        else resolve(result);
      });
    });
  }

  /** Messages are "length:json"; the first one is a greeting. */
  #take(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    for (;;) {
      const colon = this.#received.indexOf(':');
      if (colon < 0) return;
      const length = Number(this.#received.subarray(0, colon).toString());
      const end = colon + 1 + length;
      if (this.#received.length < end) return;
      const message = JSON.parse(this.#received.subarray(colon + 1, end).toString());
      this.#received = this.#received.subarray(end);
      if (!Array.isArray(message)) continue;
      const [, id, error, result] = message as [number, number, unknown, unknown];
      const answer = this.#waiting.get(id);
      this.#waiting.delete(id);
      answer?.([error, result]);
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** It listens a while after it was started. */
async function connect(port: number): Promise<net.Socket> {
  const end = performance.now() + patience;
  for (;;) {
    const socket = await new Promise<net.Socket | null>((resolve) => {
      const attempt = net.connect(port, '127.0.0.1');
      attempt.once('connect', () => resolve(attempt));
      attempt.once('error', () => resolve(null));
    });
    if (socket) return socket;
    if (performance.now() > end) throw new Error('Firefox does not listen');
    await new Promise((wake) => setTimeout(wake, 200));
  }
}
