// Components of a JPEG as JPEGs of their own. The decoder makes no pixels of four components (CMYK,
// YCCK): so their coefficients are read here (Huffman coding, sequential and progressive, ITU-T T.81)
// and written again as sequential JPEGs of one or three components, of which it makes the very
// pixels that libjpeg makes of them. No arithmetic on pixels is done here.

interface Component {
  id: number;
  h: number;
  v: number;
  table: number;
  /** Blocks in a row and in a column, filled up to whole MCUs. */
  columns: number;
  rows: number;
  /** 64 a block, in zigzag order. */
  coefficients: Int16Array;
}

export interface JpegComponents {
  width: number;
  height: number;
  /** Of Adobe's marker: 2 is YCCK; null where there is no marker. */
  transform: number | null;
  components: Component[];
  quantization: Map<number, Uint8Array>;
}

/** Reads all coefficients. Throws Error with a reason that can follow "<name> is a damaged JPEG: ". */
export function readComponents(bytes: Uint8Array): JpegComponents {
  const image: JpegComponents = {
    width: 0,
    height: 0,
    transform: null,
    components: [],
    quantization: new Map(),
  };
  const huffman = new Map<number, Uint16Array>();
  let progressive = false;
  let interval = 0;
  let scans = 0;
  for (let at = 2; ; ) {
    while (
      at < bytes.length &&
      !(bytes[at] === 0xff && bytes[at + 1]! > 0 && bytes[at + 1] !== 0xff)
    )
      at++;
    if (at + 4 > bytes.length) break;
    const marker = bytes[at + 1]!;
    if (marker === 0xd9) break;
    if (marker >= 0xd0 && marker <= 0xd8) {
      at += 2;
      continue;
    }
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const body = bytes.subarray(at + 4, at + 2 + length);
    if (body.length < length - 2) throw new Error('it ends early');
    at += 2 + length;
    if (marker === 0xdb) readQuantization(body, image.quantization);
    else if (marker === 0xc4) readHuffman(body, huffman);
    else if (marker === 0xdd) interval = (body[0]! << 8) | body[1]!;
    else if (marker === 0xee && String.fromCharCode(...body.subarray(0, 5)) === 'Adobe') {
      image.transform = body[11] ?? 0;
    } else if (marker === 0xc0 || marker === 0xc1 || marker === 0xc2) {
      progressive = marker === 0xc2;
      readFrame(body, image);
    } else if (marker > 0xc2 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc) {
      throw new Error(`coding process ${marker - 0xc0} is not known`);
    } else if (marker === 0xda) {
      at += new Scan(image, body, huffman, progressive, interval, bytes.subarray(at)).read();
      scans++;
    }
  }
  if (scans === 0) throw new Error('it has no scan');
  return image;
}

function readQuantization(body: Uint8Array, tables: Map<number, Uint8Array>): void {
  for (let at = 0; at < body.length; ) {
    const size = body[at]! >> 4 ? 129 : 65;
    tables.set(body[at]! & 15, body.subarray(at, at + size));
    at += size;
  }
}

/** Tables of the next 16 bits to length << 8 | symbol; 0 where they are no code. */
function readHuffman(body: Uint8Array, tables: Map<number, Uint16Array>): void {
  for (let at = 0; at + 17 <= body.length; ) {
    const table = new Uint16Array(1 << 16);
    const id = body[at]!;
    let symbol = at + 17;
    let code = 0;
    for (let length = 1; length <= 16; length++, code <<= 1) {
      for (let i = 0; i < body[at + length]!; i++, code++) {
        const first = code << (16 - length);
        table.fill((length << 8) | body[symbol++]!, first, first + (1 << (16 - length)));
      }
    }
    tables.set(id, table);
    at = symbol;
  }
}

function readFrame(body: Uint8Array, image: JpegComponents): void {
  if (image.components.length > 0) throw new Error('it has two frames');
  if (body[0] !== 8) throw new Error(`it has ${body[0]} bits a sample`);
  image.height = (body[1]! << 8) | body[2]!;
  image.width = (body[3]! << 8) | body[4]!;
  const count = body[5]!;
  const parts = Array.from({ length: count }, (_, i) => body.subarray(6 + 3 * i, 9 + 3 * i));
  const factors = parts.map((part) => [part[1]! >> 4, part[1]! & 15] as const);
  if (
    image.width * image.height === 0 ||
    factors.some(([h, v]) => h < 1 || h > 4 || v < 1 || v > 4)
  ) {
    throw new Error('its frame header has values that are not defined');
  }
  const hMost = Math.max(...factors.map(([h]) => h));
  const vMost = Math.max(...factors.map(([, v]) => v));
  for (const [i, [h, v]] of factors.entries()) {
    const columns = Math.ceil(image.width / (8 * hMost)) * h;
    const rows = Math.ceil(image.height / (8 * vMost)) * v;
    const coefficients = new Int16Array(columns * rows * 64);
    const [id, , table] = parts[i]!;
    image.components.push({ id: id!, h, v, table: table!, columns, rows, coefficients });
  }
}

/** Blocks of a component that hold pixels: those of a scan of it alone. */
function ownBlocks({ width, height, components }: JpegComponents, { h, v }: Component) {
  const hMost = Math.max(...components.map((one) => one.h));
  const vMost = Math.max(...components.map((one) => one.v));
  return {
    columns: Math.ceil(Math.ceil((width * h) / hMost) / 8),
    rows: Math.ceil(Math.ceil((height * v) / vMost) / 8),
  };
}

/** Visits the blocks of a scan in its order; `unit` is called before each MCU. */
function visitBlocks(
  image: JpegComponents,
  components: readonly Component[],
  unit: (index: number) => void,
  block: (component: Component, offset: number) => void,
): void {
  let index = 0;
  if (components.length === 1) {
    const [only] = components as [Component];
    const { columns, rows } = ownBlocks(image, only);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        unit(index++);
        block(only, (row * only.columns + column) * 64);
      }
    }
    return;
  }
  const [first] = components as [Component];
  for (let y = 0; y < first.rows / first.v; y++) {
    for (let x = 0; x < first.columns / first.h; x++) {
      unit(index++);
      for (const one of components) {
        for (let v = 0; v < one.v; v++) {
          for (let h = 0; h < one.h; h++) {
            block(one, ((y * one.v + v) * one.columns + x * one.h + h) * 64);
          }
        }
      }
    }
  }
}

/** One scan's bits into the coefficients. */
class Scan {
  readonly #image: JpegComponents;
  readonly #data: Uint8Array;
  readonly #interval: number;
  readonly #progressive: boolean;
  readonly #parts: {
    component: Component;
    dc: Uint16Array | undefined;
    ac: Uint16Array | undefined;
  }[];
  readonly #start: number;
  readonly #end: number;
  readonly #high: number;
  readonly #low: number;
  readonly #predictions = new Map<Component, number>();
  #at = 0;
  #bits = 0;
  #count = 0;
  /** Bytes that were not there. */
  #missing = 0;
  #endOfBand = 0;

  constructor(
    image: JpegComponents,
    header: Uint8Array,
    huffman: ReadonlyMap<number, Uint16Array>,
    progressive: boolean,
    interval: number,
    data: Uint8Array,
  ) {
    this.#image = image;
    this.#data = data;
    this.#interval = interval;
    this.#progressive = progressive;
    const count = header[0]!;
    this.#parts = Array.from({ length: count }, (_, i) => {
      const component = image.components.find(({ id }) => id === header[1 + 2 * i]);
      if (!component) throw new Error('a scan is of no component');
      const tables = header[2 + 2 * i]!;
      return { component, dc: huffman.get(tables >> 4), ac: huffman.get(16 | (tables & 15)) };
    });
    this.#start = progressive ? header[1 + 2 * count]! : 0;
    this.#end = progressive ? header[2 + 2 * count]! : 63;
    this.#high = progressive ? header[3 + 2 * count]! >> 4 : 0;
    this.#low = progressive ? header[3 + 2 * count]! & 15 : 0;
    if (this.#end > 63 || this.#start > this.#end || this.#low > 13) {
      throw new Error('its scan header has values that are not defined');
    }
  }

  /** Returns the number of bytes that it took. */
  read(): number {
    const components = this.#parts.map(({ component }) => component);
    visitBlocks(
      this.#image,
      components,
      (index) => {
        if (index > 0 && this.#interval > 0 && index % this.#interval === 0) this.#restart();
      },
      (component, offset) => {
        const part = this.#parts.find((one) => one.component === component)!;
        const block = component.coefficients.subarray(offset, offset + 64);
        this.#block(component, block, part.dc, part.ac);
      },
    );
    return this.#at;
  }

  #block(component: Component, block: Int16Array, dc?: Uint16Array, ac?: Uint16Array): void {
    if (this.#start === 0) {
      if (this.#high > 0) block[0]! |= this.#take(1) << this.#low;
      else {
        const size = this.#symbol(dc);
        const value = (this.#predictions.get(component) ?? 0) + this.#signed(size);
        this.#predictions.set(component, value);
        block[0] = value << this.#low;
      }
    }
    if (this.#end === 0) return;
    if (!this.#progressive) this.#sequential(block, ac);
    else if (this.#high === 0) this.#firstPass(block, ac);
    else this.#refine(block, ac);
  }

  #sequential(block: Int16Array, ac?: Uint16Array): void {
    for (let k = 1; k < 64; k++) {
      const symbol = this.#symbol(ac);
      const size = symbol & 15;
      if (size === 0 && symbol !== 0xf0) return;
      k += symbol >> 4;
      if (size > 0 && k < 64) block[k] = this.#signed(size);
    }
  }

  #firstPass(block: Int16Array, ac?: Uint16Array): void {
    if (this.#endOfBand > 0) {
      this.#endOfBand--;
      return;
    }
    for (let k = Math.max(1, this.#start); k <= this.#end; k++) {
      const symbol = this.#symbol(ac);
      const run = symbol >> 4;
      const size = symbol & 15;
      if (size === 0 && run < 15) {
        this.#endOfBand = (1 << run) - 1 + this.#take(run);
        return;
      }
      k += run;
      if (size > 0 && k < 64) block[k] = this.#signed(size) * (1 << this.#low);
    }
  }

  #refine(block: Int16Array, ac?: Uint16Array): void {
    const bit = 1 << this.#low;
    let k = Math.max(1, this.#start);
    const correct = (at: number) => {
      const value = block[at]!;
      if (this.#take(1) && (value & bit) === 0) block[at] = value + (value > 0 ? bit : -bit);
    };
    if (this.#endOfBand === 0) {
      for (; k <= this.#end; k++) {
        const symbol = this.#symbol(ac);
        let run = symbol >> 4;
        let value = 0;
        if ((symbol & 15) > 0) value = this.#take(1) ? bit : -bit;
        else if (run < 15) {
          this.#endOfBand = (1 << run) + this.#take(run);
          break;
        }
        // Past `run` zeros; what is not zero on the way is corrected.
        for (; k <= this.#end; k++) {
          if (block[k] !== 0) correct(k);
          else if (run-- === 0) break;
        }
        if (value !== 0 && k <= this.#end) block[k] = value;
      }
    }
    if (this.#endOfBand > 0) {
      for (; k <= this.#end; k++) if (block[k] !== 0) correct(k);
      this.#endOfBand--;
    }
  }

  #restart(): void {
    this.#bits = 0;
    this.#count = 0;
    this.#endOfBand = 0;
    this.#predictions.clear();
    const [first, marker] = this.#data.subarray(this.#at, this.#at + 2);
    if (first !== 0xff || marker! < 0xd0 || marker! > 0xd7) throw new Error('a restart is missing');
    this.#at += 2;
  }

  #fill(count: number): void {
    while (this.#count < count) {
      const byte = this.#data[this.#at];
      const next = this.#data[this.#at + 1];
      let value = 0;
      if (byte === undefined || (byte === 0xff && next !== 0)) {
        // A marker: what is read ahead of it is zero, but nothing may need it for long.
        if (++this.#missing > 64) throw new Error('it ends early');
      } else {
        value = byte;
        this.#at += byte === 0xff ? 2 : 1;
      }
      this.#bits = ((this.#bits << 8) | value) & 0xffffff;
      this.#count += 8;
    }
  }

  #symbol(table: Uint16Array | undefined): number {
    if (!table) throw new Error('a table is missing');
    this.#fill(16);
    const found = table[(this.#bits >> (this.#count - 16)) & 0xffff]!;
    if (found === 0) throw new Error('it has a wrong code');
    this.#count -= found >> 8;
    return found & 255;
  }

  #take(count: number): number {
    if (count === 0) return 0;
    this.#fill(count);
    this.#count -= count;
    return (this.#bits >> this.#count) & ((1 << count) - 1);
  }

  #signed(size: number): number {
    if (size > 15) throw new Error('it has a wrong code');
    const value = this.#take(size);
    return size > 0 && value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }
}

/** Sizes of differences of DC; 4 bits each. */
const dcSymbols = Array.from({ length: 12 }, (_, size) => size);
/** Runs and sizes of AC; 8 bits each. */
const acSymbols = [
  0x00,
  0xf0,
  ...Array.from({ length: 16 }, (_, run) =>
    Array.from({ length: 10 }, (_, size) => (run << 4) | (size + 1)),
  ).flat(),
];
const acCodes = new Map(acSymbols.map((symbol, code) => [symbol, code]));

/**
 * Some components as a JPEG: one is grey, three are YCbCr. Throws Error as readComponents() does.
 */
export function writeComponents(image: JpegComponents, indices: readonly number[]): Uint8Array {
  const parts = indices.map((index) => image.components[index]!);
  const out: number[] = [0xff, 0xd8];
  const segment = (marker: number, body: readonly number[]) =>
    out.push(0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255, ...body);
  for (const table of new Set(parts.map((part) => part.table))) {
    const quantization = image.quantization.get(table);
    if (!quantization) throw new Error('a table is missing');
    segment(0xdb, [...quantization]);
  }
  const alone = parts.length === 1;
  const { width, height } = image;
  segment(0xc0, [
    ...[8, height >> 8, height & 255, width >> 8, width & 255, parts.length],
    ...parts.flatMap(({ h, v, table }, i) => [i + 1, alone ? 0x11 : (h << 4) | v, table]),
  ]);
  const lengths = (length: number, count: number) =>
    Array.from({ length: 16 }, (_, i) => (i + 1 === length ? count : 0));
  segment(0xc4, [0x00, ...lengths(4, dcSymbols.length), ...dcSymbols]);
  segment(0xc4, [0x10, ...lengths(8, acSymbols.length), ...acSymbols]);
  segment(0xda, [parts.length, ...parts.flatMap((_, i) => [i + 1, 0]), 0, 63, 0]);
  const bits = new BitWriter(out);
  const predictions = new Map<Component, number>();
  visitBlocks(
    image,
    parts,
    () => {},
    (part, offset) => {
      const block = part.coefficients.subarray(offset, offset + 64);
      writeBlock(bits, block, predictions.get(part) ?? 0);
      predictions.set(part, block[0]!);
    },
  );
  return bits.end();
}

function writeBlock(bits: BitWriter, block: Int16Array, prediction: number): void {
  const difference = block[0]! - prediction;
  const size = sizeOf(difference, 11);
  bits.put(size, 4);
  bits.signed(difference, size);
  let run = 0;
  for (let k = 1; k < 64; k++) {
    const value = block[k]!;
    if (value === 0) {
      run++;
      continue;
    }
    for (; run > 15; run -= 16) bits.put(acCodes.get(0xf0)!, 8);
    const bitsOfValue = sizeOf(value, 10);
    bits.put(acCodes.get((run << 4) | bitsOfValue)!, 8);
    bits.signed(value, bitsOfValue);
    run = 0;
  }
  if (run > 0) bits.put(acCodes.get(0)!, 8);
}

function sizeOf(value: number, most: number): number {
  const size = 32 - Math.clz32(Math.abs(value));
  if (size > most) throw new Error('it has a coefficient that is too large');
  return size;
}

class BitWriter {
  readonly #head: readonly number[];
  #bytes = new Uint8Array(1 << 16);
  #size = 0;
  #bits = 0;
  #count = 0;

  constructor(head: readonly number[]) {
    this.#head = head;
  }

  put(value: number, count: number): void {
    this.#bits = (this.#bits << count) | value;
    this.#count += count;
    while (this.#count >= 8) {
      this.#count -= 8;
      const byte = (this.#bits >> this.#count) & 255;
      this.#add(byte);
      if (byte === 0xff) this.#add(0);
    }
    this.#bits &= (1 << this.#count) - 1;
  }

  signed(value: number, size: number): void {
    if (size > 0) this.put(value > 0 ? value : value + (1 << size) - 1, size);
  }

  end(): Uint8Array {
    if (this.#count > 0) this.put((1 << (8 - this.#count)) - 1, 8 - this.#count);
    const all = new Uint8Array(this.#head.length + this.#size + 2);
    all.set(this.#head);
    all.set(this.#bytes.subarray(0, this.#size), this.#head.length);
    all.set([0xff, 0xd9], this.#head.length + this.#size);
    return all;
  }

  #add(byte: number): void {
    if (this.#size === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#size);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#size++] = byte;
  }
}
