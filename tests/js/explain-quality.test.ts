// Warnings about a poor result: where, why, and what was tried; and about a slow one.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { Diagnostic, Feeds, ValueSummary } from '#dist/base/types.js';
import { quantizeStatic } from '#dist/index.js';
import { judgeQuality } from '#dist/verify/judge.js';
import { judgeLatency } from '#dist/verify/judge-latency.js';
import { writeModel } from './support/onnx-writer.js';
import { imageSamples, model, noise, temporaryFolder } from './support/pipeline.js';

const channels = 16;
/** Channels of the first layer are up to 4000 times apart; the second, by channel, undoes it. */
function collapsing(): string {
  const file = path.join(temporaryFolder(), 'collapsing.onnx');
  const scale = (channel: number) => 4000 ** (channel / channels);
  writeModel(file, {
    nodes: [
      { opType: 'Conv', name: 'first', inputs: ['x', 'w'], outputs: ['a'] },
      {
        opType: 'Conv',
        name: 'second',
        inputs: ['a', 'v'],
        outputs: ['y'],
        ints: { group: channels },
      },
    ],
    weights: [
      {
        name: 'w',
        dims: [channels, channels, 1, 1],
        pattern: noise(channels ** 2, 1).map((w, i) => w * scale(Math.floor(i / channels))),
      },
      {
        name: 'v',
        dims: [channels, 1, 1, 1],
        pattern: noise(channels, 2).map((_, i) => 1 / scale(i)),
      },
    ],
    inputs: [{ name: 'x', dims: [1, channels, 4, 4] }],
    outputs: [{ name: 'y', dims: [1, channels, 4, 4] }],
  });
  return file;
}
const samples = Array.from(
  { length: 8 },
  (_, i): Feeds => ({
    x: { type: 'float32', dims: [1, channels, 4, 4], data: noise(channels * 16, i + 1) },
  }),
);

/** The logarithm of what a layer reads: 8 bits leave nothing of small values. */
function wideRange(): string {
  const file = path.join(temporaryFolder(), 'wide-range.onnx');
  writeModel(file, {
    nodes: [
      { opType: 'Conv', name: 'front', inputs: ['x', 'w'], outputs: ['a'] },
      { opType: 'Log', name: 'log', inputs: ['a'], outputs: ['l'] },
      { opType: 'Conv', name: 'second', inputs: ['l', 'v'], outputs: ['y'] },
    ],
    weights: [
      { name: 'w', dims: [1, 1, 1, 1], pattern: Float32Array.of(1) },
      { name: 'v', dims: [channels, 1, 1, 1], pattern: noise(channels, 3) },
    ],
    inputs: [{ name: 'x', dims: [1, 1, 8, 8] }],
    outputs: [{ name: 'y', dims: [1, channels, 8, 8] }],
  });
  return file;
}
const wideSamples = Array.from(
  { length: 8 },
  (_, i): Feeds => ({
    x: {
      type: 'float32',
      dims: [1, 1, 8, 8],
      data: noise(64, i + 1).map((value) => Math.exp(8 * value - 8)),
    },
  }),
);

// Of 16 bits activations are no part of what goes wrong.
const plain = { quantFormat: 'QDQ', activationType: 'QUInt16', weightType: 'QInt8' } as const;
const poorOf = ({ diagnostics }: { diagnostics: Diagnostic[] }) =>
  diagnostics.find(({ code }) => code === 'POOR_QUALITY')!;

test('a poor result is explained: layer, tensor, cause, and what was tried', async () => {
  const { report } = await quantizeStatic({
    modelInput: collapsing(),
    calibrationDataReader: samples,
    ...plain,
    // Nothing that is looked for mends it.
    effort: 'fast',
    maxFloatNodes: 0,
    calibrateMethod: 'Entropy',
  });
  const poor = poorOf(report);
  assert.match(
    poor.message,
    /SQNR -?[\d.]+ dB; \d+ % of it comes from "(first|second)": "[wv]": \d+ of its 16 channels use less/,
  );
  assert.ok(poor.node && poor.tensor);
  assert.match(poor.hint!, /^tried here: --per_channel \([3-9]\d\.\d dB\)/);
});

test('with effort none settings are tried, and causes are left to those who ask', async () => {
  const none = { modelInput: collapsing(), effort: 'none', ...plain } as const;
  const { report, model: bytes } = await quantizeStatic({
    ...none,
    calibrationDataReader: samples,
  });
  const poor = poorOf(report);
  assert.match(poor.message, /SQNR -?[\d.]+ dB$/);
  assert.match(poor.hint!, /^tried here: --per_channel \([3-9]\d\.\d dB\)/);
  assert.match(poor.hint!, /; --effort normal looks for repairs by itself, onnx-ptq debug says/);
  // The result is the one that was asked for, not the last one that was tried.
  const { model: again } = await quantizeStatic({
    ...none,
    calibrationCache: report.calibrationCache,
  });
  assert.ok(Buffer.from(bytes as Uint8Array).equals(Buffer.from(again as Uint8Array)));
  // What is advised gives what was said.
  const { report: better } = await quantizeStatic({
    ...none,
    calibrationDataReader: samples,
    perChannel: true,
  });
  assert.ok(poor.hint!.includes(`(${better.quality.sqnr!.toFixed(1)} dB)`), poor.hint);
});

test('activations of 16 bits are tried where there are 8: a remedy, or a choice of size', async () => {
  const { report } = await quantizeStatic({
    modelInput: wideRange(),
    calibrationDataReader: wideSamples,
    effort: 'none',
    quantFormat: 'QDQ',
    weightType: 'QInt8',
  });
  const hintOf = (of: typeof report) => poorOf(of).hint!;
  const time = String.raw`\d+\.\d\d ms`;
  assert.match(
    hintOf(report),
    new RegExp(
      `--activation_type QUInt16 \\([1-9]\\d\\.\\d dB; small, but computed in float: ${time} beside ${time} of`,
    ),
  );
  const onQnn = await quantizeStatic({
    modelInput: wideRange(),
    calibrationDataReader: wideSamples,
    effort: 'none',
    profile: 'qnn',
  });
  assert.match(hintOf(onQnn.report), /tried here: .*--activation_type QUInt16 \([1-9]\d\.\d dB\)/);
  const onNnapi = await quantizeStatic({
    modelInput: wideRange(),
    calibrationDataReader: wideSamples,
    effort: 'none',
    profile: 'nnapi',
  });
  assert.doesNotMatch(hintOf(onNnapi.report), /QUInt16/);
});

test('a good result is not diagnosed; both latencies are in the report', async () => {
  const { report } = await quantizeStatic({
    modelInput: model('classifier.onnx'),
    calibrationDataReader: imageSamples(4),
  });
  assert.ok(!report.diagnostics.some(({ code }) => code === 'POOR_QUALITY'));
  const { latency } = report.quality;
  assert.ok(latency!.float > 0 && latency!.quantized > 0);
});

const output: ValueSummary = { name: 'y', type: 'float32', shape: null };
const quality = {
  samples: 1,
  loaded: true,
  heldOut: false,
  sqnr: 4,
  top1: null,
  latency: null,
  outputs: [
    {
      name: 'y',
      compared: 1,
      exact: false,
      broken: false,
      sqnr: 4,
      spread: [4, 4] as [number, number],
      different: null,
      sizes: null,
    },
  ],
};
const hintOf = (explanation: Parameters<typeof judgeQuality>[2]) =>
  judgeQuality(quality, { outputs: [output], opTypes: {} } as never, explanation)[0]!.hint!;

test('what was tried without gain is no advice; what did not run is not named', () => {
  const tried = [
    { flags: '--per_channel', sqnr: 5 },
    { flags: '--nodes_to_exclude n', sqnr: null },
  ];
  assert.equal(
    hintOf({ worst: null, tried, effort: 'fast' }),
    '--effort fast looks for repairs by itself, onnx-ptq debug says where it goes wrong, and why; tried without gain: --per_channel',
  );
  const cause = { tensor: 't', text: 'a mask', remedy: 'leave it float' };
  const worst = { node: 'n', tensor: 't', share: 0.5, cause };
  assert.match(hintOf({ worst, tried: [], effort: null }), /^leave it float$/);
  const best = [...tried, { flags: '--quant_format QDQ', sqnr: 30 }];
  assert.match(
    hintOf({ worst, tried: best, effort: null }),
    /^tried here: --quant_format QDQ \(30\.0 dB\)$/,
  );
  assert.match(hintOf(null), /onnx-ptq debug/);
});

test('a result that is clearly slower is warned about, with both figures', () => {
  const codes = (float: number, quantized: number) =>
    judgeLatency({ latency: { float, quantized } }, true).map(({ code }) => code);
  assert.deepEqual(codes(8, 14.5), ['SLOWER_THAN_FLOAT']);
  assert.deepEqual(codes(8, 8.5), []);
  assert.deepEqual(codes(0.01, 0.05), []); // too short to tell
  assert.deepEqual(codes(0.12, 0.65), []); // nor is it told by one of them
  assert.deepEqual(judgeLatency({ latency: null }, true), []);
  const [warning] = judgeLatency({ latency: { float: 8.123, quantized: 14.5 } }, true);
  assert.match(warning!.message, /1\.8 times .*8\.12 ms float, 14\.5 ms quantized/);
});
