import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { didYouMean, editDistance, nearMatches } from '#dist/base/near-matches.js';

test('edit distance counts insertions, deletions and substitutions, not case', () => {
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(editDistance('QDQ', 'qdq'), 0);
});

test('near matches come closest first and far names not at all', () => {
  const known = ['per_channel', 'per_tensor', 'reduce_range'];
  assert.deepEqual(nearMatches('per_chanel', known), ['per_channel']);
  assert.deepEqual(nearMatches('channel', known), ['per_channel']);
  assert.deepEqual(nearMatches('zzzzzz', known), []);
});

test('did you mean lists up to three names', () => {
  const said = (...known: string[]) => didYouMean('conv1', known)?.message;
  assert.equal(said('conv2'), 'did you mean "conv2"?');
  assert.equal(said('conv2', 'conv3'), 'did you mean "conv2" or "conv3"?');
  assert.equal(said('conv2', 'conv3', 'conv4'), 'did you mean "conv2", "conv3" or "conv4"?');
  assert.equal(said('matmul'), undefined);
});

test('the same names as in the core', () => {
  const { cases } = JSON.parse(fs.readFileSync('tests/fixtures/near_matches.json', 'utf8'));
  assert.ok(cases.length > 20);
  for (const { name, known, expected } of cases) {
    assert.deepEqual(nearMatches(name, known), expected, name);
  }
});
