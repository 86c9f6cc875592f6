// What the core's module is made of: bytes of code by whose function it is. Reads the module that
// `npm run test:js -- --dev` links, which has the names; wasm-opt takes a few percent of each kind
// off the one that is shipped.
import { existsSync, readFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';

const shipped = 'build/wasm-release/wasm/ptq_core.wasm';
const named = 'build/wasm-release/wasm-dev/ptq_core.wasm';

/** Kinds of functions by what their names hold, the first that fits. */
const kinds = [
  [
    'onnx: an operator set, its schemas',
    /onnx::(OpSchema|OpSet_|GetOpSchema|\w*OpSchemaGenerator)/,
  ],
  ['onnx: everything else', /\bonnx::/],
  ['protobuf', /google::protobuf/],
  ['JSON', /nlohmann/],
  [
    'ours: quantization, repair',
    /ptq::(\w+::)*\(?\w*(Quant|Plan|Rewrit|Bias|Weight|Round|Smooth|Equal)/,
  ],
  ['ours: the binding', /ptq::binding|emscripten/],
  ['ours: everything else', /ptq::/],
  ['C++ library', /std::__2|__cxa|itanium/],
];

/** Sections of a module: [id, bytes]. */
function* sections(bytes) {
  const reader = new Reader(bytes, 8);
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const size = reader.number();
    yield [id, bytes.subarray(reader.at, reader.at + size)];
    reader.at += size;
  }
}

class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  byte() {
    return this.bytes[this.at++];
  }
  /** LEB128, unsigned. */
  number() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
  text() {
    const length = this.number();
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }
}

/** Functions that are imported come first in all numbers. */
function importedFunctions(section) {
  const reader = new Reader(section);
  let functions = 0;
  for (let left = reader.number(); left > 0; left--) {
    reader.text();
    reader.text();
    const kind = reader.byte();
    if (kind === 0) functions++;
    if (kind === 1 || kind === 4) reader.byte(); // the type of a table; a tag's attribute
    if (kind === 1 || kind === 2) {
      const hasMost = reader.byte() & 1;
      reader.number();
      if (hasMost) reader.number();
    } else if (kind === 3) reader.at += 2;
    else reader.number();
  }
  return functions;
}

/** Names by number, of the custom section "name". */
function functionNames(section) {
  const names = new Map();
  const reader = new Reader(section);
  if (reader.text() !== 'name') return names;
  while (reader.at < section.length) {
    const kind = reader.byte();
    const end = reader.number() + reader.at;
    if (kind === 1) {
      for (let left = reader.number(); left > 0; left--) names.set(reader.number(), reader.text());
    }
    reader.at = end;
  }
  return names;
}

function bytesByKind(file) {
  const found = new Map(kinds.map(([kind]) => [kind, 0]));
  let imported = 0;
  let code = null;
  const names = new Map();
  for (const [id, bytes] of sections(readFileSync(file))) {
    if (id === 2) imported = importedFunctions(bytes);
    if (id === 10) code = bytes;
    if (id === 0) for (const [number, name] of functionNames(bytes)) names.set(number, name);
  }
  const reader = new Reader(code);
  const count = reader.number();
  for (let i = 0; i < count; i++) {
    const size = reader.number();
    reader.at += size;
    const name = names.get(imported + i) ?? '';
    const kind = kinds.find(([, pattern]) => pattern.test(name))?.[0] ?? 'C library, unnamed';
    found.set(kind, (found.get(kind) ?? 0) + size);
  }
  return found;
}

const brotli = (bytes) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } }).length;
const kilobytes = (bytes) => (bytes / 1000).toFixed(0);

export function benchSize() {
  const whole = readFileSync(shipped);
  console.log(`${shipped}: ${kilobytes(whole.length)} kB, brotli ${kilobytes(brotli(whole))} kB`);
  for (const [id, bytes] of sections(whole)) {
    if (id !== 10 && id !== 11) continue;
    const what = id === 10 ? 'code' : 'data';
    console.log(`  ${what}: ${kilobytes(bytes.length)} kB, brotli ${kilobytes(brotli(bytes))} kB`);
  }
  if (!existsSync(named)) {
    console.log(
      `bench: ${named} is missing: cmake --build build/wasm-release --target ptq_wasm_dev`,
    );
    return;
  }
  const found = bytesByKind(named);
  const all = [...found.values()].reduce((sum, bytes) => sum + bytes, 0);
  console.log('\n| functions of | kB | share |\n| --- | --- | --- |');
  for (const [kind, bytes] of [...found].sort(([, a], [, b]) => b - a)) {
    console.log(`| ${kind} | ${kilobytes(bytes)} | ${((100 * bytes) / all).toFixed(0)} % |`);
  }
}
