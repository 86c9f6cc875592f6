// Checksums and sizes of mutants made right again, so that what lies behind those checks is fuzzed
// too.
import { crc32 } from './modules.js';

/** The checksum of every chunk of a PNG. */
export function repairPng(png: Uint8Array): Uint8Array {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let at = 8; at + 12 <= png.length; ) {
    const length = view.getUint32(at);
    if (length > png.length - at - 12) break;
    view.setUint32(at + 8 + length, crc32(png.subarray(at + 4, at + 8 + length)));
    at += 12 + length;
  }
  return png;
}

/** The offset of a zip's directory: its first signature. */
export function repairZip(zip: Uint8Array): Uint8Array {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const bytes = Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength);
  const directory = bytes.indexOf('PK\x01\x02', 0, 'latin1');
  const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (directory >= 0 && end > directory && end + 22 <= zip.length) {
    view.setUint32(end + 12, end - directory, true);
    view.setUint32(end + 16, directory, true);
  }
  return zip;
}
