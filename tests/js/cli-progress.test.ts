import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesText } from '#dist/base/values.js';
import { duration, ProgressLine } from '#dist/cli/progress.js';

function record(isTTY: boolean) {
  const stream = { isTTY, columns: 60, text: '', write: (text: string) => (stream.text += text) };
  return stream;
}

test('a terminal gets one line that updates itself, with the time left', () => {
  const stream = record(true);
  const progress = new ProgressLine(stream, false, () => '100 images');
  progress.update({ stage: 'calibrate', done: 0, total: 100 });
  progress.update({ stage: 'calibrate', done: 25, total: 100, secondsLeft: 61.2 });
  assert.match(stream.text, /\r.*25\/100, 1 min 2 s left/);
  assert.match(stream.text, /100 images\n/);
  progress.end(true);
  assert.ok(stream.text.endsWith('\r\x1b[K'));
  for (const line of stream.text.split(/[\r\n]/)) {
    assert.ok(line.replace('\x1b[K', '').length < 60);
  }
});

test('elsewhere a line for each finished stage, nothing for one that failed', () => {
  const stream = record(false);
  const progress = new ProgressLine(stream, false, () => '100 images');
  progress.update({ stage: 'load', done: 0 });
  progress.update({ stage: 'calibrate', done: 0 });
  assert.equal(stream.text, '');
  progress.update({ stage: 'calibrate', done: 3, total: 3 });
  progress.update({ stage: 'quantize', done: 0 });
  assert.match(stream.text, /^100 images\ncalibrated: 3 samples \(\d+\.\d s\)\n$/);
  const before = stream.text;
  progress.end(false);
  assert.equal(stream.text, before);
});

test('quiet prints no progress', () => {
  const stream = record(true);
  const progress = new ProgressLine(stream, true, () => 'x');
  progress.update({ stage: 'calibrate', done: 1, total: 2 });
  progress.end(true);
  assert.equal(stream.text, '');
});

test('times and sizes are for people', () => {
  assert.equal(duration(0.2), '1 s');
  assert.equal(duration(125), '2 min 5 s');
  assert.equal(bytesText(999), '999 B');
  assert.equal(bytesText(14226134), '14.2 MB');
  assert.equal(bytesText(999_700), '1.00 MB');
});
