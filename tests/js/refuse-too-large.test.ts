import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InputFiles } from '#dist/base/bytes.js';
import { refuseTooLarge } from '#dist/jobs/refuse-too-large.js';

const sized = (size: number) => ({ source: () => ({ size }) }) as unknown as InputFiles;
const planOf = (integerWeights: number, floatBytes: number) => ({
  plan: () => ({ integerWeights, weights: { floatBytes, bytes: floatBytes, left: [] } }),
});
const model = { externalFiles: [] };

test('weights that no file can hold are refused, with the way out', () => {
  assert.throws(() => refuseTooLarge(sized(2 ** 33), model, planOf(2 ** 30, 2 ** 30)), {
    code: 'UNSUPPORTED_MODEL',
    message: /2147483648 bytes/,
    hint: /use_external_data_format/,
  });
  assert.doesNotThrow(() => refuseTooLarge(sized(2 ** 33), model, planOf(2 ** 30, 2 ** 30 - 1)));
});

test('a model that fits itself is not planned for that', () => {
  refuseTooLarge(sized(2 ** 31 - 1), model, {
    plan: () => assert.fail('it was planned'),
  });
});
