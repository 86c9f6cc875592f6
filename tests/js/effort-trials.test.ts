// A candidate with adaptive rounding is made in parts, between which a run can be cancelled.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noRepairs } from '#dist/base/repairs.js';
import { Run } from '#dist/base/run.js';
import { type EffortInput, writeWith } from '#dist/effort/trials.js';

/** What is called of a core whose rounding has so many parts. */
function write(parts: number, round: boolean) {
  const calls: string[] = [];
  const cancelling = new AbortController();
  const core = {
    setRanges: () => calls.push('ranges'),
    beginRounding: () => calls.push('begin'),
    continueRounding() {
      calls.push('part');
      return --parts > 0;
    },
    quantize: () => calls.push('quantize'),
  };
  const given = {
    run: new Run({ signal: cancelling.signal }),
    core,
    output: { dataName: '' },
    checked: {},
    ranges: '{}',
  } as unknown as EffortInput;
  return { calls, cancelling, written: writeWith(given, given.ranges, { ...noRepairs, round }) };
}

test('it is rounded part by part before it is written', async () => {
  const { calls, written } = write(3, true);
  await written;
  assert.deepEqual(calls, ['ranges', 'begin', 'part', 'part', 'part', 'quantize']);
});

test('without adaptive rounding it is written at once', async () => {
  const { calls, written } = write(3, false);
  await written;
  assert.deepEqual(calls, ['ranges', 'quantize']);
});

test('an event that comes while it is rounded ends it', async () => {
  const { calls, cancelling, written } = write(100, true);
  setImmediate(() => cancelling.abort());
  await assert.rejects(written, { name: 'AbortError' });
  assert.ok(calls.length < 10, `${calls.length}`);
  assert.ok(!calls.includes('quantize'));
});
