// Images decoded to the pixels of Python's Pillow; the files and what is expected of them come from
// tests/fixtures/make_image_fixtures.py.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { test } from 'node:test';
import { crc32 } from '#dist/base/crc32.js';
import { QuantizeError } from '#dist/base/errors.js';
import {
  checkStart,
  type DecodedImage,
  decodeImage,
  setDecodePlatform,
} from '#dist/samples/images/decode.js';
import { nodeDecodePlatform } from '#dist/samples/images/decode-node.js';

setDecodePlatform(nodeDecodePlatform);

const folder = 'tests/fixtures/image';
const expected: Record<string, { width: number; height: number; rgb: string }> = JSON.parse(
  fs.readFileSync(`${folder}/expected.json`, 'utf8'),
).images;

function read(name: string): Uint8Array {
  return fs.readFileSync(`${folder}/${name}`);
}

function sha256OfRgb({ width, height, channels, data }: DecodedImage): string {
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) {
      rgb[pixel * 3 + c] = data[pixel * channels + (channels === 1 ? 0 : c)] as number;
    }
  }
  return createHash('sha256').update(rgb).digest('hex');
}

async function refused(bytes: Uint8Array, name: string, message: RegExp): Promise<void> {
  await assert.rejects(decodeImage(bytes, name), (error) => {
    assert.ok(error instanceof QuantizeError);
    assert.equal(error.code, 'INVALID_IMAGE');
    assert.ok(error.message.startsWith(name), error.message);
    assert.match(error.message, message);
    return true;
  });
}

test('there is a fixture for every kind of JPEG and PNG', () => {
  assert.ok(Object.keys(expected).length >= 20);
});

for (const [name, { width, height, rgb }] of Object.entries(expected)) {
  test(`${name} decodes to the pixels of Pillow`, async () => {
    const image = await decodeImage(read(name), name);
    assert.deepEqual([image.width, image.height], [width, height]);
    assert.equal(image.data.length, width * height * image.channels);
    assert.equal(sha256OfRgb(image), rgb);
  });
}

test('the format is told from the content, not from the name', async () => {
  const image = await decodeImage(read('rgb.png'), 'photo.jpg');
  assert.equal(sha256OfRgb(image), expected['rgb.png']?.rgb);
});

test('EXIF orientation is ignored: the picture keeps its stored width and height', async () => {
  const { width, height } = await decodeImage(read('exif_rotated.jpg'), 'x');
  assert.ok(width > height);
});

test('a truncated JPEG is refused, not filled up with grey', async () => {
  await refused(read('truncated.jpg'), 'truncated.jpg', /damaged JPEG: Premature end/);
});

test('a damaged JPEG of four components is refused, whatever is wrong with it', async () => {
  for (const name of ['cmyk.jpg', 'ycck.jpg', 'ycck_progressive.jpg']) {
    const whole = read(name);
    for (const part of [0.3, 0.6, 0.95]) {
      const cut = whole.subarray(0, whole.length * part);
      await refused(cut, name, /damaged JPEG: \w/);
    }
    // Any byte may be wrong: an image or a refusal, never another error.
    for (let at = 0; at < whole.length; at += 7) {
      const copy = Uint8Array.from(whole);
      copy[at]! ^= 0x15;
      await decodeImage(copy, name).catch((error: unknown) => {
        assert.ok(
          error instanceof QuantizeError && error.code === 'INVALID_IMAGE',
          `${at} ${error}`,
        );
        assert.doesNotMatch(error.message, /undefined|not a function|typed array/);
      });
    }
  }
});

test("more pixels than Pillow's limit are refused before memory is taken for them", async () => {
  const png = Uint8Array.from(read('rgb.png'));
  const view = new DataView(png.buffer);
  view.setUint32(16, 20000);
  view.setUint32(20, 20000);
  view.setUint32(29, crc32(png.subarray(12, 29)));
  const jpeg = Uint8Array.from(read('rgb_444.jpg'));
  const frame = jpeg.findIndex((byte, at) => byte === 0xff && jpeg[at + 1] === 0xc0);
  jpeg.set([20000 >> 8, 20000 & 255, 20000 >> 8, 20000 & 255], frame + 5);
  const before = process.memoryUsage().rss;
  for (const [bytes, name] of [
    [png, 'a.png'],
    [jpeg, 'a.jpg'],
  ] as const) {
    await refused(bytes, name, /has 20000x20000 pixels, and at most 178956970 are read/);
    assert.throws(() => checkStart(bytes.subarray(0, 1000), name, 2 ** 26), {
      code: 'INVALID_IMAGE',
    });
  }
  assert.ok(process.memoryUsage().rss - before < 100 * 2 ** 20);
  assert.throws(() => checkStart(read('rgb.png').subarray(0, 100), 'big.png', 3 * 2 ** 30), {
    message: /big\.png has 3221225472 bytes, and at most 1073741824 are read/,
  });
});

test('a PNG whose data cannot fill its pixels is refused before memory is taken', async () => {
  const png = Uint8Array.from(read('rgb.png'));
  const view = new DataView(png.buffer);
  view.setUint32(16, 13000);
  view.setUint32(20, 13000);
  view.setUint32(29, crc32(png.subarray(12, 29)));
  const before = process.memoryUsage().rss;
  await refused(png, 'a.png', /it ends inside the pixels/);
  assert.ok(process.memoryUsage().rss - before < 100 * 2 ** 20);
});

test('a JPEG without an image is refused, and the decoder works on', async () => {
  const junk = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, ...new Array(64).fill(97)]);
  await refused(junk, 'junk.jpg', /damaged JPEG/);
  const image = await decodeImage(read('rgb_420.jpg'), 'x');
  assert.equal(sha256OfRgb(image), expected['rgb_420.jpg']?.rgb);
});

test('a truncated PNG and one with a flipped bit are refused', async () => {
  await refused(read('truncated.png'), 'truncated.png', /ends early/);
  await refused(read('corrupt.png'), 'corrupt.png', /checksum/);
});

test('a PNG never decodes to something else, whatever byte of it is changed', async () => {
  const original = read('palette_2bit_transparent.png');
  for (let at = 8; at < original.length; at++) {
    const bytes = Uint8Array.from(original);
    bytes[at]! ^= 0x41;
    try {
      const image = await decodeImage(bytes, 'x.png');
      assert.equal(sha256OfRgb(image), expected['palette_2bit_transparent.png']?.rgb, `byte ${at}`);
    } catch (error) {
      assert.ok(error instanceof QuantizeError && error.code === 'INVALID_IMAGE', String(error));
    }
  }
});

test('other files are refused with what they begin with', async () => {
  await refused(read('animated.gif'), 'animated.gif', /starts with "GIF89a" \(GIF\)/);
  await refused(new Uint8Array(), 'empty.png', /it is empty/);
  await refused(new TextEncoder().encode('hello world'), 'note.jpg', /starts with "hello world"$/);
  await refused(Uint8Array.from([0, 1, 2, 255]), 'x.png', /starts with 00 01 02 ff$/);
});
