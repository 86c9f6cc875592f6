// The command, from its words to its exit code. --help and --version load nothing but the tables of
// options; what carries a command out comes when there is one.
import fs from 'node:fs';
import { QuantizeError } from '../base/errors.js';
import { parseArgs } from './args.js';
import type { CommandContext } from './command-context.js';
import { errorText } from './error-text.js';
import { helpText } from './help.js';
import { type OutStream, print } from './print.js';
import type { ProgressStream } from './progress.js';

export interface CommandStreams {
  out: OutStream;
  err: ProgressStream;
}

/**
 * Runs one command. Returns its exit code: 0 done, 1 failed, 2 bad usage, 3 below a line of strict.
 */
export async function runCommand(
  argv: readonly string[],
  { out, err }: CommandStreams,
  signal?: AbortSignal,
): Promise<number> {
  let context: CommandContext | null = null;
  try {
    const args = parseArgs(argv);
    if (args.help) await print(out, helpText(args.command));
    else if (args.version) await print(out, versionText());
    else {
      const [{ CommandContext }, { runParsed }] = await Promise.all([
        import('./command-context.js'),
        import('./run-parsed.js'),
      ]);
      context = new CommandContext(args, out, err, signal);
      const code = await runParsed(args, out, context);
      if (typeof code === 'number') return code;
    }
    return 0;
  } catch (error) {
    context?.end();
    if (signal?.aborted) {
      const kept = context?.state?.kept
        ? `what was calibrated is in ${context.state.path}: --resume goes on from there`
        : 'nothing was written';
      err.write(`cancelled; ${kept}\n`);
      return 1;
    }
    err.write(errorText(error));
    return exitCode(error);
  }
}

/** The version alone on the first line; then what was built (tools/lib/build-facts.mjs). */
function versionText(): string {
  const read = (file: string) =>
    JSON.parse(fs.readFileSync(new URL(file, import.meta.url), 'utf8'));
  const { commit, compiler } = read('../build.json');
  return `${read('../../package.json').version}\ncommit ${commit}\n${compiler}\n`;
}

function exitCode(error: unknown): number {
  const usage = ['INVALID_OPTION', 'UNSUPPORTED_OPTION'];
  return error instanceof QuantizeError && usage.includes(error.code) ? 2 : 1;
}
