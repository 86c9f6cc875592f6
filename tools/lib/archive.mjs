// .tar.gz archives that are the same bytes wherever they are made: entries in the order of their
// names, one time and one owner for all, and fflate's compression, as Node's zlib is another one in
// each version and build of Node.
import { gzipSync } from 'fflate';

const block = 512;

/**
 * An archive in POSIX's ustar format of `entries`: `name` with slashes, `bytes`, `executable`.
 * `seconds` since 1970 is the time of all of them.
 */
export function tarGz(entries, seconds) {
  const parts = [];
  for (const entry of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    parts.push(
      header(entry, seconds),
      entry.bytes,
      Buffer.alloc(-entry.bytes.length & (block - 1)),
    );
  }
  parts.push(Buffer.alloc(2 * block));
  return Buffer.from(gzipSync(Buffer.concat(parts), { level: 9, mtime: 0 }));
}

function header({ name, bytes, executable = false }, seconds) {
  const [prefix, rest] = splitName(name);
  const out = Buffer.alloc(block);
  const octal = (value, at, length) =>
    out.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
  out.write(rest, 0);
  octal(executable ? 0o755 : 0o644, 100, 8);
  octal(0, 108, 8); // owner and group
  octal(0, 116, 8);
  octal(bytes.length, 124, 12);
  octal(seconds, 136, 12);
  out.fill(' ', 148, 156); // what the checksum is computed with in its own place
  out.write('0', 156); // a file
  out.write('ustar\x0000', 257, 'latin1');
  out.write(prefix, 345);
  octal(
    out.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  out[154] = 0;
  return out;
}

/** A name as ustar has it: at most 155 bytes of folders, a slash, 100 bytes. */
function splitName(name) {
  const size = (text) => Buffer.byteLength(text);
  if (size(name) <= 100) return ['', name];
  for (let at = name.indexOf('/'); at > 0; at = name.indexOf('/', at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)];
    if (size(prefix) <= 155 && size(rest) <= 100) return [prefix, rest];
  }
  throw new Error(`${name} is too long a name for a tar archive.`);
}
