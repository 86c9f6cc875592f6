import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuantizeError } from '#dist/base/errors.js';
import type { ModelSummary, ValueSummary } from '#dist/base/types.js';
import { guessPreprocess, resolvePreprocess } from '#dist/samples/images/guess-preprocess.js';
import {
  describePreprocess,
  parsePreprocess,
  preprocessPresets,
} from '#dist/samples/images/preprocess.js';

function model(
  shape: ValueSummary['shape'],
  type = 'float32',
  ...more: ValueSummary[]
): ModelSummary {
  return { inputs: [{ name: 'data', type, shape }, ...more] } as ModelSummary;
}

function refused(work: () => unknown, code: string, message: RegExp, hint?: RegExp): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof QuantizeError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    if (hint) assert.match(error.hint ?? '', hint);
    return true;
  });
}

test('a preset is looked up by name, and every preset gives a complete spec', () => {
  assert.deepEqual(parsePreprocess('imagenet'), preprocessPresets.imagenet?.spec);
  for (const [name, { reason }] of Object.entries(preprocessPresets)) {
    assert.ok(reason.length > 10, name);
    const { spec } = resolvePreprocess(model([1, 3, 64, 64]), parsePreprocess(name));
    assert.equal(spec.mean.length, 3, name);
    assert.equal(spec.std.length, 3, name);
    assert.equal(spec.width, 64, name);
  }
});

test('one line of key=value pairs is read, alone or after a preset', () => {
  assert.deepEqual(
    parsePreprocess('mean=127,127,127 std=128 size=320x240 order=bgr layout=NHWC mode=letterbox'),
    {
      mean: [127, 127, 127],
      std: [128, 128, 128],
      width: 320,
      height: 240,
      order: 'BGR',
      layout: 'NHWC',
      mode: 'letterbox',
    },
  );
  const spec = parsePreprocess('caffe-bgr size=299 resize_shorter=320 interpolation=bicubic');
  assert.deepEqual(spec, {
    order: 'BGR',
    mean: [104, 117, 123],
    std: [1, 1, 1],
    width: 299,
    height: 299,
    resizeShorter: 320,
    interpolation: 'bicubic',
  });
});

test('an object, as in data/manifest.json, and the same as JSON text are read', () => {
  const object = {
    mode: 'letterbox',
    width: 416,
    height: 320,
    layout: 'NCHW',
    order: 'BGR',
    mean: [0, 0, 0],
    std: [1, 1, 1],
    pad: 114,
  };
  assert.deepEqual(parsePreprocess(object), object);
  assert.deepEqual(parsePreprocess(JSON.stringify(object)), object);
  assert.deepEqual(parsePreprocess({ preset: 'tf', std: 128 }).std, [128, 128, 128]);
});

test('parsing a preset does not give out the preset itself', () => {
  parsePreprocess('imagenet').order = 'BGR';
  assert.equal(preprocessPresets.imagenet?.spec.order, 'RGB');
});

test('what is unknown or out of range is refused with near matches', () => {
  const bad = (value: unknown, message: RegExp, hint?: RegExp) =>
    refused(() => parsePreprocess(value), 'INVALID_OPTION', message, hint);
  bad('imagenett', /unknown preset "imagenett"/, /imagenet/);
  bad('men=1', /unknown key "men"/, /"mean"/);
  bad({ meen: 1 }, /unknown key "meen"/, /"mean"/);
  bad({ constructor: 1 }, /unknown key/);
  bad('order=RBG', /RGB, BGR, RGBA, Y/, /RGB/);
  bad('mode=centre', /mode must be one of/, /center/);
  bad('mean=1,2', /one number or three/);
  bad('mean=a', /must be a number/);
  bad('std=0', /std must not be 0/);
  bad('size=0', /whole number from 1/);
  bad('size=axb', /320x240/);
  bad('pad=300', /0 to 255/);
  bad('imagenet 224x224', /expected key=value/);
  bad('', /empty/);
  bad('{"mean": ', /not valid JSON/);
  bad(7, /expected a preset/);
  bad([1], /expected a preset/);
});

test('three channels are guessed as a centre crop of RGB in -1 to 1, and that is said', () => {
  const { spec, statement } = guessPreprocess(model(['N', 3, 224, 224]));
  assert.deepEqual(spec, {
    mode: 'center',
    interpolation: 'bilinear',
    pad: 114,
    mean: [127.5, 127.5, 127.5],
    std: [127.5, 127.5, 127.5],
    width: 224,
    height: 224,
    layout: 'NCHW',
    order: 'RGB',
  });
  assert.match(statement, /224x224 .*RGB, \(x - 127\.5\) \/ 127\.5; guessed .*--preprocess/);
});

test('the layout is read from where the channels are', () => {
  const at = (shape: ValueSummary['shape']) => {
    const { spec, dims } = resolvePreprocess(model(shape));
    return [spec.layout, spec.order, spec.width, spec.height, dims.join()];
  };
  assert.deepEqual(at([1, 299, 299, 3]), ['NHWC', 'RGB', 299, 299, '1,299,299,3']);
  assert.deepEqual(at([null, 1, 28, 32]), ['NCHW', 'Y', 32, 28, '1,1,28,32']);
  assert.deepEqual(at([4, 28, 28, 1]), ['NHWC', 'Y', 28, 28, '4,28,28,1']);
  assert.deepEqual(at([3, 64, 64]), ['NCHW', 'RGB', 64, 64, '3,64,64']);
  assert.deepEqual(at([-1, 3, 'H', 'W']), ['NCHW', 'RGB', 224, 224, '1,3,224,224']);
  assert.deepEqual(at(null), ['NCHW', 'RGB', 224, 224, '1,3,224,224']);
  assert.deepEqual(at([1, 4, 24, 32]), ['NCHW', 'RGBA', 32, 24, '1,4,24,32']);
  assert.deepEqual(at([1, 24, 32, 4]), ['NHWC', 'RGBA', 32, 24, '1,24,32,4']);
});

test('an open size falls back to 224, which is said, unless it is given', () => {
  const open = model(['N', 3, 'H', 'W']);
  assert.match(guessPreprocess(open).statement, /size 224x224/);
  const { spec, statement } = resolvePreprocess(open, parsePreprocess('imagenet size=96x48'));
  assert.deepEqual([spec.width, spec.height], [96, 48]);
  assert.doesNotMatch(statement, /normalization|size 96/);
});

test('small and oblong inputs are stretched, not cropped', () => {
  assert.equal(guessPreprocess(model([1, 3, 32, 32])).spec.mode, 'stretch');
  assert.equal(guessPreprocess(model([1, 3, 240, 320])).spec.mode, 'stretch');
});

test('one channel is luma in 0 to 1, uint8 stays as it is', () => {
  const grey = guessPreprocess(model([1, 1, 28, 28])).spec;
  assert.deepEqual([grey.order, grey.mean[0], grey.std[0]], ['Y', 0, 255]);
  const bytes = guessPreprocess(model([1, 224, 224, 3], 'uint8')).spec;
  assert.deepEqual(
    [bytes.mean, bytes.std],
    [
      [0, 0, 0],
      [1, 1, 1],
    ],
  );
  const normalized = () => resolvePreprocess(model([1, 224, 224, 3], 'uint8'), { std: [2, 2, 2] });
  refused(normalized, 'INVALID_OPTION', /uint8/, /zero-to-255/);
});

test('alpha is normalized as the colours where they are all the same, and else to 0 to 1', () => {
  const of = (text: string) => {
    const { mean, std } = resolvePreprocess(model([1, 4, 24, 24]), parsePreprocess(text)).spec;
    return [mean[3], std[3]];
  };
  assert.deepEqual(of('size=24'), [127.5, 127.5]);
  assert.deepEqual(of('zero-to-one'), [0, 255]);
  assert.deepEqual(of('imagenet'), [0, 255]);
  assert.deepEqual(of('mean=1,2,3,4 std=5,6,7,8'), [4, 8]);
  const { done, assumed } = resolvePreprocess(model([1, 4, 24, 24]), parsePreprocess('imagenet'));
  assert.match(done, /RGBA, \(x - \[123\.675, 116\.28, 103\.53, 0\]/);
  assert.ok(!assumed.includes('channel order'));
});

test('models that take no image are refused with their inputs', () => {
  const ids: ValueSummary = { name: 'ids', type: 'int64', shape: ['N', 'S'] };
  refused(
    () => guessPreprocess({ inputs: [ids] } as ModelSummary),
    'INVALID_DATA',
    /"ids" int64 \[N,S\]/,
    /\.npz/,
  );
  refused(() => guessPreprocess(model([1, 3, 8, 8], 'float32', ids)), 'INVALID_DATA', /2: .*"ids"/);
  refused(() => guessPreprocess(model([1, 5, 8, 8])), 'INVALID_DATA', /1, 3 or 4 channels/);
});

test('preprocessing that contradicts the input is refused before any image is read', () => {
  const fixed = model([1, 3, 224, 224]);
  const message = /makes \[1,3,299,299\], the model's input is "data" float32 \[1,3,224,224\]/;
  refused(() => resolvePreprocess(fixed, parsePreprocess('size=299')), 'INVALID_OPTION', message);
  refused(() => resolvePreprocess(fixed, { order: 'Y' }), 'INVALID_OPTION', /\[1,1,224,224\]/);
});

test('the description is a formula that people can check', () => {
  const of = (text: string) =>
    describePreprocess(resolvePreprocess(model([1, 3, 224, 224]), parsePreprocess(text)).spec);
  assert.equal(of('zero-to-255'), '224x224 (centre crop, shorter side 256), RGB, x');
  assert.equal(of('yolox'), '224x224 (letterbox, top-left, border 114), BGR, x');
  assert.equal(
    of('mode=stretch scale=2 mean=1,2,3 std=4'),
    '224x224 (stretched), RGB, (x * 2 - [1, 2, 3]) / 4',
  );
});
