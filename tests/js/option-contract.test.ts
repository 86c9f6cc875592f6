// The tables of options and the core, held together: both know the same options with the same
// defaults, which heed the same formats and calibration methods.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '#dist/set-up-node.js';
import { loadCore } from '#dist/core/load.js';
import { calibrateOptions } from '#dist/options/calibrate.js';
import { commandTables } from '#dist/options/commands.js';
import { rangeOptions } from '#dist/options/core-options.js';
import { extraOptions } from '#dist/options/extra-options.js';
import type { Row } from '#dist/options/kinds.js';
import { calibrationMethods, quantFormats } from '#dist/options/quant-types.js';
import { quantizeStaticOptions } from '#dist/options/quantize-static.js';
import { isFor } from '#dist/options/spec.js';
import { checkQuantizeStatic } from './support/options.js';

interface CoreRow {
  default: unknown;
  format?: string;
  methods?: string[];
}
const core: { parameters: Record<string, unknown>; extra_options: Record<string, CoreRow> } =
  JSON.parse((await loadCore()).optionDefaults());

/** Rows that the core is sent, by name. */
const parameters = new Map<string, Row>(
  [...quantizeStaticOptions, ...calibrateOptions]
    .filter((spec) => isFor(spec, 'core') && spec.name !== 'extra_options')
    .map((spec) => [spec.name, spec]),
);
const sent = Object.entries(extraOptions).filter(([, spec]) => isFor(spec, 'core') && !spec.later);

test('the core knows the parameters that it is sent, and no others', () => {
  const { extra_options: extra, ...known } = core.parameters;
  assert.deepEqual(extra, {});
  // The last one is no option: calibrate() says it where nothing else is made of the samples.
  const sentNames = [...parameters.keys(), 'only_percentile'];
  assert.deepEqual(Object.keys(known).sort(), sentNames.sort());
});

test('the core knows the extra options that it is sent, and no others', () => {
  assert.deepEqual(Object.keys(core.extra_options).sort(), sent.map(([name]) => name).sort());
});

test('the defaults of the core are those of the tables', () => {
  for (const [name, spec] of parameters)
    assert.deepEqual(core.parameters[name], spec.default, name);
  for (const [name, spec] of sent) {
    assert.deepEqual(core.extra_options[name]?.default, spec.default, name);
  }
});

test('the formats and methods that heed an extra option are the same in both', () => {
  for (const [name, spec] of sent) {
    const { format, methods } = core.extra_options[name]!;
    assert.equal(format, spec.format, name);
    assert.deepEqual(methods, spec.methods, name);
  }
});

/** Another value than the default. */
function changed({ kind, default: usual, values }: (typeof extraOptions)[string]): unknown {
  if (kind === 'boolean') return !usual;
  if (kind === 'enum') return values?.find((value) => value !== usual);
  if (kind === 'strings') return ['Conv'];
  if (kind === 'axes') return { MatMul: 1 };
  if (kind === 'overrides') return { x: [{}] };
  return kind === 'integer' ? 1024 : 1;
}

test('an option is refused exactly where its row says that it has no effect', () => {
  for (const [name, spec] of sent) {
    for (const format of quantFormats) {
      for (const method of calibrationMethods) {
        const heeded =
          (spec.format ?? format) === format && (spec.methods?.includes(method) ?? true);
        const check = () =>
          checkQuantizeStatic({
            quant_format: format,
            calibrate_method: method,
            extra_options: { [name]: changed(spec) },
          });
        // An option that calibration cannot carry out is not one that has no effect.
        const inBodies = name === 'EnableSubgraph' && method !== 'MinMax';
        if (inBodies) assert.throws(check, /observed by MinMax only/);
        else if (heeded) assert.doesNotThrow(check, `${name} ${format} ${method}`);
        else assert.throws(check, /has no effect with/, `${name} ${format} ${method}`);
      }
    }
  }
});

test('every row says who it is for, and ranges depend on nothing that the core is not sent', () => {
  for (const [command, table] of Object.entries(commandTables)) {
    for (const spec of table) {
      assert.ok(spec.for.length > 0, `${command} ${spec.name}`);
      if (isFor(spec, 'ranges')) assert.ok(isFor(spec, 'core'), `${command} ${spec.name}`);
    }
  }
  for (const [name, spec] of Object.entries(extraOptions)) {
    assert.ok(isFor(spec, 'core'), name);
  }
});

test('a calibration state depends on what ranges depend on, however a run was given it', () => {
  const run = rangeOptions(checkQuantizeStatic({}));
  const same = { per_channel: true, nodes_to_exclude: ['a'], workers: 3 };
  assert.deepEqual(rangeOptions(checkQuantizeStatic(same)), run);
  for (const other of [
    { calibrate_method: 'Entropy' },
    { optimize_model: false },
    { effort: 'fast' },
    { op_types_to_quantize: ['Conv'] },
    { extra_options: { ActivationSymmetric: true } },
  ]) {
    assert.notDeepEqual(rangeOptions(checkQuantizeStatic(other)), run);
  }
});
