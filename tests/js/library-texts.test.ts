// Sentences of the library: their parts, and their Chinese.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import vm from 'node:vm';
import { asMessage, say, translate } from '#dist/base/text.js';
import { QuantizeError } from '#dist/index.js';
import { libraryForms } from './support/library-forms.js';

/** The page's own module, as plain data. */
function readChinese(): Record<string, string> {
  const source = fs.readFileSync('web/i18n/library.zh-CN.ts', 'utf8');
  const [, body] = /libraryForms[^=]*= (\{[\s\S]*?\n\});/.exec(source)!;
  return { ...vm.runInNewContext(`(${body})`) };
}

const chinese = readChinese();

test('a sentence has a form with its parameters apart, sentences within it too', () => {
  const why = say`tensor '${'x'}' is {empty}`;
  const sentence = say`${3} nodes stay float: ${why}`;
  assert.equal(sentence.message, "3 nodes stay float: tensor 'x' is {empty}");
  assert.deepEqual(asMessage(sentence).messageText, {
    form: '{0} nodes stay float: {1}',
    params: [3, { form: "tensor '{0}' is {{empty}}", params: ['x'] }],
  });
  const forms = {
    '{0} nodes stay float: {1}': '{1} ({0})',
    "tensor '{0}' is {{empty}}": '{{leer}} {0}',
  };
  assert.equal(translate(forms, sentence.message, sentence.parts), '{leer} x (3)');
  assert.equal(translate({}, sentence.message, sentence.parts), sentence.message);
  assert.equal(translate({ done: 'fertig' }, 'done'), 'fertig');
  const error = new QuantizeError('INTERNAL', sentence, { hint: 'report it' });
  assert.deepEqual(error.messageText, sentence.parts);
  assert.equal(error.hintText, undefined);
});

test('every reason for a float node and every note of the core has a Chinese text', () => {
  const forms = libraryForms().filter(({ kind, file }) => kind !== 'other' && file.endsWith('.cc'));
  assert.ok(forms.length > 100, `${forms.length} forms were found`);
  const missing = forms
    .filter(({ kind }) => kind === 'reason' || kind === 'diagnostic')
    .filter(({ form }) => /[a-z]{3}/.test(form.replace(/NaN is passed over/, '')))
    .filter(({ form }) => !Object.hasOwn(chinese, form))
    .map(({ form, file }) => `${file}: ${form}`);
  assert.deepEqual(missing, []);
});

test('a translation has the parameters of its form', () => {
  const parameters = (text: string) => (text.match(/\{\d\}/g) ?? []).sort();
  for (const [form, text] of Object.entries(chinese)) {
    assert.deepEqual(parameters(text), parameters(form), form);
  }
});
