// --help, from the tables of options.

import { commands, commandTables } from '../options/commands.js';
import { sentence, valueText } from '../options/describe-option.js';
import { extraOptions } from '../options/extra-options.js';
import type { OptionSpec } from '../options/spec.js';
import { type ParsedArgs, runFlags } from './args.js';

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
  const value = valueText(spec);
  const short = spec.aliases?.find((alias) => alias.length === 1);
  const long = spec.aliases?.find((alias) => alias.length > 1);
  const name = `${short ? `-${short}, ` : ''}--${long && spec.kind === 'path' ? `${long}` : spec.name}`;
  return entry(`${name}${value ? ` ${value}` : ''}`, sentence(spec));
}

const examples: Partial<Record<ParsedArgs['command'], string>> = {
  preprocess: '  onnx-ptq preprocess --input_model model.onnx --output_model model.prepared.onnx',
  debug: '  onnx-ptq debug model.onnx model.quant.onnx --dataset images/',
  compare: '  onnx-ptq compare model.onnx model.quant.onnx --dataset images/',
  evaluate: '  onnx-ptq evaluate model.onnx model.quant.onnx --dataset images/ --labels labels.csv',
};

/** The help text of a command. */
export function helpText(command: ParsedArgs['command']): string {
  const isMain = command === 'quantize_static';
  const lines = [
    isMain
      ? 'onnx-ptq: static post-training quantization of ONNX models'
      : `onnx-ptq ${command}: ${commands[command]}`,
    '',
    isMain
      ? '  onnx-ptq --input_model model.onnx --output_model model.quant.onnx --calibrate_dataset images/'
      : (examples[command] ??
        `  onnx-ptq ${command} --input_model model.onnx --save_config config.json`),
  ];
  const specs: readonly OptionSpec[] = [...commandTables[command], ...runFlags];
  for (const group of new Set(specs.map((spec) => spec.group))) {
    lines.push('', `${group}:`);
    lines.push(...specs.filter((spec) => spec.group === group).map(describeOption));
    if (group === 'Extra options') {
      lines.push(
        ...Object.entries(extraOptions).map(([name, spec]) => entry(name, sentence(spec))),
      );
    }
  }
  if (isMain) {
    lines.push('', 'Commands:');
    for (const [name, help] of Object.entries(commands)) {
      const later = Object.hasOwn(commandTables, name) ? '' : ' (not available yet)';
      lines.push(entry(name, help + later));
    }
  }
  lines.push(
    '',
    'Flags may be written with - in place of _. Exit code: 0 done, 1 failed, 2 bad usage.',
    ...(command === 'compare' || command === 'evaluate'
      ? ['Exit code 3: below a line that is given with --strict.']
      : []),
    '',
  );
  return lines.join('\n');
}
