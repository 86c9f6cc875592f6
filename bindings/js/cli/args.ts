// The command line as values: flags by the tables of options, under the reference's names, with `_`
// or `-`.
import { QuantizeError } from '../base/errors.js';
import { didYouMean } from '../base/near-matches.js';
import type { Sentence } from '../base/text.js';
import type { OptionValues } from '../base/types.js';
import { type Command, commands, commandTables, commandWords } from '../options/commands.js';
import { extraOptions } from '../options/extra-options.js';
import type { OptionSpec } from '../options/spec.js';

/** What only the command line has. */
export const runFlags = [
  {
    name: 'config',
    kind: 'path',
    default: null,
    for: ['command'],
    group: 'Command',
    help: 'JSON with parameters under these names; flags win; paths are relative to the working directory',
  },
  {
    name: 'save_config',
    kind: 'path',
    default: null,
    for: ['command'],
    group: 'Command',
    help: 'write the JSON that repeats this run with --config',
  },
  {
    name: 'json',
    kind: 'boolean',
    default: false,
    for: ['command'],
    group: 'Command',
    help: 'print the report as JSON on standard output',
  },
  {
    name: 'quiet',
    kind: 'boolean',
    default: false,
    for: ['command'],
    group: 'Command',
    aliases: ['q'],
    help: 'no progress and no summary; warnings and errors only',
  },
  {
    name: 'help',
    kind: 'boolean',
    default: false,
    for: ['command'],
    group: 'Command',
    aliases: ['h'],
    help: 'this text',
  },
  {
    name: 'version',
    kind: 'boolean',
    default: false,
    for: ['command'],
    group: 'Command',
    help: 'print the version, the commit, and what compiled the core',
  },
] as const satisfies readonly OptionSpec[];

export interface ParsedArgs {
  command: Command;
  /** Values of the command's options that were given as flags. */
  values: OptionValues;
  config: string | null;
  saveConfig: string | null;
  json: boolean;
  quiet: boolean;
  help: boolean;
  version: boolean;
}

function usage(message: string, hint?: string | Sentence): QuantizeError {
  return new QuantizeError('INVALID_OPTION', message, { hint: hint || 'see onnx-ptq --help' });
}

/**
 * Throws INVALID_OPTION for what it does not know, UNSUPPORTED_OPTION for a command of a later
 * version.
 */
export function parseArgs(argv: readonly string[]): ParsedArgs {
  const args = [...argv];
  const command = takeCommand(args);
  const flags = flagTable([...commandTables[command], ...runFlags]);
  const values: OptionValues = {};
  const words = [...(commandWords[command] ?? [])];
  while (args.length > 0) {
    const arg = args.shift() as string;
    if (words.length > 0 && !arg.startsWith('-')) {
      takeWord(values, flags.get(words[0]!)!, arg);
      if (flags.get(words[0]!)!.kind !== 'paths') words.shift();
      continue;
    }
    const { spec, label, inline } = matchFlag(arg, flags);
    const value = readValue(spec, label, inline, args);
    const before = values[spec.name];
    values[spec.name] = before === undefined ? value : merge(spec, before, value);
  }
  const take = (name: string) => {
    const value = values[name];
    delete values[name];
    return value;
  };
  return {
    config: (take('config') as string) ?? null,
    saveConfig: (take('save_config') as string) ?? null,
    json: take('json') === true,
    quiet: take('quiet') === true,
    help: take('help') === true,
    version: take('version') === true,
    command,
    values,
  };
}

function takeCommand(args: string[]): Command {
  const first = args[0];
  if (first === undefined || first.startsWith('-')) return 'quantize_static';
  const name = first.replaceAll('-', '_');
  if (!Object.hasOwn(commands, name)) {
    throw usage(`unknown command "${first}"`, didYouMean(name, Object.keys(commands)));
  }
  if (!Object.hasOwn(commandTables, name)) {
    throw new QuantizeError('UNSUPPORTED_OPTION', `the command ${name} is not available yet`);
  }
  args.shift();
  return name as Command;
}

/** A word without a flag: the value of `spec`, or one of its values. */
function takeWord(values: OptionValues, { name, kind }: OptionSpec, word: string): void {
  const before = values[name] as string[] | undefined;
  values[name] = kind === 'paths' ? [...(before ?? []), word] : word;
}

/** Flags by name, `-` written as `_`; of aliases too. */
function flagTable(specs: readonly OptionSpec[]): Map<string, OptionSpec> {
  const table = new Map<string, OptionSpec>();
  for (const spec of specs) {
    for (const name of [spec.name, ...(spec.aliases ?? [])]) table.set(name, spec);
  }
  return table;
}

function matchFlag(arg: string, flags: Map<string, OptionSpec>) {
  const [, dashes, written, inline] = /^(--?)([^=]+)(?:=([\s\S]*))?$/.exec(arg) ?? [];
  if (dashes === undefined || written === undefined) throw usage(`unexpected argument "${arg}"`);
  const name = written.replaceAll('-', '_');
  const spec = flags.get(name);
  // One dash for one letter, two for words.
  if (!spec || (name.length === 1) !== (dashes === '-')) {
    const long = [...flags.keys()].filter((key) => key.length > 1);
    throw usage(
      `unknown option "${dashes}${written}"`,
      didYouMean(name, long)
        ?.message.replaceAll('"', '')
        .replace(/(\w+)(?=,|\?| or )/g, '--$1'),
    );
  }
  return { spec, label: `${dashes}${written}`, inline };
}

/** A flag, as against a value: a dash that no number follows. */
const isFlag = (arg: string | undefined) => arg !== undefined && /^--?[A-Za-z]/.test(arg);

function readValue(
  spec: OptionSpec,
  label: string,
  inline: string | undefined,
  args: string[],
): unknown {
  const several = () => {
    if (inline !== undefined) return [inline];
    const words: string[] = [];
    while (args.length > 0 && !isFlag(args[0])) words.push(args.shift() as string);
    return words;
  };
  switch (spec.kind) {
    case 'boolean':
      return readBoolean(label, inline, args);
    case 'strings':
      return spec.commas ? several().flatMap((word) => word.split(',').filter(Boolean)) : several();
    case 'paths': {
      const words = several();
      if (words.length === 0) throw usage(`${label} needs a value`);
      return words;
    }
    case 'extra_options':
    case 'calibrate_args':
    case 'axes':
    case 'overrides':
      return readObject(label, several());
    case 'preprocess': {
      const words = several();
      if (words.length === 0) throw usage(`${label} needs a value`);
      return words.join(' ');
    }
    default: {
      const value = inline ?? (isFlag(args[0]) ? undefined : args.shift());
      if (value === undefined && spec.bare) return spec.bare;
      if (value === undefined) throw usage(`${label} needs a value`);
      if (spec.kind !== 'number' && spec.kind !== 'integer') return value;
      if (value.trim() === '' || Number.isNaN(Number(value))) {
        throw usage(`${label}: expected a number but received "${value}"`);
      }
      return Number(value);
    }
  }
}

function readBoolean(label: string, inline: string | undefined, args: string[]): boolean {
  const isWord = (text: string | undefined) => /^(true|false)$/i.test(text ?? '');
  const word = inline ?? (isWord(args[0]) ? args.shift() : 'true');
  if (!isWord(word)) throw usage(`${label}: expected true or false but received "${word}"`);
  return word?.toLowerCase() === 'true';
}

/** Words that are each a JSON object or key=value; later ones win. */
function readObject(label: string, words: string[]): Record<string, unknown> {
  if (words.length === 0) throw usage(`${label} needs a value`, 'such as ActivationSymmetric=true');
  const entries = new Map<string, unknown>();
  for (const word of words) {
    const equals = word.indexOf('=');
    if (word.trimStart().startsWith('{')) {
      for (const [key, value] of Object.entries(parseObject(label, word))) entries.set(key, value);
    } else if (equals > 0) {
      const key = word.slice(0, equals);
      entries.set(key, looseValue(key, word.slice(equals + 1)));
    } else {
      throw usage(`${label}: expected JSON or key=value but received "${word}"`);
    }
  }
  // A key may be "__proto__", which is then refused as any unknown one.
  return Object.fromEntries(entries);
}

function parseObject(label: string, text: string): object {
  try {
    return JSON.parse(text) as object;
  } catch (cause) {
    throw usage(`${label}: not valid JSON: ${(cause as Error).message}`);
  }
}

/** JSON, or Python's True, False and None; a list may be written a,b. */
function looseValue(key: string, text: string): unknown {
  const python: Record<string, unknown> = { True: true, False: false, None: null };
  if (Object.hasOwn(python, text)) return python[text];
  try {
    return JSON.parse(text);
  } catch {
    const spec = Object.hasOwn(extraOptions, key) ? extraOptions[key] : undefined;
    return spec?.kind === 'strings' ? text.split(',').filter(Boolean) : text;
  }
}

/** A flag given again: lists and objects grow, other values are replaced. */
function merge(spec: OptionSpec, before: unknown, value: unknown): unknown {
  if (spec.kind === 'strings' || spec.kind === 'paths') {
    return [...(before as string[]), ...(value as string[])];
  }
  const isObject = ['extra_options', 'calibrate_args', 'axes', 'overrides'].includes(spec.kind);
  return isObject ? { ...(before as object), ...(value as object) } : value;
}
