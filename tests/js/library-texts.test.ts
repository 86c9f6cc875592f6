// Sentences of the library: their parts, and their Chinese on the page.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { asMessage, say, sentence, translate } from '#dist/base/text.js';
import type { ModelSummary, OptionValues } from '#dist/base/types.js';
import { datasetReader, extraOptions, QuantizeError, quantizeStaticOptions } from '#dist/index.js';
import { checkOptions } from '#dist/options/validate.js';
import { libraryForms } from './support/library-forms.js';

const chinese: Record<'forms' | 'options', Record<string, string>> = JSON.parse(
  fs.readFileSync('web/i18n/library.zh-CN.json', 'utf8'),
);

/** What a page never runs: files of a disk, functions without a place on it. */
const elsewhere = [
  /platform\/(node|file-|native|dump|read-whole)/,
  /jobs\/(calibrate-model|dump-passes|evaluate|compare-models|preprocess-model|loss-debug)/,
  /\/(config|evaluation)\//,
  /calibration\/(merge-states|files\/tensorrt)/,
  /list-node-files/,
];

test('a sentence has a form with its parameters apart, sentences within it too', () => {
  const why = say`tensor '${'x'}' is {empty}`;
  const whole = say`${3} nodes stay float: ${why}`;
  assert.equal(whole.message, "3 nodes stay float: tensor 'x' is {empty}");
  assert.deepEqual(asMessage(whole).messageText, {
    form: '{0} nodes stay float: {1}',
    params: [3, { form: "tensor '{0}' is {{empty}}", params: ['x'] }],
  });
  const forms = {
    '{0} nodes stay float: {1}': '{1} ({0})',
    "tensor '{0}' is {{empty}}": '{{leer}} {0}',
  };
  assert.equal(translate(forms, whole.message, whole.parts), '{leer} x (3)');
  assert.equal(translate({}, whole.message, whole.parts), whole.message);
  assert.equal(translate({ done: 'fertig' }, 'done'), 'fertig');
  const error = new QuantizeError('INTERNAL', whole, { hint: 'report it' });
  assert.deepEqual(error.messageText, whole.parts);
  assert.equal(error.hintText, undefined);
});

test('a form without words needs no translation, its sentences do', () => {
  const both = say`${'x.png'}: ${sentence('too large')}; ${say`${2} of them`}`;
  const forms = { 'too large': 'zu groß', '{0} of them': '{0} davon' };
  assert.equal(translate(forms, both.message, both.parts), 'x.png: zu groß; 2 davon');
});

test('every sentence that the page can say has a Chinese text', () => {
  const all = libraryForms();
  assert.ok(all.length > 300, `${all.length} forms were found`);
  const missing = all
    .filter(({ form }) => /[a-z]{2}/.test(form))
    .filter(({ file }) => !elsewhere.some((where) => where.test(file)))
    .filter(({ form }) => !Object.hasOwn(chinese.forms, form))
    .map(({ form, file }) => `${file}: ${form}`);
  assert.deepEqual(missing, []);
});

test('what is wrong with an option is said in Chinese, its hint too', () => {
  const error = (given: object) => {
    try {
      checkOptions(quantizeStaticOptions, given as OptionValues);
    } catch (thrown) {
      return thrown as QuantizeError;
    }
    assert.fail('nothing is wrong');
  };
  const inChinese = ({ message, messageText, hint, hintText }: QuantizeError) => [
    translate(chinese.forms, message, messageText),
    hint && translate(chinese.forms, hint, hintText),
  ];
  assert.deepEqual(inChinese(error({ per_chanel: true })), [
    '未知的选项“per_chanel”',
    '是否指“per_channel”？',
  ]);
  assert.deepEqual(inChinese(error({ per_channel: 'yes' })), [
    'per_channel：应为 true 或 false，但收到 "yes"',
    undefined,
  ]);
  const number = error({ workers: 0 });
  assert.equal(number.message, 'workers: expected a whole number of at least 1 but received 0');
  assert.equal(inChinese(number)[0], 'workers：应为 不小于 1 的整数，但收到 0');
});

test('what is wrong with a file of samples is said in Chinese, whatever reads it', async () => {
  const input = { name: 'x', type: 'float32', shape: [1, 4] };
  const model = { inputs: [input] } as unknown as ModelSummary;
  const said = async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
    try {
      for await (const _ of datasetReader([new File([bytes], name)]).open(model));
    } catch (thrown) {
      const { message, messageText } = thrown as QuantizeError;
      return translate(chinese.forms, message, messageText);
    }
    assert.fail('nothing is wrong');
  };
  assert.equal(await said('a.npy', new Uint8Array(20)), 'a.npy: "x": 不是 .npy 数组');
  assert.equal(await said('a.wav', new Uint8Array(20)), 'a.wav: 不是 .wav 文件');
  assert.equal(
    await said('a.raw', new Uint8Array(20)),
    'a.raw: 输入“x”应为 float32 [1,4]，即每个样本 16 字节；文件有 20 字节',
  );
  assert.match(await said('a.pb', Uint8Array.of(8)), /不是 ONNX 张量/);
});

test('every option that is a field of the page has a Chinese help', () => {
  const specs = [
    ...quantizeStaticOptions.map((spec) => [spec.name, spec] as const),
    ...Object.entries(extraOptions),
  ];
  const missing = specs
    .filter(([, spec]) => (spec.for as readonly string[]).includes('page') && !('later' in spec))
    .map(([name]) => name)
    .filter((name) => !Object.hasOwn(chinese.options, name));
  assert.deepEqual(missing, []);
});

test('a translation has the parameters of its form', () => {
  const parameters = (text: string) => (text.match(/\{\d\}/g) ?? []).sort();
  for (const [form, text] of Object.entries(chinese.forms)) {
    assert.deepEqual(parameters(text), parameters(form), form);
  }
});
