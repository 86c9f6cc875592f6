// PNG (ISO/IEC 15948): every colour type, depth and interlacing, as pixels of 8 bits. 200 lines
// over fflate's inflate instead of a package: the usual ones need Node's streams, and half a
// megabyte of their imitation in a browser.
//
// Depths become 8 bits as in Pillow: 1, 2 and 4 bits are stretched to 0…255, 16 bits keep the high
// byte (Pillow clips 16-bit grey at 255 instead, which leaves white). Gamma, colour profile and
// transparency are ignored, as by convert('RGB').
import { joined } from '../../base/bytes.js';
import { crc32 } from '../../base/crc32.js';
import { checkSize, type DecodedImage, invalidImage } from './decoded-image.js';

interface Header {
  width: number;
  height: number;
  depth: number;
  colorType: number;
  interlaced: boolean;
  /** Samples of one pixel in the file: a palette index counts as one. */
  samples: number;
}

const samplesOf: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const depthsOf: Record<number, number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const palette = 3;
/** Adam7: first column and row, and their steps. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Decodes a PNG. Throws QuantizeError INVALID_IMAGE; `name` is for its message. */
export async function decodePng(bytes: Uint8Array, name: string): Promise<DecodedImage> {
  const damaged = (why: string, cause?: unknown) =>
    invalidImage(name, `is a damaged PNG: ${why}`, '', cause);
  const chunks = readChunks(bytes, damaged);
  const header = readHeader(chunks.header, damaged);
  checkSize(name, header.width, header.height);
  const areas = header.interlaced
    ? passes.map(([x, y, dx, dy]) => ({
        x,
        y,
        dx,
        dy,
        width: Math.ceil((header.width - x) / dx),
        height: Math.ceil((header.height - y) / dy),
      }))
    : [{ x: 0, y: 0, dx: 1, dy: 1, width: header.width, height: header.height }];
  const used = areas.filter((area) => area.width > 0 && area.height > 0);
  const lineBytes = (width: number) => Math.ceil((width * header.samples * header.depth) / 8);
  const size = used.reduce((sum, area) => sum + area.height * (1 + lineBytes(area.width)), 0);

  const packed = joined(chunks.data);
  // Deflate makes at most 1032 times as many bytes; a header that claims more would only take
  // memory.
  if (size > packed.length * 1032) throw damaged('it ends inside the pixels');
  const { unzlibSync } = await import('../files/inflate.js');
  let lines: Uint8Array;
  try {
    lines = unzlibSync(packed, { out: new Uint8Array(size) });
  } catch (cause) {
    throw damaged((cause as Error).message, cause);
  }
  if (lines.length < size) throw damaged('it ends inside the pixels');

  if (header.colorType === palette && !chunks.palette) throw damaged('it has no palette');
  const channels = header.colorType === palette ? 3 : header.samples === 2 ? 1 : header.samples;
  const pixels = new Uint8Array(header.width * header.height * channels);
  const pixelBytes = Math.max(1, (header.samples * header.depth) >> 3);
  let at = 0;
  for (const area of used) {
    const stride = lineBytes(area.width);
    let above = new Uint8Array(stride);
    for (let row = 0; row < area.height; row++) {
      const line = lines.subarray(at + 1, at + 1 + stride);
      if (!unfilter(lines[at]!, line, above, pixelBytes)) throw damaged('unknown filter type');
      const start = ((area.y + row * area.dy) * header.width + area.x) * channels;
      spread(line, area.width, header, chunks.palette, pixels, start, area.dx * channels);
      above = line as Uint8Array<ArrayBuffer>;
      at += 1 + stride;
    }
  }
  const { width, height } = header;
  return { width, height, channels: channels as 1 | 3 | 4, data: pixels };
}

/** The size that a PNG begins with; null where the first bytes do not tell. */
export function pngSize(bytes: Uint8Array): { width: number; height: number } | null {
  if (bytes.length < 24 || String.fromCharCode(...bytes.subarray(12, 16)) !== 'IHDR') return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

interface Chunks {
  header: Uint8Array | null;
  palette: Uint8Array | null;
  data: Uint8Array[];
}

function readChunks(bytes: Uint8Array, damaged: (why: string) => Error): Chunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunks = { header: null, palette: null, data: [] };
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) throw damaged('it ends early');
    const length = view.getUint32(at);
    if (length > bytes.length - at - 12) throw damaged('it ends early');
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, at + 8 + length);
    const critical = (bytes[at + 4]! & 0x20) === 0;
    if (
      critical &&
      crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)
    ) {
      throw damaged(`wrong checksum of its ${type}`);
    }
    if (type === 'IHDR') chunks.header = body;
    else if (type === 'PLTE') chunks.palette = body;
    else if (type === 'IDAT') chunks.data.push(body);
    else if (type === 'IEND') return chunks;
    at += 12 + length;
  }
}

function readHeader(body: Uint8Array | null, damaged: (why: string) => Error): Header {
  if (body?.length !== 13) throw damaged('it has no header');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [depth, colorType, compression, filter, interlace] = body.subarray(
    8,
  ) as unknown as number[];
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  if (width === 0 || height === 0) throw damaged(`size ${width}x${height}`);
  if (
    !depthsOf[colorType!]?.includes(depth!) ||
    compression !== 0 ||
    filter !== 0 ||
    interlace! > 1
  ) {
    throw damaged('its header has values that are not defined');
  }
  return {
    width,
    height,
    depth: depth!,
    colorType: colorType!,
    interlaced: interlace === 1,
    samples: samplesOf[colorType!]!,
  };
}

/** Undoes the filter of one line in place; `step` is the number of bytes of a pixel, at least 1. */
function unfilter(type: number, line: Uint8Array, above: Uint8Array, step: number): boolean {
  const end = line.length;
  switch (type) {
    case 0:
      return true;
    case 1:
      for (let i = step; i < end; i++) line[i]! += line[i - step]!;
      return true;
    case 2:
      for (let i = 0; i < end; i++) line[i]! += above[i]!;
      return true;
    case 3:
      for (let i = 0; i < end; i++) {
        line[i]! += ((i < step ? 0 : line[i - step]!) + above[i]!) >> 1;
      }
      return true;
    case 4:
      for (let i = 0; i < end; i++) {
        const a = i < step ? 0 : line[i - step]!;
        const b = above[i]!;
        const c = i < step ? 0 : above[i - step]!;
        // Paeth: the neighbour closest to a + b - c, in the order left, above, corner.
        const toA = Math.abs(b - c);
        const toB = Math.abs(a - c);
        const toC = Math.abs(a + b - 2 * c);
        line[i]! += toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
      }
      return true;
    default:
      return false;
  }
}

/** Writes one line's pixels to `out` from `start`, `step` bytes apart. */
function spread(
  line: Uint8Array,
  width: number,
  { depth, colorType, samples }: Header,
  colors: Uint8Array | null,
  out: Uint8Array,
  start: number,
  step: number,
): void {
  if (depth >= 8) {
    const stride = depth >> 3; // of 16 bits the first byte is the high one
    const channels = samples === 2 ? 1 : samples;
    if (colorType !== palette) {
      if (stride === 1 && channels === samples && step === channels) {
        out.set(line, start);
        return;
      }
      for (let x = 0, from = 0, to = start; x < width; x++, from += samples * stride, to += step) {
        for (let c = 0; c < channels; c++) out[to + c] = line[from + c * stride]!;
      }
      return;
    }
  }
  const mask = (1 << depth) - 1;
  const stretch = 255 / mask;
  for (let x = 0, to = start; x < width; x++, to += step) {
    const bit = x * depth;
    const value = (line[bit >> 3]! >> (8 - depth - (bit & 7))) & mask;
    if (colors && colorType === palette) {
      // Indices beyond the palette are black, as in libpng.
      for (let c = 0; c < 3; c++) out[to + c] = colors[value * 3 + c] ?? 0;
    } else {
      out[to] = value * stretch;
    }
  }
}
