// --help, from the tables of schema.ts.
import { commands, extraOptions, type OptionSpec } from '../schema.js';
import { commandOptions, type ParsedArgs, runFlags } from './args.js';

const valueNames: Partial<Record<OptionSpec['kind'], string>> = {
  path: 'FILE',
  paths: 'PATH...',
  string: 'NAME',
  strings: 'NAME...',
  number: 'NUMBER',
  integer: 'NUMBER',
  extra_options: 'KEY=VALUE...',
  preprocess: 'PRESET',
};

/** Wraps `text` at 100 columns, every line indented by `indent`. */
function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > 100) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`);
}

const column = 32;

function entry(head: string, text: string): string {
  const start = `  ${head}`;
  const gap = start.length < column ? ' '.repeat(column - start.length) : `\n${' '.repeat(column)}`;
  return start + gap + wrap(text, column);
}

function describeOption(spec: OptionSpec): string {
  const usable = spec.available ?? spec.values;
  const value = usable ? usable.join('|') : (valueNames[spec.kind] ?? '');
  const later = spec.values?.filter((item) => !usable?.includes(item)) ?? [];
  const notes = [
    spec.default === null || JSON.stringify(spec.default)?.length === 2
      ? ''
      : `default: ${spec.default}`,
    later.length > 0 ? `not available yet: ${later.join(', ')}` : '',
    spec.later ? 'not available yet' : '',
  ].filter(Boolean);
  const short = spec.aliases?.find((alias) => alias.length === 1);
  const long = spec.aliases?.find((alias) => alias.length > 1);
  const name = `${short ? `-${short}, ` : ''}--${long && spec.kind === 'path' ? `${long}` : spec.name}`;
  const note = notes.length > 0 ? ` (${notes.join('; ')})` : '';
  return entry(`${name}${value ? ` ${value}` : ''}`, spec.help + note);
}

function describeExtra(): string[] {
  return Object.entries(extraOptions).map(([name, spec]) => {
    const notes = [
      spec.default === null || JSON.stringify(spec.default)?.length === 2
        ? ''
        : `default: ${spec.default}`,
      spec.format ? `${spec.format} only` : '',
      spec.later ? 'not available yet' : '',
    ].filter(Boolean);
    return entry(name, spec.help + (notes.length > 0 ? ` (${notes.join('; ')})` : ''));
  });
}

/** The help text of a command. */
export function helpText(command: ParsedArgs['command']): string {
  const isMain = command === 'quantize_static';
  const lines = [
    isMain
      ? 'onnx-ptq: static post-training quantization of ONNX models'
      : `onnx-ptq ${command}: ${commands[command]?.help}`,
    '',
    isMain
      ? '  onnx-ptq --input_model model.onnx --output_model model.quant.onnx --calibrate_dataset images/'
      : `  onnx-ptq ${command} --input_model model.onnx --output_model model.prepared.onnx`,
  ];
  const specs: readonly OptionSpec[] = [...commandOptions(command), ...runFlags];
  for (const group of new Set(specs.map((spec) => spec.group))) {
    lines.push('', `${group}:`);
    lines.push(...specs.filter((spec) => spec.group === group).map(describeOption));
    if (group === 'Extra options') lines.push(...describeExtra());
  }
  if (isMain) {
    lines.push('', 'Commands:');
    for (const [name, { help, available }] of Object.entries(commands)) {
      lines.push(entry(name, available ? help : `${help} (not available yet)`));
    }
  }
  lines.push(
    '',
    'Flags may be written with - in place of _. Exit code: 0 done, 1 failed, 2 bad usage.',
    '',
  );
  return lines.join('\n');
}
