// Numbers and mutants from a seed: the same on every machine, so that a run can be repeated by its
// printed seed.

/** mulberry32 (Tommy Ettinger, public domain). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 … count - 1 */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let z = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 2 ** 32) * count);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }
}

const largestInput = 1 << 16;
const tellingNumbers = [0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000];
const telling32 = [...tellingNumbers, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 1 << 20];

type Mutation = (random: Random, bytes: Uint8Array, others: readonly Uint8Array[]) => Uint8Array;

const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Two places, in order. */
function span(random: Random, { length }: Uint8Array): [number, number] {
  const [a, b] = [random.below(length + 1), random.below(length + 1)];
  return a < b ? [a, b] : [b, a];
}

const flipBit: Mutation = (random, bytes) => {
  if (bytes.length > 0) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  return bytes;
};

const setByte: Mutation = (random, bytes) => {
  if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
};

/** A length, offset or count, in either byte order; half the time one near what was there. */
const setNumber: Mutation = (random, bytes) => {
  const size = random.pick([1, 2, 4, 8]);
  if (bytes.length < size) return bytes;
  const at = random.below(bytes.length - size + 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = !random.chance(3);
  if (size === 8) {
    const high = random.pick(telling32);
    view.setBigUint64(at, (BigInt(high) << 32n) | BigInt(random.pick(telling32)), little);
  } else if (size === 1) {
    bytes[at] = random.pick(tellingNumbers);
  } else {
    const old = size === 2 ? view.getUint16(at, little) : view.getUint32(at, little);
    const value = random.chance(2) ? old + random.below(9) - 4 : random.pick(telling32);
    if (size === 2) view.setUint16(at, value, little);
    else view.setUint32(at, value, little);
  }
  return bytes;
};

const truncate: Mutation = (random, bytes) => bytes.slice(0, random.below(bytes.length + 1));

const remove: Mutation = (random, bytes) => {
  const [start, end] = span(random, bytes);
  return joined(bytes.subarray(0, start), bytes.subarray(end));
};

/** A chunk once more, or many times. */
const repeat: Mutation = (random, bytes) => {
  const [start, end] = span(random, bytes);
  const times = random.chance(4) ? random.below(64) : 1;
  const chunk = bytes.subarray(start, end);
  return joined(bytes.subarray(0, end), ...Array(times).fill(chunk), bytes.subarray(end));
};

const insert: Mutation = (random, bytes) => {
  const at = random.below(bytes.length + 1);
  const some = Uint8Array.from({ length: 1 + random.below(8) }, () => random.below(256));
  return joined(bytes.subarray(0, at), some, bytes.subarray(at));
};

/** The beginning of one input and the end of another. */
const splice: Mutation = (random, bytes, others) => {
  const other = random.pick(others);
  return joined(
    bytes.subarray(0, random.below(bytes.length + 1)),
    other.subarray(random.below(other.length + 1)),
  );
};

/** A part of another input over a part of this one. */
const overwrite: Mutation = (random, bytes, others) => {
  const other = random.pick(others);
  const [start, end] = span(random, other);
  const at = random.below(bytes.length + 1);
  bytes.set(other.subarray(start, Math.min(end, start + bytes.length - at)), at);
  return bytes;
};

const numbersOfText = ['0', '-1', '1e999', '1e-400', '4294967296', '9007199254740993', '1.5', '-0'];
const valuesOfText = ['null', 'true', '{}', '[]', '""', '"__proto__"', '"constructor"', '[[]]'];

/** A number, string or word of a text, from a random place on. */
function tokenOf(random: Random, text: string): RegExpExecArray | null {
  const token = /-?\d[\d.e+-]*|"[^"]*"|\b(?:true|false|null)\b/g;
  token.lastIndex = random.below(text.length + 1);
  return token.exec(text) ?? token.exec(text); // past the last one: the first
}

/** One of them becomes another value. */
const setValue: Mutation = (random, bytes) => {
  const text = Buffer.from(bytes).toString('latin1');
  const token = tokenOf(random, text);
  if (!token) return bytes;
  const other = tokenOf(random, text)?.[0] ?? '';
  const value = random.pick(random.chance(2) ? numbersOfText : [...valuesOfText, other, other]);
  const end = token.index + token[0].length;
  return new Uint8Array(
    Buffer.from(text.slice(0, token.index) + value + text.slice(end), 'latin1'),
  );
};

const binary = [flipBit, setByte, setNumber, setNumber, truncate, remove, repeat, insert, splice];
const mutations: readonly Mutation[] = [...binary, overwrite];
const textMutations: readonly Mutation[] = [...mutations, ...Array(8).fill(setValue)];

/**
 * An input with one to four changes, or now and then more. `others`: what parts of it are taken
 * from.
 */
export function mutate(
  random: Random,
  input: Uint8Array,
  others: readonly Uint8Array[],
  kind: 'binary' | 'text',
): Uint8Array {
  let bytes: Uint8Array = input.slice();
  const count = random.chance(8) ? 1 + random.below(16) : 1 + random.below(4);
  for (let i = 0; i < count; i++) {
    bytes = random.pick(kind === 'text' ? textMutations : mutations)(random, bytes, others);
    if (bytes.length > largestInput) bytes = bytes.slice(0, largestInput);
  }
  return bytes;
}
