// The types of the API come from the schema: this file holds them to it when it is compiled, so
// that a lost type (an option that takes anything) fails the build.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExtraOptions, QuantConfig, QuantizeStaticOptions, StaticQuantConfig } from 'onnx-ptq';
import { checkQuantizeStatic } from './support/options.js';

test('options are typed by name and value', () => {
  const extraOptions: ExtraOptions = {
    BlockSize: 32,
    WeightSymmetric: null,
    OpTypesToExcludeOutputQuantization: ['Conv'],
    QDQOpTypePerChannelSupportToAxis: { MatMul: 1 },
    TensorQuantOverrides: { x: [{ quant_type: 'QUInt16', convert: { quant_type: 'QUInt8' } }] },
  };
  const options: QuantizeStaticOptions = {
    modelInput: 'model.onnx',
    quantFormat: 'QDQ',
    weightType: 'QInt4',
    nodesToExclude: ['a'],
    profile: 'web-wasm',
    extraOptions,
  };
  assert.ok(options);
  // @ts-expect-error there is no such option
  const unknownOption: QuantizeStaticOptions = { modelInput: '', perChanel: true };
  // @ts-expect-error the command has it, the API has a reader
  const ofCommand: QuantizeStaticOptions = { modelInput: '', calibrateDataset: 'images' };
  // @ts-expect-error there is no such type
  const unknownType: QuantizeStaticOptions = { modelInput: '', weightType: 'QInt9' };
  // @ts-expect-error there is no such extra option
  const unknownExtra: ExtraOptions = { BlockSiz: 32 };
  // @ts-expect-error it is a number
  const wrongExtra: ExtraOptions = { BlockSize: '32' };
  // @ts-expect-error a type that does not exist
  const override: ExtraOptions = { TensorQuantOverrides: { x: [{ quant_type: 'QInt9' }] } };
  // @ts-expect-error a configuration has the reference's names
  const camelCase: QuantConfig = { perChannel: true };
  // All of them are what validation refuses, too.
  assert.throws(() => checkQuantizeStatic({ extra_options: unknownExtra as never }));
  assert.throws(() => checkQuantizeStatic({ extra_options: wrongExtra as never }));
  assert.throws(() => checkQuantizeStatic({ extra_options: override as never }));
  assert.throws(() => checkQuantizeStatic({ ...camelCase }));
  assert.ok([unknownOption, ofCommand, unknownType]);
});

test('what getQdqConfig returns is a configuration that quantize takes', () => {
  const run = (config: StaticQuantConfig): QuantConfig => config;
  assert.equal(run.length, 1);
});
