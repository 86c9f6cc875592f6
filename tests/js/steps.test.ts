// The steps of set-up and build, which run beside each other.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

type Work = () => Promise<unknown>;
const { run, step, together } = (await import(
  pathToFileURL(path.resolve('tools/lib/steps.mjs')).href
)) as {
  run(command: string, args: string[]): Promise<void>;
  step(title: string, work: Work): Promise<unknown>;
  together(...works: Work[]): Promise<unknown[]>;
};

const print = (text: string) =>
  run(process.execPath, ['-e', `console.log(${JSON.stringify(text)})`]);
const logOf = (name: string) => fs.readFileSync(path.join('build/logs', `${name}.log`), 'utf8');

test('what runs in a step goes to its own log, in one inside it to the outer log', async () => {
  await together(
    () => step('Steps test A', () => step('Steps test inner', () => print('of a'))),
    () => step('Steps test B', () => print('of b')),
  );
  assert.equal(logOf('steps-test-a'), 'of a\n');
  assert.equal(logOf('steps-test-b'), 'of b\n');
  assert.ok(!fs.existsSync('build/logs/steps-test-inner.log'));
});

test('where one of several fails, the others come to their end and its error is thrown', async () => {
  let ended = false;
  const slow = async () => {
    await print('slow');
    ended = true;
  };
  await assert.rejects(
    together(() => Promise.reject(new Error('first')), slow),
    { message: 'first' },
  );
  assert.ok(ended);
  assert.deepEqual(
    await together(
      async () => 1,
      async () => 'b',
    ),
    [1, 'b'],
  );
});
