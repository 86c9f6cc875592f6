// The pages of docs/ that are made from the library's own tables: what they say cannot go stale
// (tests/js/docs.test.ts holds them to it).
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './paths.mjs';
import { replaceSection, table } from './sections.mjs';

const library = (module) => import(pathToFileURL(path.join(root, 'dist', module)).href);

const generated = (from) => `<!-- Made from ${from} by \`npm run docs\`: change it there. -->`;

const code = (text) => (text === '' ? '' : `\`${text}\``);

/** Text by file, relative to the repository's root. */
export async function generatedPages() {
  return {
    'docs/operators.md': await operatorsPage(),
    'docs/options.md': await optionsPage(),
    'docs/preparing.md': await preparingPage(),
    'docs/profiles.md': await profilesPage(),
  };
}

async function operatorsPage() {
  const { loadCore } = await library('core/load.js');
  const rows = JSON.parse((await loadCore()).operators());
  const opset = ({ minOpset }) => (minOpset > 1 ? `, from opset ${minOpset}` : '');
  const byDefault = rows.filter((row) => row.byDefault);
  const named = rows.filter((row) => !row.byDefault);
  const parts = [
    generated('src/ops/op_registry.cc'),
    '# Operators',
    `${byDefault.length} op types are quantized when \`op_types_to_quantize\` is empty: those of the reference's two static ` +
      'registries. "Shares" means: the same scale and zero point, so that data is only moved. A node that stays float is ' +
      'listed in the report with the reason. No float16 in the QOperator format, whose kernels take float32 scales.',
    table(
      ['op type', 'QDQ: what is quantized', 'QOperator: what it becomes'],
      byDefault.map((row) => [code(row.opType), row.qdq + opset(row), row.qOperator + opset(row)]),
    ),
    '## If named',
    'These are quantized if `op_types_to_quantize` names them, in the QDQ format. So is any other op type of ONNX or ' +
      'com.microsoft with float tensors; these are known to be fused or run by runtimes, and tested here.',
    table(
      ['op type', 'QDQ: what is quantized'],
      named.map((row) => [code(row.opType), row.qdq]),
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Written by hand, but for the table of the passes. */
async function preparingPage() {
  const { loadCore } = await library('core/load.js');
  const passes = JSON.parse((await loadCore()).passes());
  const rows = passes.map(({ name, description }) => [code(name), description]);
  const page = fs.readFileSync(path.join(root, 'docs/preparing.md'), 'utf8');
  return replaceSection(page, 'passes', table(['pass', 'what becomes of what'], rows));
}

async function optionsPage() {
  const { commands, commandTables } = await library('options/commands.js');
  const { extraOptions } = await library('options/extra-options.js');
  const { camelCase } = await library('options/spec.js');
  const { defaultText, laterText, valueText } = await library('options/describe-option.js');
  const meaning = (spec) => spec.help + (laterText(spec) ? ` (${laterText(spec)})` : '');
  const rows = (specs) =>
    specs.map((spec) => [
      code(spec.name),
      spec.kind === 'boolean' ? '`true`, `false`' : valueText(spec).split('|').map(code).join(', '),
      code(defaultText(spec)),
      meaning(spec),
    ]);
  const kinds = {
    boolean: '`true`, `false`',
    number: 'number',
    integer: 'whole number',
    strings: 'list of op types',
    axes: 'object: axis by op type',
    overrides: 'object, see below',
  };
  const extraRows = Object.entries(extraOptions).map(([name, spec]) => [
    code(name),
    spec.values?.map(code).join(', ') ?? kinds[spec.kind],
    code(defaultText(spec)),
    spec.format ?? 'both',
    meaning(spec),
  ]);
  const head = ['option', 'value', 'default', 'meaning'];
  const example = 'calibration_cache_path';
  const parts = [
    generated('the tables in bindings/js/options'),
    '# Options',
    `Every option has the reference's name, and one spelling for each place: \`${example}\` in a configuration file, ` +
      `\`--${example}\` (or with \`-\`) on the command line, \`${camelCase(example)}\` in the API. Keys of ` +
      '`extra_options` are spelled the same everywhere. An empty default means: not set, or an empty list or object. ' +
      '`null` is the default, too. An option that has no effect is fine at its default and refused otherwise.',
    ...Object.entries(commandTables).flatMap(([command, specs]) => [
      `## ${command}`,
      `${commands[command][0].toUpperCase()}${commands[command].slice(1)}.`,
      table(head, rows(specs)),
    ]),
    '## extra_options',
    table(['key', 'value', 'default', 'format', 'meaning'], extraRows),
    overridesSection,
    refusedSection,
  ];
  return `${parts.join('\n\n')}\n`;
}

async function profilesPage() {
  const { profiles } = await library('options/profiles.js');
  const sections = Object.entries(profiles).flatMap(([name, profile]) => {
    const fields = { ...profile.parameters, ...profile.extra_options };
    const rows = Object.entries(fields).map(([field, { value, reason }]) => [
      code(field),
      code(String(value)),
      reason,
    ]);
    const sources = profile.sources.map(({ title, url }) => `[${title}](${url})`).join(', ');
    return [
      `## ${name}`,
      `For ${profile.target}.`,
      table(['parameter', 'value', 'why'], rows),
      ...(profile.note ? [profile.note] : []),
      `Sources: ${sources}.`,
    ];
  });
  const parts = [
    generated('bindings/js/options/profiles.ts'),
    '# Profiles',
    '`--profile NAME` (in the API `profile`) sets the parameters that suit where the model will run. A parameter that is ' +
      'given explicitly always wins, and an option without effect in the chosen format is left out. The result is loaded ' +
      'and run in onnxruntime-web whatever the profile; what only the target itself could tell follows the published rules ' +
      'that are named.',
    ...sections,
  ];
  return `${parts.join('\n\n')}\n`;
}

const overridesSection = `## TensorQuantOverrides

Parameters by tensor name: a list with one object (for the tensor, or with \`axis\` for all of its channels) or with as
many as it has channels. What is left out is as without the override.

\`\`\`json
{
  "features": [{ "quant_type": "QUInt16", "convert": { "quant_type": "QUInt8", "recv_nodes": ["Conv_7"] } }],
  "fc.weight": [{ "quant_type": "QInt8", "axis": 0, "symmetric": true }],
  "scores": [{ "scale": 0.00390625, "zero_point": 0 }]
}
\`\`\`

${table(
  ['key', 'meaning'],
  [
    ['`quant_type`', 'its type'],
    ['`scale`, `zero_point`', 'both or none; then none of the next three'],
    [
      '`rmin`, `rmax`',
      'ends of the range, in place of the calibrated ones; per channel both or none',
    ],
    ['`symmetric`', 'range mirrored about 0'],
    ['`reduce_range`', 'one bit less; initializers only'],
    [
      '`axis`',
      'per channel along this axis, negative ones from the end; initializers only, in the first object',
    ],
    [
      '`convert`',
      'activations only, QDQ only: an object with another `quant_type`, the keys above but the last two, and `recv_nodes`, the nodes that get this type (absent: all)',
    ],
  ],
)}`;

const refusedSection = `## What does not go together

Refused before any work, with exit code 2 (\`UNSUPPORTED_OPTION\`):

- QInt8 activations with QUInt8 weights: no runtime has kernels for them.
- QFLOAT8E4M3FN for only one of activations and weights, or with another \`calibrate_method\` than Distribution.
- 16-bit and 4-bit types, and \`convert\`, in QOperator: the quantized operators take 8 bits.
- \`DedicatedQDQPair\` with \`convert\`.
- An option of one format in the other.

Defaults that differ from those of Python's newest release are listed in [differences.md](differences.md#defaults).`;
