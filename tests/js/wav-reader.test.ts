// The .wav reader beside scipy (tests/fixtures/make_reader_fixtures.py), and its filter by what it
// has to do.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { toFloat16 } from '#dist/base/float16.js';
import { datasetReader, wavReader } from '#dist/index.js';
import { Resampler } from '#dist/samples/sounds/resample.js';
import { all, fileOf, input, modelOf, refused } from './support/readers.js';

const fixtures = 'tests/fixtures/readers';
const sound = (shape: (number | string | null)[], type = 'float32') =>
  modelOf(input('audio', type, shape));
const files = fs.readdirSync(fixtures).filter((name) => name.endsWith('.wav'));
const expectedOf = (name: string) =>
  new Float64Array(new Uint8Array(fs.readFileSync(`${fixtures}/${name}.f64`)).buffer);
const stereo = `${fixtures}/pcm16_44100_stereo.wav`;

for (const name of files) {
  test(`${name} is what scipy.signal.resample_poly makes of it`, async () => {
    const [sample] = await all(wavReader(path.join(fixtures, name)), sound([1, 'N'], 'float64'));
    const expected = expectedOf(name);
    const { dims, data } = sample!.audio!;
    assert.deepEqual(dims, [1, expected.length]);
    for (const [i, value] of expected.entries()) {
      assert.ok(Math.abs((data[i] as number) - value) < 1e-12, `${i}: ${data[i]} for ${value}`);
    }
  });
}

test('several .wav files give a sample each, of their own length, in the order of the names', async () => {
  const paths = files.map((name) => path.join(fixtures, name)).reverse();
  const reader = datasetReader(
    paths.map((file) => fileOf(path.basename(file), fs.readFileSync(file))),
  );
  const samples = await all(reader, sound([1, 'N']));
  assert.equal(reader.length, files.length);
  assert.deepEqual(
    samples.map((sample) => sample.audio!.dims[1]),
    files.map((name) => expectedOf(name).length),
  );
});

test('sounds are shaped to the input, cut or filled up with silence where it is fixed', async () => {
  const of = async (shape: (number | string | null)[], type?: string) =>
    (await all(wavReader(stereo), sound(shape, type)))[0]!.audio!;
  const full = Float32Array.from(expectedOf('pcm16_44100_stereo.wav'));
  assert.deepEqual(await of(['N']), { type: 'float32', dims: [full.length], data: full });
  assert.deepEqual((await of(['N', 1, null])).dims, [1, 1, full.length]);
  const cut = await of([1, 100]);
  assert.deepEqual(cut, { type: 'float32', dims: [1, 100], data: full.slice(0, 100) });
  const filled = await of(['N', full.length + 3]);
  assert.deepEqual(filled.data, Float32Array.from([...full, 0, 0, 0]));
  assert.deepEqual((await of(['N'], 'float16')).data, toFloat16(full));
});

test('the first values of a long sound do not need the rest of it', async () => {
  let last = 0;
  const bytes = new Uint8Array(fs.readFileSync(stereo));
  const file = {
    name: 'long.wav',
    size: bytes.length,
    async read(start: number, end: number) {
      last = Math.max(last, end);
      return bytes.slice(start, end);
    },
  };
  const [sample] = await all(wavReader(file), sound([50]));
  const expected = Float32Array.from(expectedOf('pcm16_44100_stereo.wav').slice(0, 50));
  assert.deepEqual(sample!.audio!.data, expected);
  assert.ok(last < bytes.length / 2, `${last} of ${bytes.length} bytes`);
});

test('the sample rate is an option, for .wav files only', async () => {
  const [same] = await all(wavReader(stereo, { sampleRate: 44100 }), sound(['N']));
  assert.equal(same!.audio!.data.length, 900);
  const rate = (sampleRate: number) => () => wavReader(stereo, { sampleRate });
  await refused(rate(0), sound(['N']), 'INVALID_OPTION', /sampleRate 0/);
  await refused(rate(16000.5), sound(['N']), 'INVALID_OPTION', /sampleRate/);
  const images = () => datasetReader('tests/fixtures/image/rgb.png', { sampleRate: 8000 });
  await refused(images, sound(['N']), 'INVALID_OPTION', /sampleRate is for \.wav files: images/);
  const presets = () => datasetReader(stereo, { preprocess: 'tf' });
  await refused(presets, sound(['N']), 'INVALID_OPTION', /preprocess is for images: \.wav/);
});

/** Largest value, ends left out. */
function peak(values: Float64Array): number {
  return values.slice(200, -200).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function tone(hertz: number, rate: number): Float64Array {
  return Float64Array.from({ length: rate / 4 }, (_, i) =>
    Math.sin((2 * Math.PI * hertz * i) / rate),
  );
}

test('tones below the new Nyquist frequency stay, those above are gone: nothing is aliased', () => {
  const down = new Resampler(48000, 16000);
  assert.ok(Math.abs(peak(down.run(tone(1000, 48000))) - 1) < 0.01);
  assert.ok(Math.abs(peak(down.run(tone(6500, 48000))) - 1) < 0.01);
  assert.ok(peak(down.run(tone(10000, 48000))) < 0.003);
  assert.ok(peak(down.run(tone(15000, 48000))) < 0.003);
  // Up: no image of the tone above the old Nyquist frequency, so it is the same tone at the new
  // rate.
  const up = new Resampler(8000, 44100).run(tone(440, 8000));
  const wanted = tone(440, 44100);
  const error = up.map((value, i) => value - wanted[i]!);
  assert.ok(peak(error) < 0.003, `${peak(error)}`);
});

test('what is no sound, or not for the model, is refused with the file and what to do', async () => {
  const bytes = new Uint8Array(fs.readFileSync(stereo));
  const changed = (change: (view: DataView) => void) => {
    const copy = bytes.slice();
    change(new DataView(copy.buffer));
    return copy;
  };
  const one = (content: Uint8Array, message: RegExp) =>
    refused(
      () => wavReader(fileOf('a.wav', content)),
      sound(['N']),
      'INVALID_DATA',
      message,
      /ffmpeg/,
    );
  await one(bytes.subarray(0, -2), /^a\.wav: it ends early/);
  await one(bytes.subarray(4), /^a\.wav: not a \.wav file/);
  await one(
    changed((view) => view.setUint16(20, 7, true)),
    /µ-law/,
  );
  await one(
    changed((view) => view.setUint16(34, 12, true)),
    /PCM of 12 bits/,
  );
  await one(
    changed((view) => view.setUint8(12, 0)),
    /"fmt " is missing/,
  );
  const fast = fileOf(
    'a.wav',
    changed((view) => view.setUint32(24, 0xffffffff, true)),
  );
  await refused(() => wavReader(fast), sound(['N']), 'INVALID_DATA', /rate is 4294967295 Hz/);
  const models = [sound([1, 80, 'N']), sound([2, 'N']), sound(['N'], 'int16')];
  for (const model of models) {
    await refused(() => wavReader(stereo), model, 'INVALID_DATA', /"audio".*sounds/, /reader/);
  }
  const two = modelOf(...models.flatMap(({ inputs }) => inputs));
  await refused(() => wavReader(stereo), two, 'INVALID_DATA', /one input/);
});
